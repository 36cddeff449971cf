"""A stress test of a model: figures by strength against figures computed here, and the file that keeps them."""

import dataclasses
import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from cellbench.core.errors import DataError, UsageError
from cellbench.core.records.stress import read
from cellbench.core.records.stress_answers import read_answers
from cellbench.datasets.files import cache
from cellbench.datasets.toy import rings
from cellbench.running.planning.plan import make_plan, parse_override
from cellbench.running.saved_models import models
from cellbench.running.single_run import execute
from cellbench.running.stress.perturbations import PERTURBATIONS, choose
from cellbench.running.stress.testing import Plan, costs_of, find_models, images_of, stress


@pytest.fixture
def saved(tmp_path):
    """saved(method, settings, …): a run on toy images, and the file of its model."""

    def run(method, *sets, **shape):
        folder = cache.prepare("toy" + "".join(map(str, shape.values())), lambda scratch: rings(**shape))
        (job,) = make_plan([method], [folder], overrides=[parse_override(text) for text in sets])
        path = tmp_path / "kept" / f"{method}.model"
        return execute(job, model=path), cache.read(folder), path

    return run


def test_figures_are_those_of_the_run_at_strength_0_and_of_perturbed_images_beyond(saved):
    (record, _), data, path = saved("svm-flat")
    found = stress(path, Plan(choose(("dimmer", "rotation"))))
    assert [curve.name for curve in found.curves] == ["rotation", "dimmer"]
    assert found.n == len(data.split.test)
    for curve in found.curves:
        assert found.trained == record.metrics["test"]
        assert curve.strengths == (0, *PERTURBATIONS[curve.name].strengths)
        for name in ("accuracy", "macro_f1"):
            assert curve.figures[name][0] == pytest.approx(record.metrics["test"][name])
    # by hand, and by scikit-learn: images of the third strength, dimmer by 40 %, rounded
    model = models.load(path)
    dimmed = np.rint(data.images[data.split.test] * 0.6).astype(np.uint8)
    predicted = models.restore(model, "cpu").predict(model.prepared(dimmed)).argmax(1)
    truth = data.labels[data.split.test]
    figures = found.curves[1].figures
    assert figures["accuracy"][3] == pytest.approx(accuracy_score(truth, predicted))
    assert figures["macro_f1"][3] == pytest.approx(f1_score(truth, predicted, average="macro", zero_division=0))
    assert found.curves[0].seen == {}  # a machine turns no images


def test_cells_that_masks_had_cut_out_stay_on_black(tmp_path):
    data = rings(n=60)
    y, x = np.mgrid[:32, :32] - 15.5
    inside = np.hypot(y, x) < 14
    images = np.where(inside, np.maximum(data.images, 1), 0).astype(np.uint8)
    info = dataclasses.replace(data.info, reading={"masks": True, "side": 32})
    folder = cache.prepare("cut", lambda _: dataclasses.replace(data, images=images, info=info))
    (job,) = make_plan(["svm-flat"], [folder])
    execute(job, model=tmp_path / "svm.model")
    (curve,) = stress(tmp_path / "svm.model", Plan(choose(("offset",)))).curves
    model, test = models.load(tmp_path / "svm.model"), data.split.test
    brighter = np.where(inside, np.rint(images[test] + 0.1 * 255).clip(0, 255), 0).astype(np.uint8)
    predicted = models.restore(model, "cpu").predict(model.prepared(brighter)).argmax(1)
    assert curve.figures["accuracy"][3] == pytest.approx(accuracy_score(data.labels[test], predicted))
    everywhere = np.rint(images[test] + 0.1 * 255).clip(0, 255).astype(np.uint8)
    scores = [models.restore(model, "cpu").predict(model.prepared(each)) for each in (brighter, everywhere)]
    assert np.abs(scores[0] - scores[1]).max() > 0.01


def test_what_a_net_saw_in_training_is_named_and_what_needs_channels_is_left_out(saved):
    _, _, path = saved("mlp", "epochs=1", "batch=16", "size=none", "scale=0", "gain=0.3")
    found = stress(path, Plan(choose(("rotation", "dimmer", "finer-pixels", "bleaching")), limit=9))
    seen = {curve.name: curve.seen for curve in found.curves}
    assert seen == {"rotation": {"rotate": 180}, "dimmer": {"gain": 0.3}, "finer-pixels": {}}
    assert found.left_out == {"bleaching": "needs 2 channels"}
    assert found.n == 9


