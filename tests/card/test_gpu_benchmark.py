"""The measurement on a card, rehearsed on one that is not there, and the table that is made of its figures."""

import json
import time
from pathlib import Path

import pytest
import sklearn.svm
from click.testing import CliRunner

from cellbench.svm.libraries import rapids

ROOT = Path(__file__).parents[2]


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import gpu

    return gpu


@pytest.fixture
def items(gpu):
    import gpu_items

    return gpu_items


def test_the_rehearsal_measures_everything(gpu, items, tmp_path, monkeypatch):
    """LIBSVM stands in for cuML, which needs a card's driver."""
    monkeypatch.setattr(rapids, "load", lambda: sklearn.svm.SVC)
    done = CliRunner().invoke(gpu.main, ["--tiny", "--pretend", "-o", str(tmp_path / "gpu.json")])
    assert done.exit_code == 0, done.output
    report = json.loads((tmp_path / "gpu.json").read_text())
    assert report["card"] == "pretended card"
    assert list(report["items"]) == list(items.ITEMS)
    for name in items.ITEMS:
        assert report["items"][name]["status"] == "measured", report["items"][name]
        assert report["items"][name]["figures"].keys() == items.ITEMS[name].figures.keys()
    assert min(report["items"][name]["figures"]["runs"] for name in ("yeast-fair", "depth")) >= 2
    with pytest.raises(Exception, match="tiny sizes"):
        gpu.table_of(report)


def test_what_is_not_installed_is_said_to_be_lacking(gpu, items, tmp_path):
    done = CliRunner().invoke(
        gpu.main, ["--tiny", "--pretend", "--only", "cuml-8701", "-o", str(tmp_path / "gpu.json")]
    )
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "gpu.json").read_text())["items"]["cuml-8701"]
    assert found["status"] == "lacking"
    assert "cuML cannot be imported" in found["reason"]


def test_an_item_that_fails_or_takes_too_long_keeps_what_it_found(gpu, items, monkeypatch, pretended):
    def fails(tiny):
        yield "first", 1.0
        raise RuntimeError("the lamp is out")

    def sleeps(tiny):
        yield "first", 2.0
        time.sleep(10)

    found = {}
    for name, measure, seconds in (("fails", fails, 9), ("sleeps", sleeps, 1)):
        monkeypatch.setitem(items.ITEMS, name, items.Item(name, seconds, {}, measure))
        found[name] = gpu._measured(name, True, ends=time.monotonic() + seconds + 0.1)
    assert (found["fails"]["status"], found["fails"]["reason"]) == ("failed", "RuntimeError: the lamp is out")
    assert (found["sleeps"]["status"], found["sleeps"]["reason"]) == ("out of time", "it took longer than 1 s")
    assert [one["figures"]["first"] for one in found.values()] == [1.0, 2.0]
    assert gpu._measured("fails", True, ends=time.monotonic())["status"] == "not reached"


def test_figures_of_nothing_are_written_only_where_it_is_said(gpu):
    done = CliRunner().invoke(gpu.main, ["--tiny", "--pretend"])
    assert done.exit_code == 2
    assert "name a file for their figures with -o" in done.output


def test_all_items_end_within_nine_minutes_or_are_cut_off(gpu, items):
    assert gpu.MINUTES <= 9
    assert sum(item.seconds for item in items.ITEMS.values()) <= 60 * gpu.MINUTES


def test_an_item_may_take_what_earlier_ones_left_but_no_later_ones_share(gpu, items, monkeypatch, tmp_path):
    ends = []
    monkeypatch.setattr(gpu.time, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(
        gpu, "_measured", lambda name, tiny, end: ends.append(end) or {"status": "measured", "reason": ""}
    )
    for name in list(items.ITEMS):
        monkeypatch.delitem(items.ITEMS, name)
    for name, seconds in (("first", 10), ("second", 20), ("third", 30)):
        monkeypatch.setitem(items.ITEMS, name, items.Item(name, seconds, {}, lambda tiny: iter(())))
    arguments = ["--tiny", "--pretend", "--minutes", "2", "-o", str(tmp_path / "gpu.json")]
    assert CliRunner().invoke(gpu.main, arguments).exit_code == 0
    assert ends == [1070.0, 1090.0, 1120.0]


def test_with_too_few_minutes_the_first_items_have_their_time_and_the_last_are_not_reached(gpu):
    """Each of three takes all that it may: of 45 seconds, the first has its 10, the next 20, the last the rest."""
    ends, now, limits, seconds = 1045.0, 1000.0, [], [10.0, 20.0, 30.0]
    for at, own in enumerate(seconds):
        deadline = gpu._deadline(now, own, sum(seconds[at + 1 :]), ends)
        limits.append(deadline - now)
        now = deadline
    assert limits == [10.0, 20.0, 15.0]
    assert gpu._deadline(now, 40.0, 0.0, ends) == ends == now
    assert gpu._deadline(1000.0, 10.0, 50.0, 1120.0) == 1070.0  # time enough: what is left beside that of later ones


def test_the_table_says_what_is_not_measured_and_why(gpu):
    measured = {"status": "measured", "reason": "", "figures": {"bfloat16": 712.345}}
    lacking = {"status": "lacking", "reason": "no cuml here", "figures": {}}
    report = {"card": "H", "torch": "3", "cuda": "14", "items": {"rates": measured, "cuml-8701": lacking}}
    lines = gpu.table_of(report).splitlines()
    assert lines[0] == "On H, torch 3, CUDA 14:"
    assert [line.split("|")[3].strip() for line in lines if "matrices" in line] == [
        "712.35 TFLOP/s",
        "not yet measured",
        "not yet measured",
    ]
    assert any("cuML's fit" in line and "not yet measured (no cuml here)" in line for line in lines)
