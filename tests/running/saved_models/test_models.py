"""Models in files: what comes out of one scores as the run did, and nothing in one is ever executed."""

import contextlib
import dataclasses
import errno
import itertools
import os
import pickle
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

from cellbench.core.errors import DataError, UsageError
from cellbench.core.scoring.calibration import calibrate
from cellbench.datasets.files import cache
from cellbench.datasets.toy import rings
from cellbench.running.planning.plan import make_plan, parse_override
from cellbench.running.progress.display import outcome
from cellbench.running.saved_models import models
from cellbench.running.single_run import execute

NETS = ("mlp", "cnn", "resnet18", "resnet20", "svm-deep")
QUICK = ("epochs=2", "batch=16", "size=none")


@pytest.fixture
def saved(tmp_path):
    """saved(method, settings, ...): a run on toy images, its record, predictions, images and the model it wrote."""

    numbers = itertools.count()

    def run(method, *sets, **shape):
        folder = cache.prepare("toy-" + "-".join(map(str, shape.values())), lambda scratch: rings(**shape))
        sets = [text for text in (*QUICK, *sets) if method in NETS or not text.startswith(("epochs", "batch"))]
        (job,) = make_plan([method], [folder], overrides=[parse_override(text) for text in sets])
        path = tmp_path / "kept" / f"{method}{number + 1 if (number := next(numbers)) else ''}.model"
        record, predictions = execute(job, model=path)
        return record, predictions, cache.read(folder), path

    return run


@pytest.mark.parametrize(
    ("method", "settings", "shape"),
    [
        ("svm-hog", (), {}),
        ("svm-flat", ("backend=libsvm", "C=3"), {"classes": 2}),
        ("svm-flat", ("backend=onedal", "channels=channel 1,channel 0", "intensity=percentile"), {"channels": 2}),
        ("svm-hog", ("backend=libsvm",), {"multilabel": True}),
        ("svm-yeast", ("crop=30",), {"channels": 2}),
        ("svm-deep", ("net=cnn", "cached=false"), {"multilabel": True}),
        ("cnn", ("size=16", "intensity=standardise", "mask=otsu"), {"channels": 2}),
        ("mlp", ("loss=focal", "normalise=half"), {"multilabel": True}),
        ("resnet20", ("precision=fp32", "activation=mish", "dropout=0.2"), {}),
    ],
)
def test_a_model_from_a_file_scores_as_the_run_did_and_decides_by_its_thresholds(saved, method, settings, shape):
    record, predictions, data, path = saved(method, *settings, **shape)
    model = models.load(path)
    scorer = models.restore(model, "cpu")
    scores = scorer.predict(model.prepared(np.array(data.images[predictions["test_index"]])))
    np.testing.assert_allclose(scores, predictions["test_scores"], rtol=1e-4, atol=1e-4)
    if data.multilabel:
        expected = predictions["test_scores"] > np.array(record.chosen["thresholds"], np.float32)
    else:
        expected = predictions["test_scores"].argmax(1)
    np.testing.assert_array_equal(model.decided(scores), expected)
    assert (model.classes, model.channels) == (list(data.classes), list(data.channels))
    assert model.metrics == {part: record.metrics[part] for part in ("val", "test")}
    assert (model.dataset, model.fingerprint, model.synthetic) == (data.name, data.info.fingerprint, True)


@pytest.mark.parametrize(
    ("method", "settings", "multilabel", "expected"),
    [
        ("svm-hog", (), False, lambda scores: scores),
        ("mlp", (), False, lambda scores: softmax(scores, axis=1)),
        ("mlp", ("loss=bce",), False, expit),
        ("mlp", (), True, expit),
        ("mlp", ("loss=smooth-l1",), False, lambda scores: scores),
        ("mlp", ("loss=smooth-l1",), True, expit),
        ("svm-deep", ("net=mlp", "cached=false"), False, lambda scores: scores),
    ],
)
def test_probabilities_of_an_older_model_are_what_the_loss_makes_of_scores_and_an_svm_has_none(
    saved, method, settings, multilabel, expected
):
    _, predictions, _, path = saved(method, *settings, multilabel=multilabel)
    model = dataclasses.replace(models.load(path), calibration={})
    scores = predictions["test_scores"]
    np.testing.assert_allclose(model.figures(scores), expected(scores), rtol=1e-5, atol=1e-7)
    assert model.has_probabilities == (expected(scores) is not scores)


