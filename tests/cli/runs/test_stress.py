"""`cellbench stress`: from a run that keeps its models to a table, and what it refuses."""

import json

from ..program import call


def test_from_saved_models_to_the_table_and_the_chart(cells, tmp_path):
    results = tmp_path / "r"
    ran = call("run", "-d", cells, "-m", "svm-flat", "-m", "floor-majority", "--save-models", "-o", results)
    assert ran.returncode == 0, ran.stderr
    first = call("stress", results, "-p", "rotation", "-p", "dimmer", "--format", "json")
    assert first.returncode == 0, first.stderr
    rows = json.loads(first.stdout)
    assert [row["perturbation"] for row in rows] == ["rotation", "dimmer"]
    (file,) = results.rglob("svm-flat/*.json")
    assert rows[0]["accuracy_0"] == json.loads(file.read_text())["metrics"]["test"]["accuracy"]
    (kept,) = results.rglob("*.stress")
    assert json.loads(kept.read_text())["format"] == "cellbench stress"
    again = call("stress", next(results.rglob("*.model")), "-p", "dimmer")
    assert again.stderr == "1 model tested before; --force tests again\n"
    table = call("table", results, "--runs", "all", "--view", "stress", "--format", "json", "--where", "fall<=1")
    assert [row["accuracy_3"] for row in json.loads(table.stdout)] == [row["accuracy_3"] for row in rows]
    assert table.stderr == ""  # the file beside the record is passed over by nobody
    drawn = call("plot", "stress", results, "--runs", "all", "-o", tmp_path / "p.json")
    assert drawn.returncode == 0, drawn.stderr


def test_what_is_no_model_or_has_none_is_refused(tmp_path):
    (tmp_path / "x.model").write_text("no model")
    for arguments, message in (
        ([tmp_path / "x.model"], "it is damaged, or no file of tensors and numbers alone"),
        ([tmp_path / "none"], "does not exist; give models, or the folder of results that has them"),
        ([tmp_path / "x.model", "-p", "rotate"], "no perturbation is called 'rotate'; did you mean 'rotation'"),
    ):
        refused = call("stress", *arguments)
        assert refused.returncode == 2
        assert message in refused.stderr
        assert refused.stderr.count("\n") == 1
