"""The plan: every setting resolved, every misspelt one refused."""

import dataclasses
import hashlib
from pathlib import Path

import pytest

from cellbench.core.data import Info
from cellbench.core.errors import DataError, UsageError
from cellbench.core.records.runs import canonical
from cellbench.core.records.store import read_records
from cellbench.datasets.files import cache
from cellbench.datasets.toy import rings
from cellbench.methods import methods
from cellbench.methods.svms.hybrid import DeepFeatureSettings, recipe_for
from cellbench.running.planning.plan import Choice, Override, make_plan, names_of, parse_override, settled


def plan(folder, *names, sets=(), **options):
    return make_plan(names, [folder], overrides=[parse_override(text) for text in sets], **options)


def test_a_plan_is_data_sets_times_seeds_times_methods(toy_folder):
    jobs = plan(toy_folder, "mlp", "cnn", seeds=(0, 1))
    assert [(job.spec.seed, job.spec.method) for job in jobs] == [(0, "mlp"), (0, "cnn"), (1, "mlp"), (1, "cnn")]
    assert len({job.spec.key for job in jobs}) == 4


def test_defaults_are_resolved_into_the_spec(toy_folder):
    (job,) = plan(toy_folder, "resnet18")
    # 1,500 steps of 16 images, 3 an epoch; a quarter of the rate of batches of 64; val is too small to choose by
    of_60_images = {"epochs": 500, "batch": 16, "lr": 0.025, "choose": "last"}
    assert job.spec.params == dict(methods["resnet18"].defaults) | of_60_images
    assert job.spec.preprocessing == {"size": 64}
    assert job.overrides == {}


def test_a_data_sets_suggestion_stands_between_defaults_and_the_users_word(toy_folder, monkeypatch):
    from cellbench.datasets import DatasetEntry, datasets

    entry = DatasetEntry("toy", lambda *_: None, "", "", "", defaults={"epochs": 7, "size": 48, "unknown": 1})
    monkeypatch.setitem(datasets._entries, "toy", entry)
    (suggested,) = plan(toy_folder, "cnn")
    assert (suggested.spec.params["epochs"], suggested.overrides) == (7, {})
    (asked,) = plan(toy_folder, "cnn", sets=["epochs=9"])
    assert (asked.spec.params["epochs"], asked.overrides) == (9, {"epochs": 9})
    (few,) = plan(toy_folder, "cnn", limit=30)  # what suits all images is too little for a few
    assert (few.spec.params["epochs"], few.least_steps, few.spec.preprocessing) == (1500, 1500, {"size": 48})


@pytest.mark.parametrize("method", ["svm-combined", "forest", "boosting"])
def test_where_masks_had_cut_the_cells_out_their_shape_is_learnt_from_by_default(toy_folder, method):
    (of_crops,) = plan(toy_folder, method)
    assert "shape" not in of_crops.spec.params["features"]
    info = Info(reading={"masks": True, "side": 64})
    folder = cache.prepare("cut", lambda _: dataclasses.replace(rings(n=60), info=info))
    (of_cells,) = plan(folder, method)
    assert of_cells.spec.params["features"] == (*of_crops.spec.params["features"], "shape")
    assert of_cells.overrides == {}
    (asked,) = plan(folder, method, sets=["features=texture"])
    assert asked.spec.params["features"] == ("texture",)


def test_a_setting_given_its_default_is_no_change(toy_folder):
    (plain,), (same,) = plan(toy_folder, "svm-hog"), plan(toy_folder, "svm-hog", sets=["C=1.0,10,100"])
    assert same.overrides == {}
    assert same.spec.key == plain.spec.key


@pytest.mark.parametrize(
    ("sets", "rate"),
    [
        (["optimiser=adam"], 1e-3),
        (["optimiser=adamw"], 1e-3),
        (["optimiser=adam", "lr=0.02"], 0.02),
        (["lr=0.02", "optimiser=adam"], 0.02),
        (["optimiser=sgd"], 0.025),
        (["epochs=3"], 0.025),
        (["batch=16"], 0.025),
        (["batch=32"], 0.05),
        (["batch=128"], 0.1),
        (["lr=0.1"], 0.1),
        (["lr=0.1", "batch=16"], 0.1),
        (["lr=auto"], 0.025),
    ],
)
def test_a_rate_that_is_not_given_suits_optimiser_and_batch_and_one_that_is_stays(toy_folder, sets, rate):
    (job,) = plan(toy_folder, "resnet18", sets=sets)
    assert job.spec.params["lr"] == rate
    assert job.overrides.get("lr", 0.025) == rate


