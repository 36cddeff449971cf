"""The examples of docs/api.md work as pasted, in their order, and the command beside them does the same."""

import pkgutil
import re
import shlex
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import cellbench
from cellbench.cli import cli

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
(COMMAND,) = re.findall(r"```sh\ncellbench (.+?)\n```", PAGE)


@pytest.fixture
def my_cells(tmp_path, monkeypatch):
    """A folder of images as the page has it, in the folder where the examples run."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for number, name in enumerate(("bright", "dark")):
        (tmp_path / "my_cells" / name).mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(0, 100, (32, 32), dtype=np.uint8) + 100 * number
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "my_cells" / name / f"{i}.png")
    monkeypatch.setattr("cellbench.datasets.audit.shortcuts.TREES", 20)


def test_the_reference_has_each_public_name():
    listed = re.findall(r"^::: (\S+)$", (DOCS / "reference.md").read_text(encoding="utf-8"), re.MULTILINE)
    public = {name: getattr(cellbench, name) for name in cellbench.__all__ if name != "__version__"}
    functions = {f"{thing.__module__}.{name}" for name, thing in public.items() if not isinstance(thing, ModuleType)}
    assert functions <= set(listed)
    modules = {thing.__name__ for thing in public.values() if isinstance(thing, ModuleType)}
    assert all(any(one.startswith(f"{module}.") for one in listed) for module in modules)
    assert all(pkgutil.resolve_name(one) for one in listed)


def test_the_examples_work_in_their_order(my_cells, capsys):
    names = {}
    for example in EXAMPLES:
        exec(compile(example, "docs/api.md", "exec"), names)
    out = capsys.readouterr().out
    assert "svm-hog" in out  # the plan
    assert out.rstrip().endswith("floor-majority on folder:my_cells, seed 0 ok")
    assert set(names["frame"]["method"]) == {"svm-hog", "floor-intensity"}
    assert all(Path(file).is_file() for file in ("cells.png", "report.html"))
    assert next(Path("plots").iterdir()).suffix == ".svg"


def test_the_command_makes_the_same_records_as_the_example_beside_it(my_cells):
    exec(compile(EXAMPLES[0], "docs/api.md", "exec"), {})
    of_function = sorted(path.name for path in Path("results").rglob("*.json"))
    outcome = CliRunner().invoke(cli, shlex.split(COMMAND), catch_exceptions=False)
    assert outcome.stdout.startswith(f"{len(of_function)} already done. Next: cellbench table --runs all")
    assert sorted(cellbench.load_results("results").frame["path"].str.split("/").str[-1]) == of_function
