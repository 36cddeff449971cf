"""Suites as data: what is read, what is refused, and that the files say what the studies say."""

import shlex
import tomllib

import pytest

from cellbench.core import suites
from cellbench.core.errors import UsageError

SMALL = """
title = "t"
source = "s"
dataset = "hep2"
limits = [10, "all"]
set = { epochs = 3, weights = "none" }

[[entries]]
id = "a"
label = "A"
method = "cnn"
claimed = { test_accuracy = 0.5, where = "p. 1" }

[[entries]]
id = "b"
label = "B"
method = "svm-hog"
limit = 5
set = { C = [1, 2] }
"""


def edited(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new)


def test_a_file_becomes_a_suite_with_its_defaults():
    suite = suites.parse("small", SMALL)
    assert (suite.name, suite.split, suite.seeds, suite.limits) == ("small", "official", (0,), (10, None))
    assert suite.set == {"epochs": 3, "weights": None}  # as --set reads 'none'
    a, b = suite.entries
    assert a.claimed == suites.Figures(values={"test_accuracy": 0.5}, where="p. 1")
    assert (b.set, b.claimed, suite.limits_of(a), suite.limits_of(b)) == ({"C": (1, 2)}, None, (10, None), (5,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (edited("limits", "limit"), "suite 'small': unknown key 'limit'; did you mean 'limits'"),
        (edited('method = "cnn"', 'methd = "cnn"'), "entry 'a': unknown key 'methd'; did you mean 'method'"),
        (edited('label = "A"', ""), "suite 'small', entry 'a': label is missing"),
        (edited('id = "b"', 'id = "a"'), "two entries called 'a'"),
        (edited("test_accuracy", "test_acuracy"), "entry 'a', claimed: unknown figure 'test_acuracy'; did you mean"),
        (edited("0.5", "50"), "test_accuracy is 50; give a share from 0 to 1"),
        (edited('where = "p. 1"', 'were = "p. 1"'), "claimed: unknown figure 'were'"),
        (edited(', where = "p. 1"', ""), "entry 'a', claimed: where is missing"),
        ("title =", "suite 'small' is no TOML: "),
    ],
)
def test_a_slip_in_a_file_is_refused_and_its_place_named(text, message):
    with pytest.raises(UsageError, match="suite 'small'") as error:
        suites.parse("small", text)
    assert message in str(error.value)


def test_suites_are_chosen_by_name_and_glob_and_a_miss_gets_a_suggestion():
    assert [suite.name for suite in suites.select(["yeast*", "yeast"])] == ["yeast", "yeast-fair"]
    with pytest.raises(UsageError, match="no suite is called 'yest'; did you mean 'yeast'"):
        suites.select(["yest"])


def test_entries_are_chosen_by_id_or_method():
    suite = suites.parse("small", SMALL)

    def ids(*arguments):
        return [entry.id for _, entries in suites.choose([suite], *arguments) for entry in entries]

    assert (ids(), ids(["b"]), ids(["cn*"]), ids([], ["svm-*"])) == (["a", "b"], ["b"], ["a"], ["a"])
    with pytest.raises(UsageError, match="no entry or method of small matches 'svm-hg'; did you mean 'svm-hog'"):
        ids(["svm-hg"])
    with pytest.raises(UsageError, match="leaves nothing of small"):
        ids([], ["*"])


def test_figures_are_told_with_the_digits_that_they_were_given_with():
    figures = suites.Figures(
        values={"private_macro_f1": 0.52864, "train_seconds": 34080, "fit_seconds": 188},
        where="table 2",
        device="CPU",
        quoted=True,
    )
    assert suites.figures_text(figures) == (
        "private macro-F1 52.864 %, training time 568 min, fit 188 s (CPU); table 2, quoted"
    )