@pytest.mark.parametrize(
    ("sets", "rate"), [([], 0.025), (["lr=0.1"], 0.1), (["batch=32"], 0.05), (["batch=16"], 0.025)]
)
def test_deep_features_take_the_same_rate_as_their_net(toy_folder, sets, rate):
    (job,) = plan(toy_folder, "svm-deep", sets=["net=resnet18", *sets])
    assert job.spec.params["lr"] == rate
    assert recipe_for(DeepFeatureSettings(**job.spec.params), n=60).lr == rate


@pytest.mark.parametrize(
    "sets", [[], ["batch=16"], ["lr=0.1"], ["optimiser=adam"], ["batch=8", "optimiser=sgd"], ["epochs=3", "batch=60"]]
)
@pytest.mark.parametrize("method", ["resnet18", "cnn", "svm-deep"])
def test_the_changes_that_a_row_shows_give_the_same_run_again(toy_folder, method, sets):
    (job,) = plan(toy_folder, method, sets=sets)
    (again,) = plan(toy_folder, method, sets=[f"{name}={value}" for name, value in job.overrides.items()])
    assert again.spec.key == job.spec.key


def test_the_optimisers_rate_is_that_of_deep_features_too_and_a_key_is_that_of_the_rate_being_given(toy_folder):
    (implied,) = plan(toy_folder, "svm-deep", sets=["optimiser=adam"])
    (given,) = plan(toy_folder, "svm-deep", sets=["optimiser=adam", "lr=0.001"])
    assert implied.spec.params["lr"] == 1e-3
    assert implied.spec.key == given.spec.key


@pytest.mark.parametrize(
    ("suite", "sets", "rate"),
    [
        ({"optimiser": "adam", "lr": 1e-4}, ["optimiser=adam"], 1e-4),
        ({"optimiser": "adam", "lr": 1e-4}, ["optimiser=adamw"], 1e-3),
        ({"optimiser": "adam", "lr": 1e-4}, ["optimiser=sgd"], 0.025),
        ({"lr": 0.03}, ["optimiser=adam"], 1e-3),
        ({"optimiser": "adam"}, ["optimiser=sgd", "lr=0.03"], 0.03),
    ],
)
def test_a_suites_rate_holds_for_the_suites_optimiser_only(toy_folder, suite, sets, rate):
    (job,) = plan(toy_folder, Choice("resnet18", suite), sets=sets)
    assert job.spec.params["lr"] == rate


def test_a_scoped_setting_reaches_only_the_methods_it_names(toy_folder):
    svm, net = plan(toy_folder, "svm-hog", "cnn", sets=["svm-*:C=3"])
    assert svm.spec.params["C"] == 3
    assert net.overrides == {}


def test_a_method_that_cannot_run_on_a_device_is_planned_where_it_can(toy_folder, monkeypatch):
    monkeypatch.setitem(methods._entries, "svm-hog", dataclasses.replace(methods["svm-hog"], devices=("cpu",)))
    svm, net = plan(toy_folder, "svm-hog", "cnn", device="cuda")
    assert (svm.spec.device, net.spec.device) == ("cpu", "cuda")


def test_a_method_that_no_seed_changes_is_planned_once(toy_folder):
    jobs = plan(toy_folder, "svm-hog", "cnn", seeds=(0, 1, 2))
    assert [(job.spec.method, job.spec.seed) for job in jobs] == [("svm-hog", 0), ("cnn", 0), ("cnn", 1), ("cnn", 2)]


def test_data_named_twice_are_planned_once(toy_folder):
    assert len(make_plan(["cnn"], [toy_folder, toy_folder])) == 1


def test_a_limit_that_limits_nothing_is_none(toy_folder):
    (job,), (limited,) = plan(toy_folder, "cnn", limit=60), plan(toy_folder, "cnn", limit=59)
    assert (job.spec.limit, job.n["train"]) == (None, 60)
    assert (limited.spec.limit, limited.n["train"]) == (59, 59)


@pytest.mark.parametrize(
    ("options", "n", "limits"),
    [
        ({}, (60, 30), (None, None)),
        ({"limit": 20}, (20, 10), (20, 10)),  # half as many of val as of train, as in the whole
        ({"limit": 3}, (3, 3), (3, 3)),  # one of each class at least
        ({"limit": 20, "val_limit": "all"}, (20, 30), (20, None)),
        ({"limit": 20, "val_limit": 6}, (20, 6), (20, 6)),
        ({"val_limit": 6}, (60, 6), (None, 6)),
        ({"val_limit": 30}, (60, 30), (None, None)),
        ({"limit": 60}, (60, 30), (None, None)),
    ],
)
def test_val_is_limited_in_proportion_unless_its_number_is_given(toy_folder, options, n, limits):
    (job,) = plan(toy_folder, "cnn", **options)
    assert (job.n["train"], job.n["val"]) == n
    assert (job.spec.limit, job.spec.val_limit) == limits