@pytest.mark.parametrize("multilabel", [False, True])
def test_probabilities_are_calibrated_on_val(saved, multilabel):
    _, predictions, _, path = saved("svm-hog", multilabel=multilabel)
    model = models.load(path)
    rule = calibrate(predictions["val_scores"], predictions["val_labels"])
    found = model.figures(predictions["test_scores"])
    np.testing.assert_allclose(found, rule(predictions["test_scores"]), rtol=1e-5, atol=1e-6)
    assert model.has_probabilities
    if not multilabel:
        np.testing.assert_array_equal(found.argmax(1), model.decided(predictions["test_scores"]))


def test_a_net_that_starts_from_a_model_is_built_with_its_stem(saved):
    *_, first = saved("resnet18", "epochs=0")  # images are small, so it has the small one
    *_, stock = saved("resnet18", "epochs=0", "stem=stock")
    for path, side in ((first, 5), (stock, 7)):
        *_, second = saved("resnet18", "epochs=0", f"weights={path}", classes=4)
        given, taken = (models.load(file).state["net"]["conv1.weight"] for file in (path, second))
        assert given.shape[2] == side
        assert torch.equal(given, taken)
        *_, third = saved("resnet18", "epochs=0", f"weights={second}", "size=128", classes=4)
        assert torch.equal(given, models.load(third).state["net"]["conv1.weight"])


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


@pytest.mark.parametrize("hidden", [False, True], ids=["a bomb", "a bomb in a model"])
@pytest.mark.parametrize("by_torch", [False, True], ids=["pickle", "torch.save"])
def test_code_in_a_file_is_refused_and_not_executed(saved, tmp_path, hidden, by_torch):
    mark = tmp_path / "executed"
    kept = Bomb(str(mark))
    if hidden:
        *_, path = saved("svm-hog")
        kept = {**torch.load(path, weights_only=True), "state": kept}
    file = tmp_path / "bomb.model"
    with file.open("wb") as out:
        torch.save(kept, out) if by_torch else pickle.dump(kept, out)
    with pytest.raises(DataError, match=r"bomb.model is no model that `cellbench run --save-models` wrote"):
        models.load(file)
    assert not mark.exists()
    torch.load(file, weights_only=False) if by_torch else pickle.loads(file.read_bytes())
    assert mark.is_dir()  # it would have been


def test_what_is_no_model_is_told_in_a_line(saved, tmp_path):
    *_, path = saved("svm-hog")
    kept = torch.load(path, weights_only=True)

    def refusal(content):
        torch.save(content, tmp_path / "other.model")
        with pytest.raises(DataError) as caught:
            models.load(tmp_path / "other.model")
        return str(caught.value).replace(str(tmp_path), "")

    assert refusal({"weight": torch.zeros(2)}).endswith("wrote: it holds something else")
    assert "/other.model is in model format 2, written by cellbench 9.0; this is" in refusal(
        {**kept, "format_version": 2, "version": "9.0"}
    )
    del kept["classes"], kept["state"]
    assert refusal(kept).endswith("wrote: classes, state is missing")
    (tmp_path / "other.model").write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="it is damaged, or no file of tensors and numbers alone"):
        models.load(tmp_path / "other.model")


def test_a_path_without_a_model_gets_a_hint_where_one_is(saved):
    *_, path = saved("svm-hog")
    with pytest.raises(UsageError, match=r"there is no model .*svn-hog.model; did you mean '.*svm-hog.model'\?"):
        models.load(path.with_name("svn-hog.model"))
    with pytest.raises(UsageError, match=r"kept is a folder; give one model, such as .*svm-hog.model"):
        models.load(path.parent)
    with pytest.raises(UsageError, match="`cellbench run --save-models` writes them"):
        models.load(path.parent / "elsewhere" / "x.model")