def test_every_file_of_the_package_is_a_suite_of_its_name():
    assert suites.names() == [
        "depth",
        "features",
        "hep2-alexnet",
        "hep2-own",
        "hpa10-inception",
        "hpa10-resnet",
        "hpa28-bninception",
        "label-budget",
        "yeast",
        "yeast-fair",
    ]
    for name in suites.names():
        assert suites.load(name).entries, name
        tomllib.loads((suites.FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def test_a_suite_in_a_file_is_asked_for_by_its_file(tmp_path):
    file = tmp_path / "my cells.toml"
    entries = "[[entries]]\nid = 'flat'\nlabel = 'flat'\nmethod = 'svm-flat'\n"
    file.write_text("title = 'mine'\nsource = 'me'\ndataset = 'hep2'\n" + entries)
    (suite,) = suites.select([str(file)])
    assert (suite.name, shlex.split(suite.argument)) == ("my cells", [str(file)])
    assert suites.load("depth").argument == "depth"
    file.write_text("file = 'other.toml'\n" + file.read_text())
    with pytest.raises(UsageError, match="has no key 'file'"):
        suites.load(str(file))


# Read off the studies themselves: suite, entry, figures as the source prints them.
PRINTED = {
    ("yeast", "svm"): {"train_accuracy": 83, "val_accuracy": 80, "test_accuracy": 82, "train_seconds": 568 * 60},
    ("yeast", "cnn2"): {"train_accuracy": 56, "val_accuracy": 53, "test_accuracy": 52, "train_seconds": 15 * 60},
    ("yeast", "vgg"): {"train_accuracy": 90, "val_accuracy": 85, "test_accuracy": 86, "train_seconds": 120 * 60},
    ("yeast", "resnet18"): {"train_accuracy": 93, "val_accuracy": 87, "test_accuracy": 86, "train_seconds": 50 * 60},
    ("yeast", "resnet18-scratch"): {"accuracy": 75},
    ("yeast", "svm-5000"): {"accuracy": 49.1, "fit_seconds": 188, "predict_seconds": 283},
    ("yeast", "svm-10000"): {"accuracy": 53.7, "fit_seconds": 614},
    ("yeast", "svm-30000"): {"accuracy": 60.1, "fit_seconds": 4377},
    ("yeast", "svm-65000"): {"accuracy": 82.7, "fit_seconds": 568 * 60, "predict_seconds": 67 * 60},
    ("hep2-alexnet", "alexnet"): {"test_accuracy": 92},
    ("hpa10-resnet", "random-mask"): {"val_sample_averaged_f1": 60},
    ("hpa10-resnet", "train-test-split"): {"val_sample_averaged_f1": 50},
    ("hpa28-bninception", "model1"): {"public_macro_f1": 50.1, "private_macro_f1": 47.9},
    ("hpa28-bninception", "model2"): {"public_macro_f1": 9.1, "private_macro_f1": 7.5},
    ("hpa28-bninception", "original"): {"public_macro_f1": 53, "private_macro_f1": 49.2},
    ("hpa28-bninception", "copied"): {"public_macro_f1": 52.864, "private_macro_f1": 49.9},
    ("hpa28-bninception", "deleted"): {"public_macro_f1": 50.7, "private_macro_f1": 47.85},
    ("hpa28-bninception", "final"): {"public_macro_f1": 52.868, "private_macro_f1": 49.9},
    **{
        ("hpa28-bninception", f"threshold-{threshold}"): {"private_macro_f1": figure}
        for threshold, figure in (
            ("0.1", 47.1),
            ("0.15", 49.24),
            ("0.2", 48.95),
            ("0.25", 48.25),
            ("0.35", 46.4),
            ("0.45", 44.2),
            ("0-25-0.2", 49.39),
            ("0-25-0.25", 49.418),
            ("0-25-0.35", 49.425),
            ("0-25-0.4", 49.212),
        )
    },
}


def test_claimed_figures_are_those_that_the_studies_print_and_there_are_no_others():
    claimed = {
        (suite.name, entry.id): {
            name: value if name in suites.TIMES else pytest.approx(100 * value)
            for name, value in entry.claimed.values.items()
        }
        for suite in suites.select(["*"])
        for entry in suite.entries
        if entry.claimed
    }
    assert claimed == PRINTED


def test_studies_ask_for_as_many_epochs_as_their_sources_had():
    for name in ("yeast", "hep2-alexnet", "hpa10-inception"):
        suite = suites.load(name)
        assert suite.protocol
        for entry in suite.entries:
            asked = suite.protocol.epochs_of(entry.method)
            assert not asked or {**suite.set, **entry.set}["epochs"] == asked, entry.id


def test_epochs_of_a_protocol_are_of_all_methods_or_of_those_that_are_named():
    assert suites.Protocol(where="p. 1", epochs=40).epochs_of("cnn") == 40
    named = suites.Protocol(where="p. 1", epochs={"cnn": 9})
    assert (named.epochs_of("cnn"), named.epochs_of("vgg16")) == (9, 0)
    assert suites.Protocol(where="p. 1", images=500).epochs_of("cnn") == 0
    assert str(suites.Protocol(where="p. 1", epochs={"cnn": 9, "mlp": 1}, images=65000)) == (
        "9 epochs (cnn), 1 epoch (mlp), 65,000 images; p. 1"
    )
    with pytest.raises(UsageError, match="where is missing"):
        suites.Protocol(epochs=40)


def test_published_errors_of_plain_and_residual_nets_are_those_of_the_paper():
    entries = {entry.id: entry.published for entry in suites.load("depth").entries if entry.published}
    errors = {
        name: [round(100 * (1 - figures.values[part]), 2) for part in ("test_accuracy", "train_accuracy")]
        for name, figures in entries.items()
    }
    assert errors == {
        "plain20": [9.30, 1.12],
        "plain56": [12.03, 3.75],
        "resnet20": [8.07, 0.61],
        "resnet56": [6.92, 0.06],
    }
    assert all(figures.quoted and figures.on == "CIFAR-10" for figures in entries.values())