def test_a_val_limit_that_empties_a_class_is_refused(toy_folder):
    with pytest.raises(DataError, match="a limit of 2 val images leaves some of 3 classes empty"):
        plan(toy_folder, "cnn", val_limit=2)


@pytest.mark.parametrize(
    ("sets", "budget"),
    [
        ([], (500, 16)),
        (["epochs=auto"], (500, 16)),
        (["epochs=3"], (3, 16)),
        (["batch=60"], (1500, 60)),
        (["epochs=3", "batch=8"], (3, 8)),
    ],
)
@pytest.mark.parametrize("method", ["mlp", "svm-deep", "torchvision:resnet18"])
def test_epochs_and_batch_that_are_left_open_follow_the_number_of_training_images(toy_folder, method, sets, budget):
    (job,) = plan(toy_folder, method, sets=sets)
    assert (job.spec.params["epochs"], job.spec.params["batch"]) == budget


@pytest.mark.parametrize(
    ("sets", "params", "follows"),
    [
        ([], {"kernel": "linear", "C": 10, "optional": ()}, ["optional", "C", "kernel"]),
        (["C=3"], {"kernel": "linear", "C": 3, "optional": ()}, ["optional", "kernel"]),
        (["kernel=rbf"], {"kernel": "rbf", "C": (1, 10, 100), "optional": ("hog",)}, []),
    ],
)
def test_few_images_have_a_linear_machine_unless_its_kernel_is_given(toy_folder, sets, params, follows):
    (job,) = plan(toy_folder, "svm-combined", sets=sets)
    assert job.n["train"] < 200
    assert {name: job.spec.params[name] for name in params} == params
    assert sorted(job.follows) == sorted(follows)


DEFAULTS = [
    record
    for _, _, record, _ in read_records(Path(__file__).parents[3] / "results", lambda *_: None)
    if record.spec.limit is None and not record.overrides
]


@pytest.mark.parametrize("record", DEFAULTS, ids=lambda record: f"{record.spec.method}-{record.spec.key}")
def test_what_reference_results_were_made_with_is_still_the_default(record):
    entry = methods[record.spec.method]
    params, *_ = settled(entry, n=record.facts["n"]["train"])
    assert canonical(vars(params)) == canonical(record.spec.params)


def test_features_of_a_net_have_its_own_budget_and_keep_open_what_is_that_of_many_images(toy_folder):
    of_many, of_fastnet = (settled(methods["svm-deep"], {"net": net}, n=8_701)[0] for net in ("resnet18", "fastnet"))
    assert (of_many.epochs, of_many.batch) == (None, None)
    assert (of_fastnet.epochs, of_fastnet.batch) == (30, None)
    fastnet = settled(methods["fastnet"], n=8_701)[0]
    assert (fastnet.epochs, fastnet.batch) == (30, 64)


@pytest.mark.parametrize(
    ("choice", "sets", "least"),
    [
        ("cnn", [], 1500),
        ("cnn", ["epochs=2"], 1500),
        ("cnn", ["batch=60"], 1500),
        ("cnn", ["batch=60", "epochs=2"], 1500),
        ("cnn", ["batch=8"], 1500),  # 215 epochs of 7 steps would be 1,505
        ("mlp", ["accumulate=3"], 500),  # 500 epochs of 3 batches each make one step
        (Choice("cnn", {"epochs": 4, "batch": 20}), [], 12),
        (Choice("cnn", {"epochs": 4, "batch": 20}), ["epochs=2"], 12),
        ("cnn", ["weights=imagenet"], 0),
        ("svm-hog", [], 0),
        ("svm-deep", ["epochs=2"], 1500),
    ],
)
def test_the_least_number_of_steps_is_that_of_the_settings_without_the_users_epochs(toy_folder, choice, sets, least):
    (job,) = plan(toy_folder, choice, sets=sets)
    assert job.least_steps == least


def test_a_limit_that_empties_a_class_is_refused(toy_folder):
    with pytest.raises(DataError, match="a limit of 2 images leaves some of 3 classes empty"):
        plan(toy_folder, "cnn", limit=2)


def test_preprocessing_is_set_like_anything_else(toy_folder):
    (job,) = plan(toy_folder, "cnn", sets=["size=none"])
    assert job.spec.preprocessing == {}
    assert job.overrides == {"size": None}


@pytest.fixture
def several_folder():
    """The folder of a prepared toy data set of several labels an image."""
    return cache.prepare("several", lambda scratch: dataclasses.replace(rings(multilabel=True), name="several"))


