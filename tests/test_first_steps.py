"""The notebook for a first lesson runs from top to bottom and shows what its text speaks of."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent / "docs" / "first-steps.ipynb"
SMALL = {"IMAGES = 600": "IMAGES = 60", "EPOCHS = None": "EPOCHS = 1"}


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    """The cells of code after they were run, on fewer images and for one epoch."""
    folder = tmp_path_factory.mktemp("first-steps")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        for whole, small in SMALL.items():
            cell.source = cell.source.replace(whole, small)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CELLBENCH_DATA", "XDG_STATE_HOME", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            patch.setenv(name, str(folder / name))
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell, kind):
    return [output["data"][kind] for output in cell.outputs if kind in output.get("data", {})]


def after(code, words):
    (cell,) = [cell for cell in code if words in cell.source]
    return cell


def test_it_is_kept_without_outputs_and_its_small_sizes_are_found():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not [cell for cell in notebook.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)]
    text = "\n".join(cell.source for cell in notebook.cells)
    assert all(text.count(whole) == 1 for whole in SMALL)


def test_cells_and_what_would_mislead_are_shown(code):
    assert shown(after(code, "cellbench.inspect("), "image/png")
    assert "(2200, 2, 64, 64)" in str(after(code, "cellbench.inspect(").outputs)


def test_the_contest_is_shown_as_an_answer_a_chart_a_table_and_a_frame(code):
    (answer,) = [html for html in shown(code[3], "text/html") if "too few to choose methods by" in html]
    assert "These images are simulated, so no verdict rests on them." in " ".join(answer.split())
    assert "60 training images" in str(shown(after(code, "results.chart("), "text/plain"))
    for method in ("floor-intensity", "svm-hog", "fastnet"):
        assert method in str(shown(after(code, "per-class"), "text/plain"))
        assert method in str(shown(after(code, "to_frame()"), "text/plain"))


def test_a_method_of_ones_own_stands_beside_the_others(code):
    (table,) = shown(after(code, 'plugins=["knn.py"]'), "text/plain")[-1:]
    rows = [line.split()[0] for line in table.splitlines() if line]
    assert {"knn", "svm-hog"} <= set(rows)


def test_nothing_went_wrong_on_the_way(code):
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