def test_a_model_of_a_net_that_is_another_by_now_is_refused_in_a_line(saved):
    *_, path = saved("mlp")
    model = models.load(path)
    layer = next(iter(model.state["net"]))
    broken = dataclasses.replace(model, state={**model.state, "net": {layer: torch.zeros(1)}})
    with pytest.raises(DataError, match=r"^mlp of cellbench .*, revision 2, cannot be restored by cellbench"):
        models.restore(broken, "cpu")
    with pytest.raises(DataError, match="cannot be restored by"):
        models.restore(dataclasses.replace(model, params={"unheard_of": 1}), "cpu")
    with pytest.raises(UsageError, match="no method is called 'mpl'; did you mean 'mlp'"):
        models.restore(dataclasses.replace(model, method="mpl"), "cpu")


def test_no_folder_of_the_user_is_in_a_model_that_started_from_a_file_of_weights(saved, tmp_path):
    *_, path = saved("mlp")
    *_, second = saved("mlp", f"weights={path}")
    assert models.load(second).params["weights"].startswith(f"{path.name} ")
    assert str(tmp_path).encode() not in second.read_bytes()


@pytest.fixture
def trained_file(saved):
    return saved("cnn")[3]


TAMPERED = {
    "format_version": [None, "1", 2],
    "method": [5, None, ["cnn"]],
    "params": [None, [], "x"],
    "classes": [[], ["a"], "ab", [1, 2, 3], None],
    "channels": [[], "x", None],
    "height": [0, -1, "8", 2.5],
    "dtype": ["object", 8],
    "measured": [5, "x", [1, 2], [torch.zeros(3)]],
    "preprocessing": [{"no": 1}, [], {"size": "x"}],
    "thresholds": ["x", None],
    "state": [None, [], {}, {"net": 5}, "x"],
    "metrics": [5, {"val": 1}],
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_model_that_was_changed_is_refused_as_no_model(trained_file, tmp_path, name):
    kept = torch.load(trained_file, weights_only=True)
    for value in TAMPERED[name]:
        torch.save({**kept, name: value}, tmp_path / "changed.model")
        with pytest.raises((DataError, UsageError)) as refused:
            models.restore(models.load(tmp_path / "changed.model"), "cpu")
        assert "\n" not in str(refused.value)


def test_a_model_with_other_bytes_or_cut_short_is_no_model(trained_file, tmp_path):
    whole = trained_file.read_bytes()
    for seed in range(40):
        damaged_by(random.Random(seed), whole, seed, tmp_path)


def damaged_by(rng, whole, seed, tmp_path):
    changed = bytearray(whole if seed % 2 else whole[: rng.randrange(len(whole))])
    for _ in range(20 if seed % 2 else 0):
        changed[rng.randrange(len(changed))] ^= 255
    (tmp_path / "changed.model").write_bytes(changed)
    with contextlib.suppress(DataError, UsageError):
        models.restore(models.load(tmp_path / "changed.model"), "cpu")


def test_a_model_that_has_no_room_leaves_its_record(tmp_path, monkeypatch):
    def full(path, model):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(models, "save", full)
    (job,) = make_plan(["svm-flat"], [cache.prepare("toy", lambda scratch: rings())])
    record, predictions = execute(job, model=tmp_path / "m.model")
    assert record.status == "ok"
    assert record.facts["model_not_saved"] == "No space left on device"
    assert predictions
    assert outcome(record).endswith("; its model was not saved: No space left on device")


FULL = """
import resource, sys
from pathlib import Path
import torch
from cellbench.deep.training import checkpoints
from cellbench.core.records.store import write_whole
from cellbench.core.tensors import save_tensors
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
large, folder = {"a": torch.zeros(100_000)}, Path(sys.argv[1])
for write in (lambda: checkpoints.save(folder / "c", large),
              lambda: write_whole(folder / "m", lambda file: save_tensors(large, file))):
    try:
        write()
    except OSError as error:
        print(error.strerror)
"""


def test_a_checkpoint_or_model_that_does_not_fit_leaves_no_part(tmp_path):
    out = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True).stdout
    assert out.splitlines() == ["File too large"] * 2
    assert not list(tmp_path.iterdir())