def test_of_several_labels_macro_f1_is_taken_by_the_thresholds_of_the_run(saved):
    (record, _), _, path = saved("svm-flat", multilabel=True, channels=2)
    (curve,) = stress(path, Plan(choose(("missing-channel",)))).curves
    assert "accuracy" not in curve.figures
    assert curve.figures["macro_f1"][0] == pytest.approx(record.metrics["test"]["macro_f1"])


def test_a_record_is_read_back_and_the_same_test_is_not_done_twice(saved):
    _, _, path = saved("svm-flat")
    plan = Plan(choose(("rotation", "photon-noise")))
    seen = []
    first = stress(path, plan, seen.append)
    assert seen[-1] == images_of(path, dataclasses.replace(plan, force=True)) == 11 * first.n
    assert read(path.with_suffix(".stress")) == first
    assert images_of(path, plan) == 0
    again = stress(path, plan, lambda done: pytest.fail("tested again"))
    assert again == first
    assert stress(path, dataclasses.replace(plan, force=True)) == first  # seeds are fixed
    assert images_of(path, Plan(choose(("defocus",)))) > 0
    path.write_bytes(path.read_bytes() + b"\0")
    assert images_of(path, plan) > 0  # another model


def test_another_perturbation_is_added_to_those_that_were_done(saved):
    _, _, path = saved("svm-flat")
    first = stress(path, Plan(choose(("rotation", "dimmer", "bleaching"))))
    plan = Plan(choose(("defocus", "dimmer")))
    assert images_of(path, plan) == 6 * first.n  # dimmer is there
    both = stress(path, plan)
    assert [curve.name for curve in both.curves] == ["rotation", "defocus", "dimmer"]
    assert [one for one in both.curves if one.name != "defocus"] == list(first.curves)
    assert both.left_out == first.left_out != {}
    alone = stress(path, dataclasses.replace(plan, force=True))
    assert alone == both == read(path.with_suffix(".stress"))


@pytest.mark.parametrize("change", [{"limit": 9}, {"draws": 1}])
def test_a_test_with_other_images_or_draws_is_replaced_only_by_force(saved, change):
    _, _, path = saved("svm-flat")
    whole = stress(path, Plan(choose(("rotation", "dimmer"))))
    other = Plan(choose(("rotation",)), **change)
    for act in (images_of, stress):
        with pytest.raises(UsageError, match=rf"has a test with {whole.n} images and --seed 0, .* --force to replace"):
            act(path, other)
    assert read(path.with_suffix(".stress")) == whole
    replaced = stress(path, dataclasses.replace(other, force=True))
    assert [curve.name for curve in replaced.curves] == ["rotation"]
    assert (replaced.n, replaced.draws) == (change.get("limit", whole.n), change.get("draws", 0))


def test_a_batch_more_or_less_changes_no_figure(saved, monkeypatch):
    _, _, path = saved("svm-flat")
    plan = Plan(choose(("defocus", "photon-noise", "illumination")), force=True)
    whole = stress(path, plan)
    monkeypatch.setattr("cellbench.running.stress.testing.BATCH_PIXELS", 3 * 24 * 24)
    assert stress(path, plan) == whole


def test_an_image_is_drawn_alike_among_few_images_and_among_all(saved):
    _, _, path = saved("svm-flat")
    plan = Plan(choose(("photon-noise",)), force=True)
    every = read_answers(path, stress(path, plan))
    few = read_answers(path, stress(path, dataclasses.replace(plan, limit=9)))
    among = np.searchsorted(every.index, few.index)
    np.testing.assert_array_equal(few.predicted["photon-noise"], every.predicted["photon-noise"][:, among])


def test_curves_that_an_earlier_version_drew_otherwise_are_made_again_and_others_stay(saved):
    _, _, path = saved("svm-flat")
    plan = Plan(choose(("rotation", "photon-noise")))
    whole = stress(path, plan)
    file = path.with_suffix(".stress")
    document = json.loads(file.read_text())
    del document["drawing"]
    file.write_text(json.dumps(document))
    assert read(file).drawing == 1
    assert images_of(path, plan) == 6 * whole.n  # of photon-noise alone
    assert stress(path, plan) == whole


