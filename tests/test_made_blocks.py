"""What README and docs show of the records is what the records give, and each command that makes it stands with it."""

import importlib.util
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SPEC = importlib.util.spec_from_file_location("made", ROOT / "docs" / "tools" / "made.py")
assert SPEC
assert SPEC.loader
made = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(made)

PAGES = [page for page in made.pages() if re.search("<!-- (made|drawn) by: ", page.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module", autouse=True)
def shipped():
    try:
        with made.shipped_records() as folder:
            yield folder
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_what_the_records_give(page):
    """`python docs/tools/made.py` renews all pages, as do `tox -e docs` and CELLBENCH_UPDATE_GOLDEN=1 here."""
    text = page.read_text(encoding="utf-8")
    assert text.count("<!-- made by: ") == text.count("<!-- end -->")
    renew = bool(os.environ.get("CELLBENCH_UPDATE_GOLDEN"))
    assert made.differing(page, write=renew) == [] or renew


def test_a_block_is_made_anew_whatever_stood_in_it():
    command = "cellbench table results/ --view summary --format markdown"
    page = f"Before.\n\n<!-- made by: {command} -->\nold\n<!-- end -->\nafter"
    text = made.renewed(page)
    assert text.startswith(f"Before.\n\n<!-- made by: {command} -->\n\n**")
    assert "| hep2 " in text
    assert f"\nMade by `{command}`.\n\n<!-- end -->\nafter" in text
    assert "\nold\n" not in text


def test_what_is_not_markdown_stands_as_on_a_terminal():
    text = made.renewed("<!-- made by: cellbench list suites depth -->\n<!-- end -->")
    assert "```text\n$ cellbench list suites depth\ndepth: Does depth harm" in text
    assert text.endswith("```\n<!-- end -->")


def test_a_command_that_fails_is_named():
    with pytest.raises(RuntimeError, match=r"^cellbench table results/ --view smmary: "):
        made.output("cellbench table results/ --view smmary")
    with pytest.raises(RuntimeError, match="begins with cellbench or python"):
        made.output("rm -r results")


def test_figures_are_alike_when_their_marks_are():
    svg = '<svg><path aria-label="x: 1; y: 2" d="M0"/><path aria-label="x: 3; y: 4"/></svg>'
    moved = '<svg><path aria-label="x: 3; y: 4"/><path aria-label="x: 1; y: 2" d="M9"/></svg>'
    assert made.marks(svg) == made.marks(moved) == ["x: 1; y: 2", "x: 3; y: 4"]
    assert made.marks(svg.replace("y: 4", "y: 5")) != made.marks(svg)


def test_no_table_of_the_records_is_typed_by_hand():
    """A view's title stands nowhere but in a block that a command makes."""
    for page in made.pages():
        outside = made.BLOCK.sub("", page.read_text(encoding="utf-8"))
        assert not re.search(r"^\*\*\w[^*\n]*, split \w", outside, re.MULTILINE), page
