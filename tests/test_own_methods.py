"""The example methods in README, CONTRIBUTING and docs/add-method.md run exactly as they are printed there."""

import re
from pathlib import Path

import pytest

from cellbench.core.registry import load_plugin_file
from cellbench.methods import methods
from cellbench.methods.conformance import check_learns, check_scores, conformance, try_out

ROOT = Path(__file__).parent.parent
SHOWN = {
    (page, re.search(r'@method\("([^"]+)"', code)[1]): code
    for page in ("README.md", "CONTRIBUTING.md", "docs/add-method.md")
    for code in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    if "@method(" in code
}


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """Load the method that a page shows; it is gone after the test."""
    monkeypatch.setattr(methods, "_added", dict(methods._entries))

    def load(page, name):
        file = tmp_path / f"{name}.py"
        file.write_text(SHOWN[page, name], encoding="utf-8")
        load_plugin_file(file)
        return methods[name]

    return load


def test_all_pages_show_one():
    pages = {(page, "knn") for page in ("README.md", "CONTRIBUTING.md", "docs/add-method.md")}
    assert set(SHOWN) == {*pages, ("docs/add-method.md", "knn-labels")}
    assert all(sum(map(bool, code.splitlines())) == 7 for code in SHOWN.values())  # blank lines aside


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/add-method.md"])
def test_the_method_of_seven_lines_keeps_all_rules(page, shown):
    assert [problem for _, problem in conformance(shown(page, "knn")) if problem] == []


def test_the_one_for_several_labels_an_image_learns_them(shown):
    entry = shown("docs/add-method.md", "knn-labels")
    trial = try_out(entry, multilabel=True)
    check_scores(entry, trial)
    check_learns(entry, trial)