@pytest.mark.parametrize(
    ("value", "settled"), [("global", "global"), ("majority-apart", "majority-apart"), ("0.15", 0.15)]
)
def test_every_method_has_a_rule_of_thresholds_for_several_labels(several_folder, value, settled):
    plain, jobs = (plan(several_folder, "svm-hog", "cnn", sets=sets) for sets in ([], [f"thresholds={value}"]))
    for default, job in zip(plain, jobs, strict=True):
        assert default.spec.decision == {}
        assert job.spec == dataclasses.replace(default.spec, decision={"thresholds": settled})
        assert job.overrides == {"thresholds": settled}


def test_the_default_rule_of_thresholds_is_no_change_and_none_is_part_of_a_run_on_single_labels(
    toy_folder, several_folder
):
    plain, same = (plan(several_folder, "cnn", sets=sets) for sets in ([], ["thresholds=per-class"]))
    assert [job.spec.key for job in plain] == [job.spec.key for job in same]
    assert same[0].overrides == {}
    one, several = make_plan(["cnn"], [toy_folder, several_folder], overrides=[parse_override("cnn:thresholds=0.3")])
    assert (one.spec.decision, one.overrides) == ({}, {})
    assert several.overrides == {"thresholds": 0.3}


def test_thresholds_are_refused_where_every_image_has_one_label(toy_folder):
    message = (
        "^--set thresholds=global: images of toy have one label each, and thresholds are for several; leave it out$"
    )
    with pytest.raises(UsageError, match=message):
        plan(toy_folder, "cnn", sets=["thresholds=global"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thresholds=best", "^thresholds is 'best'; give one of per-class, global, majority-apart, or a prob"),
        (
            "thresholds=0.1,0.2",
            "^thresholds has 2 probabilities and the images have 3 classes; give one for all or one",
        ),
        ("thresholds=15", "^thresholds is 15; give one of"),
        ("treshold=0.1", r"method 'cnn' has no setting 'treshold'; did you mean 'thresholds'\?"),
    ],
)
def test_a_bad_rule_of_thresholds_is_refused_in_one_line(several_folder, text, message):
    with pytest.raises(UsageError, match=message) as error:
        plan(several_folder, "cnn", sets=[text])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epohcs=3", r"method 'cnn' has no setting 'epohcs'; did you mean 'epochs'\?"),
        ("C=3", "method 'cnn' has no setting 'C'"),
        ("resnet*:lr=1", "no chosen method is called 'resnet\\*'"),
        ("lr=nan", "give a finite number"),
        ("lr=-inf", "give a finite number"),
        ("lr=[1, nan]", "finite number"),
        ("lr=fast", "lr is 'fast'; give a number"),
        ("lr", "write key=value"),
        ("=3", "write key=value"),
        ("lr=", "--set got 'lr=', whose value is empty; write key=value"),
        ("cnn:lr= ", "whose value is empty"),
        ("LR=1", r"method 'cnn' has no setting 'LR'; did you mean 'lr'\?"),
        ("crop=200", r"^crop is 200 and images have 32×32 pixels; give at most 32, or none$"),
        ("size=4", "size is 4; give a whole number of pixels from 8"),
    ],
)
def test_a_bad_setting_is_refused_in_one_line(toy_folder, text, message):
    with pytest.raises(UsageError, match=message) as error:
        plan(toy_folder, "cnn", sets=[text])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "override"),
    [
        ("lr=0.5", Override("*", "lr", 0.5)),
        ("svm-*:C=1,10", Override("svm-*", "C", (1, 10))),
        ("C=[1, 10]", Override("*", "C", (1, 10))),
        ("flip=False", Override("*", "flip", False)),
        ("size=none", Override("*", "size", None)),
        ("schedule=cosine", Override("*", "schedule", "cosine")),
    ],
)
def test_values_read_as_people_write_them(text, override):
    assert parse_override(text) == override


@pytest.mark.parametrize("method", [*methods, "torchvision:resnet18"])
def test_no_two_settings_of_a_method_have_one_name(method):
    """`--set` would change both."""
    names = names_of(methods[method])
    assert sorted(names) == sorted(set(names))


def test_weights_from_a_file_are_named_by_what_they_hold_and_not_by_where_they_lie(tmp_path, toy_folder):
    def planned(path):
        return plan(toy_folder, "cnn", sets=[f"weights={path}"])[0]

    first, same, other = (tmp_path / name / "net.pt" for name in ("a", "b", "c"))
    for path, content in ((first, b"x"), (same, b"x"), (other, b"y")):
        path.parent.mkdir()
        path.write_bytes(content)
    named = f"net.pt {hashlib.sha256(b'x').hexdigest()[:12]}"
    job = planned(first)
    assert job.spec.params["weights"] == job.overrides["weights"] == named
    assert job.weights == first
    assert planned(same).spec.key == job.spec.key != planned(other).spec.key
    with pytest.raises(UsageError, match="there is no such file; give 'imagenet' or the path of one"):
        planned(tmp_path / "none.pt")
