"""Models as safetensors: every tensor and every other value comes back by safetensors alone."""

import json

import pytest
import torch
from safetensors import safe_open

from cellbench.core.errors import DataError, UsageError
from cellbench.exports.models.formats import export_model
from cellbench.running.saved_models import models


@pytest.mark.parametrize("method", ["mlp", "probe-knn"])
def test_tensors_and_settings_come_back(made, tmp_path, method):
    (file,) = made().rglob(f"{method}/*.model")
    done = export_model(file, "safetensors", tmp_path / "x.safetensors")
    model = models.load(file)
    with safe_open(done.file, "pt") as kept:
        rest = json.loads(kept.metadata()["cellbench"])
        tensors = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118 - it is no mapping
    nets = {"mlp": "net", "probe-knn": "encoder"}
    for name, value in model.state[nets[method]].items():
        assert torch.equal(tensors[f"state.{nets[method]}.{name}"], value)
    for name in ("classes", "channels", "params", "metrics", "method", "fingerprint"):
        assert rest[name] == getattr(model, name)
    assert restored(rest, tensors).keys() == vars(model).keys()
    assert done.check == ""
    assert done.card.read_text().startswith("---\ntags:\n- cellbench\n")


def restored(value, tensors):
    """The values of the metadata with the tensors in their places."""
    if isinstance(value, dict) and value.keys() == {"tensor"}:
        return tensors[value["tensor"]]
    if isinstance(value, dict):
        return {name: restored(each, tensors) for name, each in value.items()}
    return [restored(each, tensors) for each in value] if isinstance(value, list) else value


def test_a_place_where_no_new_file_can_be_is_refused(made, tmp_path):
    (file,) = made().rglob("mlp/*.model")
    before = file.read_bytes()
    with pytest.raises(UsageError, match="give the name of a new file, such as"):
        export_model(file, "safetensors", file)
    with pytest.raises(UsageError, match="give the name of a new file"):
        export_model(file, "safetensors", tmp_path)
    with pytest.raises(UsageError, match="there is no model"):
        export_model(tmp_path / "none.model", "onnx")
    (tmp_path / "text.model").write_text("no model")
    with pytest.raises(DataError, match="is no model that"):
        export_model(tmp_path / "text.model", "safetensors", tmp_path / "a.safetensors")
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["text.model"]
