"""Every suite from end to end on small simulated images, and what is said of suites on the way."""

import importlib.util
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cellbench.cli import cli
from cellbench.core import suites
from cellbench.datasets import datasets
from cellbench.datasets.files import cache
from cellbench.datasets.sources import synthetic_hpa, synthetic_yeast

from ..program import call

pytestmark = pytest.mark.long

# Suites on the same images, and what makes them fit for a test: small images, tame steps, weights that can't be had
# offline left out. Of nets that take a minute each there is one run of each kind: what they differ in is their
# recipe, see tests/running/planning/test_suites.py.
HPA = (
    "random-mask train-test-split one-cycle head-only sgd fitted-thresholds model2 lr-* original copied deleted final "
    "threshold-[ap]* threshold-0-25-*"
)
GROUPS = {
    "yeast": (("yeast", "yeast-fair", "depth", "label-budget"), "synthetic-yeast", "size=32 plain*:lr=0.001", ""),
    # too few images for blocks; of groups of features some, for each kind of method
    "own": (
        ("features", "hep2-own"),
        "synthetic-yeast",
        "size=32",
        "svm net scratch imagenet default forest-texture-intensity boosting-texture-intensity",
    ),
    "hep2": (("hep2-alexnet",), "synthetic-yeast", "size=64", "alexnet svm-head"),
    "hpa": (("hpa10-resnet", "hpa28-bninception"), "synthetic-hpa28", "size=32", HPA),
    "inception": (
        ("hpa10-inception",),
        "synthetic-hpa28",
        "size=80 weights=none",
        "inception one-layer-head simple-cnn",
    ),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A cache with two small data sets, and random weights where torchvision keeps those of ImageNet."""
    import torch
    import torchvision

    base = tmp_path_factory.mktemp("suites")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLBENCH_DATA", str(base / "cache"))
        cells = {part: synthetic_yeast.class_counts(n) for part, n in {"train": 40, "val": 36, "test": 36}.items()}
        cache.prepare(
            datasets["synthetic-yeast"].key, lambda _: synthetic_yeast.simulate_dataset("synthetic-yeast", cells)
        )
        crops = dict.fromkeys(("train", "val", "test"), 4 * len(synthetic_hpa.ATLAS))
        cache.prepare(
            datasets["synthetic-hpa28"].key,
            lambda _: synthetic_hpa.simulate_dataset("synthetic-hpa28", crops, synthetic_hpa.ATLAS),
        )
    folder = base / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    for name in ("resnet18", "alexnet", "mobilenet_v2"):
        url = torchvision.models.get_model_weights(name).DEFAULT.url
        torch.save(torchvision.models.get_model(name).state_dict(), folder / Path(url).name)
    return base


@pytest.fixture(autouse=True)
def _in_home(home, monkeypatch):
    for name, folder in (("CELLBENCH_DATA", "cache"), ("XDG_STATE_HOME", "state"), ("TORCH_HOME", "torch")):
        monkeypatch.setenv(name, str(home / folder))


@pytest.mark.parametrize("group", GROUPS)
def test_every_entry_of_every_suite_runs_and_is_found_by_its_table(group, tmp_path):
    names, data, changes, entries = (part.split() if isinstance(part, str) else part for part in GROUPS[group])
    if group == "inception" and not importlib.util.find_spec("timm"):
        pytest.skip("timm is not installed")
    chosen = [word for name in names for word in ("--suite", name)]
    settings = [word for change in changes for word in ("--set", change)]
    arguments = [*settings, "--limit", "30", "--epochs", "1", "--seeds", "0", "-o", str(tmp_path)]
    out = call("run", *chosen, *(word for entry in entries for word in ("-m", entry)), "-d", *data, *arguments)
    assert out.returncode == 0, out.stdout + out.stderr[-3000:]
    assert f" Next: cellbench table {tmp_path} {' '.join(chosen)}\n" in out.stdout
    for name in names:
        own = suites.load(name).dataset
        assert f"suite {name} is run as a variant: on {data[0]} in place of {own}, {changes[0]}" in out.stderr
    rows = json.loads(CliRunner().invoke(cli, ["table", str(tmp_path), *chosen, "--format", "json"]).stdout)
    measured = [row for row in rows if row["measured"]]
    wanted = {
        (suite.name, e.id)
        for suite, found in suites.choose(map(suites.load, names), entries)
        for e in found
        if not e.limit
    }
    assert wanted <= {(row["suite"], row["entry"]) for row in measured}
    assert all(row["variant"] for row in measured)
    assert {row["status"] for row in measured if not row["entry"].startswith("probe-")} == {"ok"}
    assert {row["status"] for row in measured} <= {"ok", "skipped"}  # a probe where its weights are not installed


def test_all_suites_are_covered_here():
    assert sorted(name for names, *_ in GROUPS.values() for name in names) == suites.names()


def test_a_suite_whose_data_set_is_not_prepared_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path / "cache"))
    out = call("run", "--suite", "hep2-alexnet", "-o", str(tmp_path / "r"))
    assert out.returncode == 2
    assert out.stderr.startswith("cellbench: data set 'hep2' is not prepared; ")
    assert out.stderr.endswith("; or run suite 'hep2-alexnet' on other images: --dataset NAME\n")
    assert out.stderr.count("\n") == 1


@pytest.mark.parametrize("name", suites.names())
def test_every_suite_lists_what_it_would_run_before_its_data_is_there(name, tmp_path, monkeypatch):
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path / "cache"))
    out = call("run", "--suite", name, "--dry-run", "-o", str(tmp_path / "r"))
    assert out.returncode == 0, out.stderr
    suite = suites.load(name)
    for entry in suite.entries:
        assert f"{name}/{entry.id}" in out.stdout
    assert f"for data set '{suite.dataset}': {datasets[suite.dataset].how_to_prepare}\n" in out.stdout
    assert not (tmp_path / "cache").exists()
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--suite", "yest"], "no suite is called 'yest'; did you mean 'yeast'"),
        (["run", "--suite", "yeast", "-m", "svm-yest"], "no entry or method of yeast matches 'svm-yest'; did you mean"),
        (["run", "--suite", "yeast", "--exclude", "smv"], "--exclude 'smv' fits no method, entry or data set; did you"),
        (["run", "--suite", "yeast", "--all"], "--all and --suite choose different runs"),
        (["run", "--suite", "yeast", "-d", "synthetic-yeast", "--set", "lr=1"], "method 'svm-yeast' has no setting"),
        (["run", "--suite", "yeast", "-m", "svm", "--epochs", "1"], "--epochs is for nets, and none was chosen (svm-y"),
        (["list", "suites", "dept"], "no suite is called 'dept'; did you mean 'depth'"),
    ],
)
def test_a_slip_with_suites_gets_one_line(arguments, message):
    out = call(*arguments, *["--dry-run"] * (arguments[0] == "run"))
    assert (out.returncode, out.stderr.count("\n")) == (2, 1)
    assert message in out.stderr


def test_a_plan_names_entries_and_shares_runs_of_equal_settings(tmp_path):
    arguments = ["-d", "synthetic-hpa28", "--limit", "30", "--dry-run", "-o", str(tmp_path)]
    out = call("run", "--suite", "hpa28-bninception", "-m", "lr-*", "-m", "original", "--exclude", "lr-0.3", *arguments)
    assert out.returncode == 0, out.stderr
    assert [line.split()[6] for line in out.stdout.splitlines() if line.startswith("synthetic-hpa28")] == [
        "hpa28-bninception/lr-0.03,",
        "hpa28-bninception/lr-0.003",
    ]


def test_the_list_of_suites_says_what_each_is_and_whether_its_images_are_there():
    out = CliRunner().invoke(cli, ["list", "suites"]).stdout
    lines = {line.split()[0]: line for line in out.splitlines() if line}
    for suite in suites.select(["*"]):
        assert lines[suite.name].split()[1:5] == [str(len(suite.entries)), suite.dataset, "not", "prepared"]
        assert f" {suite.title} " in " ".join(out.split())
    studies = ["hep2-alexnet", "hpa10-inception", "hpa10-resnet", "hpa28-bninception", "yeast"]
    assert [name for name, line in lines.items() if line.endswith(" a study's")] == studies


def test_a_suite_by_name_tells_its_claims_its_assumptions_and_what_is_left_out():
    out = " ".join(CliRunner().invoke(cli, ["list", "suites", "hpa28-bninception"]).stdout.split())
    suite = suites.load("hpa28-bninception")
    assert all(entry.id in out for entry in suite.entries)
    assert "macro-F1 49.425 %" in out
    for item in (*suite.assumed, *suite.not_rebuilt):
        assert item in out


def test_a_view_of_its_own_is_not_for_suites(tmp_path):
    (tmp_path / "r").mkdir()
    outcome = CliRunner().invoke(cli, ["table", str(tmp_path / "r"), "--suite", "yeast", "--view", "depth"])
    assert "--view depth is not for suites" in str(outcome.exception)
