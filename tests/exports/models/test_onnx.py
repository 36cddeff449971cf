"""Models as ONNX: onnxruntime alone, given raw images, says what the run said of them."""

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner
from PIL import Image

from cellbench.cli import cli
from cellbench.core.errors import UsageError
from cellbench.core.records.store import Store
from cellbench.datasets.files import cache
from cellbench.datasets.toy import rings
from cellbench.exports.models import onnx_file
from cellbench.exports.models.formats import export_model
from cellbench.running.planning.plan import make_plan, parse_override
from cellbench.running.saved_models import models
from cellbench.running.single_run import execute

from ...cli.program import call

NET = ("epochs=1", "batch=16", "precision=fp32")
PROBE = ("encoder=cnn", "weights=none", "cached=false")


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """trained(method, settings, ...): the file of a model of a run on toy images, its predictions and all images."""
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path / "cache"))
    numbers = itertools.count()

    def run(method, *settings, **shape):
        folder = cache.prepare(f"toy-{next(numbers)}", lambda _: rings(n=60, **shape))
        (job,) = make_plan([method], [folder], overrides=[parse_override(text) for text in settings])
        store = Store(tmp_path / "results", "example")
        file = store.model(job.spec)
        record, predictions = execute(job, model=file)
        store.save(record, predictions)
        return file, predictions, cache.read(folder).images

    return run


def by_onnxruntime(file, images):
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return session.run(None, {"images": np.ascontiguousarray(images)})


