"""A notebook shows the progress of runs and their results, and keeps both when it is saved."""

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = [
    """
import cellbench
from cellbench.datasets.toy import rings

@cellbench.dataset("rings", "", licence="", size="")
def build(scratch, source):
    return rings()
""",
    """
results = cellbench.run("rings", ["svm-flat", "floor-majority"], output="results")
""",
    "results",
    "results.to_frame()[['method', 'test_accuracy']]",
]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Of each cell, what it displayed."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLBENCH_DATA", str(folder / "cache"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    nbformat.validate(notebook)
    return [cell.outputs for cell in notebook.cells]


def html(output):
    return output.get("data", {}).get("text/html", "")


def test_the_bars_stand_at_the_last_run_and_each_run_has_a_line(outputs):
    bars, *lines = [output for output in outputs[1] if output.output_type == "display_data"]
    assert "run 2 of 2" in html(bars)
    texts = [html(line) + str(line["data"].get("text/plain")) for line in lines]
    assert sum("test accuracy" in text for text in texts) == 2
    assert not [output for output in outputs[1] if output.get("name") == "stderr"]


def test_results_are_shown_as_the_answer_and_a_table(outputs):
    (shown,) = outputs[2]
    assert "images chose all the same. The best SVM, svm-flat" in html(shown)
    assert "<th>test accuracy (%)</th>" in html(shown)
    assert html(shown).count("<tr>") == 3  # the heading and two methods
    assert shown["data"]["text/plain"].startswith("<results of 2 runs in 'results'")


def test_the_frame_of_results_is_an_ordinary_one(outputs):
    (shown,) = outputs[3]
    assert "floor-majority" in html(shown)