def test_the_answers_beside_a_record_are_those_of_its_figures_or_not_used(saved):
    (_, predictions), data, path = saved("svm-flat")
    found = stress(path, Plan(choose(("rotation", "dimmer"))))
    answers = read_answers(path, found)
    truth = data.labels[data.split.test]
    np.testing.assert_array_equal(answers.truth, truth)
    np.testing.assert_array_equal(answers.index, predictions["test_index"])
    np.testing.assert_array_equal(answers.predicted["rotation"][0], predictions["test_scores"].argmax(1))
    shares = [accuracy_score(truth, one) for one in answers.predicted["dimmer"]]
    assert shares == pytest.approx(found.curves[1].figures["accuracy"])
    other = {**answers.predicted, "dimmer": (answers.predicted["dimmer"] + 1) % 3}
    dataclasses.replace(answers, predicted=other).save(path)
    assert list(read_answers(path, found).predicted) == ["rotation"]
    stress(path, Plan(choose(("defocus",))))  # those that fit are kept
    assert set(read_answers(path, read(path.with_suffix(".stress"))).predicted) == {"rotation", "defocus"}
    for damage in (b"", b"PK\x03\x04", b"no archive"):
        path.with_suffix(".stress.npz").write_bytes(damage)
        assert read_answers(path, found) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "other"}, "not a stress record"),
        ({"schema_version": 2}, "written in format 2"),
        ({"n": "9"}, "n is '9'"),
        ({"n": 0}, "wrong"),
        ({"seed": True}, "seed is True"),
        ({"curves": 3}, "not a whole stress record"),
        ({"extra": 1}, "not a whole stress record"),
        ({"strengths": [0, 2, 1]}, "ascend from 0"),
        ({"strengths": [0, "1"]}, "a list of numbers"),
        ({"figures": {"accuracy": [0.5]}}, "a share from 0 to 1 for each strength"),
        ({"figures": {"accuracy": [57] * 6}}, "a share from 0 to 1 for each strength"),
        ({"figures": {"luck": [0.5] * 6}}, "no metric"),
    ],
)
def test_a_file_that_is_no_whole_record_is_refused_with_the_reason(saved, change, reason):
    _, _, path = saved("svm-flat")
    stress(path, Plan(choose(("rotation",))))
    file = path.with_suffix(".stress")
    document = json.loads(file.read_text())
    target = document["curves"][0] if set(change) & {"strengths", "figures"} else document
    target.update(change)
    file.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=reason):
        read(file)
    assert stress(path, Plan(choose(("rotation",)))) == read(file)  # it is made again


def test_a_damaged_file_is_refused_and_a_missing_one_is_none(tmp_path):
    assert read(tmp_path / "none.stress") is None
    for text in ("{", "[" * 100_000, "[]", '"x"', "1"):
        (tmp_path / "bad.stress").write_text(text)
        with pytest.raises(ValueError):  # noqa: PT011 - each has its own reason
            read(tmp_path / "bad.stress")


def test_models_are_found_and_what_is_none_is_refused(saved, tmp_path):
    _, _, path = saved("svm-flat")
    assert find_models([path, tmp_path]) == [path]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no model in .*--save-models"):
        find_models([tmp_path / "empty"])
    with pytest.raises(UsageError, match="does not exist"):
        find_models([tmp_path / "none"])


def test_a_model_whose_data_are_not_here_is_refused(saved):
    _, _, path = saved("svm-flat")
    model = models.load(path)
    models.save(path, dataclasses.replace(model, fingerprint="0" * 16))
    with pytest.raises(DataError, match="content 00000000, which it learnt from, is not prepared here"):
        images_of(path, Plan(choose()))


def test_a_model_that_cannot_be_tested_is_passed_over_by_name_unless_none_is_left(saved, tmp_path):
    _, _, path = saved("svm-flat")
    strange, broken = path.with_name("strange.model"), path.with_name("broken.model")
    models.save(strange, dataclasses.replace(models.load(path), fingerprint="0" * 16))
    broken.write_text("no model")
    plan, told = Plan(choose(("dimmer",)), limit=9), []
    assert costs_of([broken, strange, path], plan, told.append) == {path: 54}
    named = [line.split(" is ")[0].split(": ")[0] for line in told]
    assert named == [f"passed over {broken}", f"passed over {strange}"]
    with pytest.raises(DataError, match=r"strange\.model: .* is not prepared here"):
        costs_of([broken, strange], plan, told.append)
