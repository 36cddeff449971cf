"""What README and docs/results.md say in words is what the shipped records show."""

import json
import subprocess
from pathlib import Path

import pytest

import cellbench
from cellbench.results.certainty import compare_rows
from cellbench.results.rows.contest import contests
from cellbench.results.rows.settings import with_settings

ROOT = Path(__file__).parent.parent
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
RESULTS = " ".join((ROOT / "docs" / "results.md").read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def records():
    listed = subprocess.run(["git", "status", "--short", "results"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode or listed.stdout:
        pytest.skip("no git checkout, or records that are not shipped lie in results/")
    return cellbench.load_results(ROOT / "results")


@pytest.fixture(scope="module")
def rows(records):
    """A function that gives the rows of methods with their default settings, by method, on some images."""

    def of(*conditions):
        found = records.select("default")[0].where(["dataset=hep2", *conditions])
        return {row.method: row for row in with_settings(found) if not row["limit"]}

    return of


def test_an_svm_does_on_the_official_split(rows, records):
    assert (
        "**An SVM does**, where the split is the official one: on hand-made features it is not shown to differ"
        in README
    )
    found = rows("split=official")
    svm, net = found["svm-combined"], found["fastnet"]
    longer = records.where(["dataset=hep2", "split=official", "method=resnet18", "epochs=60"])
    assert net.value("accuracy", "test") == max(
        row.value("accuracy", "test") for row in found.values() if row.family == "deep"
    )
    for other in (net, *longer):
        interval = compare_rows(svm, other, "accuracy").interval
        assert interval.low < 0 < interval.high
    assert "which takes several times as long to train" in README
    assert net.train_seconds > 3 * svm.train_seconds
    assert net["machine"] == svm["machine"]
    assert "on HOG alone, is more than ten points behind both" in README
    assert (
        found["svm-hog"].value("accuracy", "test")
        < min(svm.value("accuracy", "test"), net.value("accuracy", "test")) - 0.1
    )


def test_where_neighbours_are_kept_together_nothing_is_shown(rows, records):
    assert "all methods lose more than ten points" not in README
    official, apart = rows("split=official"), rows("split=id-block")
    assert "neither SVM nor probe differs from the best, a net, and all three are more than ten points below" in README
    for contest in contests(list(apart.values())):
        for one in contest.entrants:
            if one.family.contender:
                fall = official[one.row.method].value("accuracy", "test") - one.row.value("accuracy", "test")
                assert fall > 0.1
                if one is not contest.leader:
                    assert one.differences["accuracy"].shown is False
        assert contest.leader.family.name == "deep"


def test_with_few_labelled_cells_the_small_net_is_ahead(records):
    said = "**With 100 labelled cells the small net is ahead** of the SVM by some five points, over three seeds"
    assert said in README
    found = {row.method: row for row in records.where(["dataset=hep2", "split=official", "limit=100"])}
    interval = compare_rows(found["svm-combined"], found["fastnet"], "accuracy").interval
    assert 0 < interval.low < interval.high < 0.1
    difference = found["fastnet"].value("accuracy", "test") - found["svm-combined"].value("accuracy", "test")
    assert 0.045 < difference < 0.06
    assert list(found["fastnet"]["seeds"]) == [0, 1, 2]


def test_no_figure_of_a_gpu_is_among_the_records_and_all_machines_have_two_cores(records):
    assert "No GPU figure has been measured yet." in README
    assert set(records.frame["device"]) == {"cpu"}
    assert "Machines with two cores made all records" in README
    assert set(records.frame["threads"]) == {2}


def test_the_leak_that_is_told_of_is_the_one_that_inspect_found():
    found = json.loads((ROOT / "docs" / "hep2-inspect.json").read_text(encoding="utf-8"))
    figures = {check["check"]: check["figures"] for check in found["checks"]}
    images = found["facts"]["parts"]["test"]
    assert (
        f"finds that {figures['exact-duplicates']['test']} of the {images:,} test images are in train or val" in RESULTS
    )
    assert f"up to about {round(figures['order']['reach'], -1)} numbers apart" in RESULTS