@pytest.mark.parametrize(
    ("method", "settings", "shape"),
    [
        ("svm-flat", ("size=24", "C=1"), {}),
        ("svm-flat", ("size=none", "kernel=poly", "coef0=1", "intensity=percentile"), {"channels": 2}),
        ("svm-flat", ("size=none", "kernel=linear", "backend=libsvm"), {"classes": 2}),
        ("svm-hog", ("size=none", "channels=channel 1,channel 0"), {"channels": 2, "multilabel": True}),
        ("svm-yeast", (), {"channels": 2}),
        ("svm-deep", ("net=mlp", "cached=false", *NET), {}),
        ("mlp", ("size=16", "crop=28", "intensity=standardise", *NET), {"multilabel": True}),
        ("cnn", ("three_channels=true", *NET), {"channels": 4}),
    ],
)
def test_onnxruntime_alone_scores_and_labels_raw_images_as_the_run_did(trained, method, settings, shape):
    file, predictions, images = trained(method, *settings, **shape)
    model = models.load(file)
    onnx_file.write_onnx(model, file.with_suffix(".onnx"))
    raw = images[predictions["test_index"]]
    scores, labels, *probabilities = by_onnxruntime(file.with_suffix(".onnx"), raw)
    np.testing.assert_allclose(scores, predictions["test_scores"], rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(labels, model.decided(predictions["test_scores"]))
    assert len(probabilities) == model.has_probabilities
    for found in probabilities:
        np.testing.assert_allclose(found, model.figures(predictions["test_scores"]), atol=1e-3)
    one = by_onnxruntime(file.with_suffix(".onnx"), raw[:1])  # any number of images at a time
    np.testing.assert_allclose(one[0], scores[:1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("method", "settings", "shape"),
    [
        ("probe-knn", ("size=32", "channel_mode=rgb"), {"channels": 4}),
        ("probe-svm", ("size=32", "views=8"), {"channels": 2}),
        ("probe-linear", ("size=none", "pooling=avg+max"), {}),
    ],
)
def test_encoders_and_their_heads_are_one_file_too(trained, method, settings, shape):
    file, predictions, images = trained(method, *PROBE, *settings, **shape)
    model = models.load(file)
    onnx_file.write_onnx(model, file.with_suffix(".onnx"))
    raw = np.asarray(images[predictions["test_index"]])
    scores, labels, *_ = by_onnxruntime(file.with_suffix(".onnx"), raw)
    expected = models.restore_in_float32(model, "cpu").predict(model.prepared(raw))  # a run may have computed in bf16
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(labels, model.decided(expected))


def test_what_bf16_changed_is_told_and_predict_in_float32_labels_as_the_file(trained, tmp_path):
    file, predictions, images = trained("cnn", "size=none", "epochs=2", "batch=16", "precision=bf16")
    model = models.load(file)
    done = export_model(file, "onnx")
    raw = np.asarray(images[predictions["test_index"]])
    scores, labels, *_ = by_onnxruntime(done.file, raw)
    exact = models.restore_in_float32(model, "cpu").predict(model.prepared(raw))
    np.testing.assert_allclose(scores, exact, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(labels, exact.argmax(1))
    coarser = np.abs(scores - predictions["test_scores"]).max()
    assert coarser > 10 * np.abs(scores - exact).max()
    of_run, truth = predictions["test_scores"].argmax(1), predictions["test_labels"]
    told = (
        f"the run itself (computed by torch bf16) gave {(labels != of_run).sum()} of them another label: it had "
        f"{(of_run == truth).sum()} right, this file has {(labels == truth).sum()}"
    )
    assert told in done.check
    assert f"- T{told[1:]}" in done.card.read_text()
    for i, image in enumerate(raw):
        Image.fromarray(image[0]).save(tmp_path / f"{i:02}.png")
    out = call("predict", file, tmp_path, "--precision", "fp32", "--all-scores", "--format", "json")
    found = json.loads(out.stdout)["images"]
    assert [row["labels"] for row in found] == [[model.classes[k]] for k in labels]
    shares = np.array([[row["all"][name] for name in model.classes] for row in found])
    np.testing.assert_allclose(shares, model.figures(scores), atol=1e-3)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("settings", [("size=24", "C=1"), ("size=none", "three_channels=true", "C=1")])
def test_deep_and_real_valued_images_are_taken_as_they_are(tmp_path, monkeypatch, dtype, settings):
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path / "cache"))
    data = rings(n=60, channels=4)
    values = (data.images.astype(np.float64) * 200 if dtype == "uint16" else data.images / 100 - 0.5).astype(dtype)
    folder = cache.prepare("toy", lambda _: dataclasses.replace(data, images=values))
    (job,) = make_plan(["svm-flat"], [folder], overrides=[parse_override(text) for text in settings])
    _, predictions = execute(job, model=tmp_path / "svm.model")
    onnx_file.write_onnx(models.load(tmp_path / "svm.model"), tmp_path / "svm.onnx")
    scores, *_ = by_onnxruntime(tmp_path / "svm.onnx", values[predictions["test_index"]])
    np.testing.assert_allclose(scores, predictions["test_scores"], rtol=1e-3, atol=1e-3)


def test_a_class_that_no_training_image_had_is_never_the_label(trained):
    file, predictions, images = trained("svm-flat", "size=none", "C=1")
    model = models.load(file)
    model.classes.insert(1, "unseen")  # and the machine's classes are then 0, 2, 3
    model.state["classes"] = 4
    model.state["machine"]["classes"] = [0, 2, 3]
    model.calibration.clear()  # as in models of earlier versions
    onnx_file.write_onnx(model, file.with_suffix(".onnx"))
    scores, labels = by_onnxruntime(file.with_suffix(".onnx"), images[predictions["test_index"]])
    np.testing.assert_allclose(scores[:, [0, 2, 3]], predictions["test_scores"], atol=1e-4)
    assert (scores[:, 1] < scores[:, [0, 2, 3]].min(1)).all()
    assert 1 not in labels


@pytest.mark.parametrize(
    ("method", "settings", "reason"),
    [
        ("svm-combined", ("C=1", "features=intensity"), "svm-combined cannot be exported: its features (texture"),
        ("svm-flat", ("mask=otsu", "C=1"), "svm-flat learnt with mask=otsu, whose threshold is searched in each image"),
    ],
)
def test_what_onnx_cannot_do_is_refused_and_nothing_is_written(trained, method, settings, reason):
    file, *_ = trained(method, *settings)
    with pytest.raises(UsageError) as caught:
        export_model(file, "onnx")
    assert str(caught.value).startswith(reason)
    assert sorted(path.suffix for path in file.parent.iterdir()) == [".json", ".model", ".npz"]


def test_the_command_checks_the_file_and_writes_a_card_of_data_classes_channels_figures_and_licence(trained):
    file, predictions, images = trained("svm-flat", "size=none", "C=1")
    out = CliRunner().invoke(cli, ["export-model", str(file), "--to", "onnx"])
    target = file.with_suffix(".onnx")
    assert (out.exit_code, out.stdout) == (0, f"{target}\n{target}.md\n")
    n = len(predictions["test_index"])
    assert out.stderr.startswith(f"onnxruntime gives {n} of {n} test images the label that cellbench gives them")
    facts = onnxruntime.InferenceSession(str(target)).get_modelmeta().custom_metadata_map
    assert json.loads(facts["classes"]) == ["ring 0", "ring 1", "ring 2"]
    assert facts["dataset"] == "toy"
    card = Path(f"{target}.md").read_text()
    test = models.load(file).metrics["test"]
    for line in (
        "- Images: 32×32 pixels, uint8, channels in this order: channel 0",
        "- Classes in this order: ring 0, ring 1, ring 2",
        "- Images: simulated, so nothing is known about real cells",
        "- Numbers of images: 30 train, 15 val, 15 test",
        f"| test | {test['accuracy']:.4f} | {test['macro_f1']:.4f} | 15 |",
        "- Images that it learnt from: MIT",
    ):
        assert f"\n{line}\n" in card
    snippet = card.partition("```python\n")[2].partition("```")[0]
    code = snippet.replace("...  # numpy", "given  # numpy").replace(target.name, str(target))
    found: dict = {"given": np.asarray(images[:3])}
    exec(code, found)
    assert found["scores"].shape == (3, 3)
