"""cellbench inspect: its page, its JSON, its montage and its exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cellbench.cli import cli
from cellbench.core.errors import UsageError
from cellbench.core.records.runs import RunRecord, RunSpec
from cellbench.core.records.store import Store
from cellbench.datasets.audit.best_result import best_result
from cellbench.datasets.audit.shortcuts import BestResult
from cellbench.datasets.toy import rings

CHECKS = [
    *(
        "empty-classes",
        "rare-classes",
        "test-groups",
        "exact-duplicates",
        "conflicting-labels",
        "near-duplicates",
        "groups",
        "order",
    ),
    *("mean-intensity", "image-size", "border"),
]


@pytest.fixture
def noise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Noise in two classes and three parts; nothing in it tells the class."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cellbench.datasets.audit.shortcuts.TREES", 20)
    rng = np.random.default_rng(0)
    for part, n in (("train", 40), ("val", 12), ("test", 12)):
        for name in ("one", "two"):
            (tmp_path / "my cells" / part / name).mkdir(parents=True)
            for i in range(n):
                image = Image.fromarray(rng.integers(0, 200, (16, 16), np.uint8))
                image.save(tmp_path / "my cells" / part / name / f"{i}.png")
    return tmp_path / "my cells"


@pytest.fixture
def leaky(noise: Path) -> Path:
    (noise / "test" / "one" / "3.png").write_bytes((noise / "train" / "one" / "5.png").read_bytes())
    return noise


def call(*arguments: object):
    return CliRunner().invoke(cli, ["inspect", *map(str, arguments)])


def test_the_page_shows_counts_intensities_and_what_each_check_says(noise: Path):
    out = call(noise)
    assert out.exit_code == 0, out.output
    lines = out.stdout.splitlines()
    assert lines[0].startswith("folder:my cells, split given, content ")
    assert lines[1] == "128 images of 16×16 px, uint8, 1 channel"
    assert ["one", "40", "12", "12", "64"] in [line.split() for line in lines]
    assert ["all", "80", "24", "24", "128"] in [line.split() for line in lines]
    assert "✓ No image is in two parts." in lines
    assert "– Image size: all images are 16×16 px." in lines
    assert lines[-3:] == ["Montage: my-cells-montage.png", "", "Nothing found."]
    assert max(map(len, lines)) <= 100
    assert Image.open("my-cells-montage.png").size[0] > 1200


def test_json_is_all_there_is_on_stdout(leaky: Path, tmp_path: Path):
    out = call(leaky, "--format", "json", "-o", tmp_path / "look.png")
    document = json.loads(out.stdout)
    assert document["schema_version"] == 1
    assert (document["dataset"], document["split"]) == ("folder:my cells", "given")
    assert document["found"] == ["exact-duplicates"]
    assert [check["check"] for check in document["checks"]] == CHECKS
    assert document["checks"][3]["figures"]["test"] == 1
    assert document["facts"]["counts"]["val"] == {"one": 12, "two": 12}
    assert document["montage"] == str(tmp_path / "look.png")
    assert (tmp_path / "look.png").is_file()


def test_strict_exits_4_when_something_is_found_and_0_otherwise(noise: Path):
    assert call(noise, "--strict", "--no-montage").exit_code == 0
    (noise / "test" / "one" / "3.png").write_bytes((noise / "train" / "one" / "5.png").read_bytes())
    assert call(noise, "--no-montage").exit_code == 0
    out = call(noise, "--strict", "--no-montage")
    assert out.exit_code == 4
    assert "! 1 of 24 test images are in train or val as well, pixel by pixel" in out.stdout
    assert out.stdout.endswith("1 found: exact-duplicates.\n")
    assert list(Path().glob("*.png")) == []


def test_sizes_that_were_lost_by_resizing_are_read_again(noise: Path):
    rng = np.random.default_rng(1)
    for part in ("train", "val", "test"):
        for path in (noise / part / "two").iterdir():
            Image.fromarray(rng.integers(0, 200, (20, 18), np.uint8)).save(path)
    document = json.loads(call(noise, "--format", "json", "--no-montage").stdout)
    size = document["checks"][CHECKS.index("image-size")]
    assert (size["status"], size["figures"]["value"]) == ("found", 1)


def test_shortcuts_are_compared_with_the_best_method_of_the_same_content_and_split(noise: Path, tmp_path: Path):
    document = json.loads(call(noise, "--format", "json", "--no-montage").stdout)
    assert document["checks"][-1]["figures"]["limit"] == 0.75
    store = Store(tmp_path / "results", "machine")
    for method, figure, limit, content in (
        ("svm-hog", 0.7, None, document["fingerprint"]),
        ("cnn", 0.9, None, document["fingerprint"]),
        ("resnet18", 0.95, 50, document["fingerprint"]),
        ("mlp", 0.99, None, "other content"),
    ):
        spec = RunSpec("folder:my cells", content, "given", {}, method, 1, {}, limit=limit)
        store.save(RunRecord(spec, "ok", metrics={"test": {"balanced_accuracy": figure, "n": 24}}))
    beside = json.loads(call(noise, "--format", "json", "--no-montage", "--results", tmp_path / "results").stdout)
    border = beside["checks"][CHECKS.index("border")]["figures"]
    assert border["best"] == "cnn"
    assert border["limit"] == pytest.approx(0.5 + 0.8 * 0.4)
    by_default = json.loads(call(noise, "--format", "json", "--no-montage").stdout)  # `results` lies here
    assert by_default == beside
    out = call(noise, "--no-montage", "--results", noise)
    assert "no full-data result on folder:my cells, split given" in out.stderr


def test_of_several_labels_the_best_method_is_the_one_with_the_largest_mean_average_precision(tmp_path: Path):
    data = rings(n=40, multilabel=True)
    store = Store(tmp_path, "machine")
    for method, figure in (("svm-hog", 0.7), ("cnn", 0.8)):
        spec = RunSpec(data.name, data.info.fingerprint, data.split.name, {}, method, 1, {})
        store.save(RunRecord(spec, "ok", metrics={"test": {"mean_average_precision": figure, "macro_f1": 0.9}}))
    assert best_result(tmp_path, data, asked=True) == BestResult("cnn", 0.8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hep3"], "did you mean 'hep2'"),
        (["no/such/folder"], "no/such/folder"),
        (["CELLS", "--results", "nowhere"], "nowhere is no folder"),
        (["CELLS", "-o", "no/such/folder/x.png"], "cannot write no/such/folder/x.png"),
    ],
)
def test_bad_input_is_a_usage_or_data_error(noise: Path, arguments: list[str], message: str):
    out = call(*(str(noise) if word == "CELLS" else word for word in arguments))
    assert getattr(out.exception, "exit_code", None) == UsageError.exit_code
    assert message in str(out.exception)


def test_a_montage_that_is_wanted_and_unwanted_is_refused(noise: Path):
    out = call(noise, "-o", "x.png", "--no-montage")
    assert out.exit_code == 2
    assert "contradict" in out.stderr


def test_a_montage_among_the_images_is_refused_before_anything_is_read(noise: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(noise)
    out = call(".")
    assert isinstance(out.exception, UsageError)
    assert "would lie among the images of ." in str(out.exception)
    assert not list(noise.glob("*.png"))


def test_another_split_can_be_inspected(noise: Path):
    out = call(noise, "--no-montage", "--format", "json", "--split", "kfold:5/1")
    assert out.exit_code == 0, out.stderr
    assert json.loads(out.stdout)["split"] == "kfold:5/1"


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from cellbench.cli import cli; cli.main(['inspect', '--help'], standalone_mode=False)\n"
        "print({'torch', 'pandas', 'sklearn', 'numpy', 'rich', 'altair', 'PIL'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip().endswith("set()")


def test_suspect_labels_are_ranked_without_a_verdict(noise: Path, tmp_path: Path):
    pytest.importorskip("cleanlab")
    out = call(noise, "--suspect-labels", "--limit", "40", "-o", "suspects.csv")
    assert out.exit_code == 0, out.output
    lines = out.stdout.splitlines()
    assert lines[0].startswith("folder:my cells, content ")
    assert max(map(len, lines)) <= 80
    assert lines[-2:] == ["All 40: suspects.csv", "Picture of the first: suspects.png"]
    assert len((tmp_path / "suspects.csv").read_text().splitlines()) == 41
    first = (tmp_path / "suspects.csv").read_text().splitlines()[1].split(",")
    assert (noise / first[2]).is_file()
    assert Image.open(tmp_path / "suspects.png").size[0] > 1000


def test_suspect_labels_as_json(noise: Path, tmp_path: Path):
    pytest.importorskip("cleanlab")
    out = call(noise, "--suspect-labels", "--limit", "40", "--format", "json", "--no-montage")
    document = json.loads(out.stdout)
    assert (document["schema_version"], document["judged"], document["picture"]) == (1, 40, None)
    assert len(document["suspects"]) == 40
    assert not (tmp_path / "my-cells-suspects.png").exists()


@pytest.mark.parametrize("option", [["--strict"], ["--split", "stratified"], ["--results", "results"]])
def test_suspect_labels_take_no_option_of_the_audit(noise: Path, option: list[str]):
    out = call(noise, "--suspect-labels", *option)
    assert out.exit_code == 2
    assert f"{option[0]} belongs to the audit" in out.stderr


def test_a_place_where_nothing_can_be_written_is_refused_before_anything_is_read(noise: Path):
    for output, what in (("nowhere/x.csv", "there is no folder nowhere"), (noise / "x.csv", "would lie among the im")):
        error = call(noise, "--suspect-labels", "-o", output).exception
        assert isinstance(error, UsageError)
        assert what in str(error)
