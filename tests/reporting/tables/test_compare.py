"""Two folders of results against each other."""

import dataclasses
import json
import math
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cellbench import load_results
from cellbench.cli import cli
from cellbench.core.records.store import Store
from cellbench.reporting.tables.comparison import Limits, compare, too_much

from ..findings.scored import scored_several_labels
from ..made_records import STEADY, fitted, judged, make


@pytest.fixture
def folders(tmp_path):
    """Two folders of records, or of pairs of record and predictions, on given machines."""

    def save(before, after, machines=("m", "m")):
        for name, machine, records in zip(("a", "b"), machines, (before, after), strict=True):
            for one in records:
                Store(tmp_path / name, machine).save(*fitted(*one) if isinstance(one, tuple) else (one,))
        return tmp_path / "a", tmp_path / "b"

    return save


@pytest.fixture
def rows(folders):
    """The rows of a comparison by method."""

    def show(*given):
        table = compare(*map(load_results, folders(*given)))
        return {row["method"]: row for row in table.rows}, table

    return show


def timed(method, fit, **changes):
    return make(method, seconds={"fit": fit, "predict": 1.0}, **changes)


def test_the_same_results_are_the_same(rows):
    found, table = rows([judged("cnn", 0.8), make("mlp")], [judged("cnn", 0.8), make("mlp")])
    assert {row["outcome"] for row in found.values()} == {"same"}
    assert (found["cnn"]["score_change"], found["cnn"]["score_change_low"], found["cnn"]["time_ratio"]) == (0, 0, 1)
    assert table.title == "2 rows: 2 same"


def test_accuracy_differs_when_its_paired_interval_leaves_out_zero(rows):
    found, _ = rows(
        [judged(name, 0.8, 1, facts=STEADY) for name in ("cnn", "mlp", "vgg11")],
        [judged(name, share, 2, facts=STEADY) for name, share in (("cnn", 0.7), ("mlp", 0.795), ("vgg11", 0.9))],
    )
    assert {name: row["outcome"] for name, row in found.items()} == {
        "cnn": "less accurate",
        "mlp": "same",
        "vgg11": "more accurate",
    }
    assert found["cnn"]["score_change_high"] < 0
    assert found["mlp"]["score_change_low"] < 0 < found["mlp"]["score_change_high"]
    assert found["cnn"]["interval_over"] == "test images"


def test_without_predictions_any_change_of_accuracy_counts_and_a_note_says_so(rows):
    found, table = rows([make("svm-hog"), make("mlp")], [make("svm-hog", shift=-0.001), make("mlp")])
    assert (found["svm-hog"]["outcome"], found["mlp"]["outcome"]) == ("less accurate", "same")
    assert any("any change counts" in note for note in table.notes)


@pytest.mark.parametrize(("after", "outcome", "code"), [(15, "same", 0), (4, "less accurate", 4)])
def test_where_a_class_is_rare_a_change_without_an_interval_counts_by_its_p(rows, folders, after, outcome, code):
    """Of 16 images with two labels each, classes have 8, 16 and 8: 1 image that differs is chance, 12 are not."""
    records = [scored_several_labels([i < right for i in range(16)]) for right in (16, after)]
    found, table = rows(records[:1], records[1:])
    (row,) = found.values()
    assert (row["score_change_low"], row["outcome"]) == (None, outcome)
    assert row["score_change_p"] == pytest.approx(2 / 2 ** (16 - after))  # all swaps, or the normal tail beyond 13
    assert any("fewer than 10 test images" in note for note in table.notes)
    assert not any("any change counts" in note for note in table.notes)
    assert run(*folders(records[:1], records[1:]), "--fail-on", "accuracy=1%").exit_code == code


def test_one_seed_against_another_on_unchanged_code_fails_no_check(rows, folders):
    """Two trained models of one method, ten points apart over 600 images: the lottery of seeds."""
    before, after = [judged("cnn", 0.8, 1, seed=0)], [judged("cnn", 0.7, 2, seed=1)]
    found, table = rows(before, after)
    assert found["cnn"]["outcome"] == "too few seeds"
    assert found["cnn"]["score_change_high"] < 0
    assert too_much(table.rows, Limits(accuracy=0.01)) == []
    assert any("--fail-on passes over such rows" in note for note in table.notes)
    outcome = run(*folders(before, after), "--fail-on", "accuracy=1%")
    assert outcome.exit_code == 0


def test_three_seeds_that_are_worse_than_three_others_fail(rows):
    found, table = rows(
        [judged("cnn", 0.8, seed, seed=seed) for seed in range(3)],
        [judged("cnn", 0.7, 10 + seed, seed=3 + seed) for seed in range(3)],
    )
    assert found["cnn"]["outcome"] == "less accurate"
    assert len(too_much(table.rows, Limits(accuracy=0.01))) == 1


def test_times_of_one_seed_differ_beyond_ten_percent(rows):
    found, _ = rows(
        [timed("cnn", 100), timed("mlp", 100), timed("vgg11", 100)],
        [timed("cnn", 109), timed("mlp", 111), timed("vgg11", 90)],
    )
    assert {name: row["outcome"] for name, row in found.items()} == {"cnn": "same", "mlp": "slower", "vgg11": "faster"}
    assert (found["mlp"]["time_ratio"], found["mlp"]["time_ratio_low"]) == (pytest.approx(1.11), None)


def test_times_of_three_seeds_differ_when_their_interval_leaves_out_one(rows):
    def seeds(method, *fits):
        return [timed(method, fit, seed=seed) for seed, fit in enumerate(fits)]

    found, _ = rows(
        [*seeds("cnn", 100, 100.5, 99.5), *seeds("mlp", 100, 130, 80)],
        [*seeds("cnn", 104, 104.5, 103.5), *seeds("mlp", 125, 150, 100)],
    )
    assert (found["cnn"]["outcome"], found["mlp"]["outcome"]) == ("slower", "same")
    # logarithms to first order: sd 0.005 of each, four degrees of freedom
    half = 2.776445 * math.sqrt((0.5 / 100) ** 2 / 3 + (0.5 / 104) ** 2 / 3)
    assert found["cnn"]["time_ratio_high"] == pytest.approx(1.04 * math.exp(half), rel=1e-4)


def test_rows_without_a_partner_are_new_or_gone(rows):
    found, _ = rows([make("cnn")], [make("mlp")])
    assert {name: row["outcome"] for name, row in found.items()} == {"cnn": "gone", "mlp": "new"}
    found, _ = rows([make("resnet18", overrides={"lr": 0.2})], [make("resnet18", overrides={"lr": 0.3}, seed=1)])
    assert found["resnet18"]["outcome"] == "gone"


def test_what_failed_since_is_told_with_its_reason(rows):
    failed = make("cnn", status="failed", reason="no memory")
    found, _ = rows([make("cnn"), dataclasses.replace(failed, spec=make("mlp").spec)], [failed, make("mlp")])
    assert (found["cnn"]["outcome"], found["cnn"]["remark"]) == ("no longer ok", "failed: no memory")
    assert found["mlp"]["outcome"] == "now ok"


@pytest.mark.parametrize(("machines", "threads"), [(("m", "n"), (2, 2)), (("m", "m"), (2, 4))])
def test_unlike_machines_are_compared_in_accuracy_alone(rows, machines, threads):
    before, after = (
        timed("cnn", 100, threads=threads[0], shift=-0.1, facts=STEADY),
        timed("cnn", 300, threads=threads[1], facts=STEADY),
    )
    found, table = rows([before], [after], machines)
    assert (found["cnn"]["outcome"], found["cnn"]["time_ratio"]) == ("more accurate", None)
    assert found["cnn"]["machine"] == " / ".join(dict.fromkeys(machines))
    assert any("Times are not compared" in note for note in table.notes)


def test_a_time_with_the_scoring_of_val_is_not_compared_with_one_without(rows):
    older, newer = timed("cnn", 300), timed("cnn", 100)
    older = dataclasses.replace(older, facts={k: v for k, v in older.facts.items() if k != "seeded"})
    found, table = rows([older], [newer])
    assert (found["cnn"]["outcome"], found["cnn"]["time_ratio"]) == ("same", None)
    assert "Times are not compared where only the older record counts the scoring of val as training." in table.notes


@pytest.mark.parametrize("busy", [0, 1])
def test_times_from_a_busy_machine_are_not_compared(rows, busy):
    before, after = (timed("cnn", seconds, others=0.5 if i == busy else 0.05) for i, seconds in enumerate((100, 300)))
    found, table = rows([before], [after])
    assert (found["cnn"]["outcome"], found["cnn"]["time_ratio"]) == ("same", None)
    (note,) = [note for note in table.notes if "not compared" in note]
    assert note.startswith("Times are not compared where other programs had more than a tenth")


def test_rows_of_one_machine_meet_before_those_of_others(folders):
    folders([timed("cnn", 100)], [timed("cnn", 100)], ("m", "m"))
    a, b = folders([], [timed("cnn", 500)], ("m", "a-fast-one"))
    found = compare(load_results(a), load_results(b)).rows
    assert [(row["machine"], row["outcome"]) for row in found] == [("a-fast-one", "new"), ("m", "same")]


def test_limits_are_exceeded_by_rows_that_differ_and_by_more_than_they_say(rows):
    _, table = rows(
        [judged("cnn", 0.8, 1, facts=STEADY), timed("mlp", 100), timed("vgg11", 100), make("svm-hog"), make("alexnet")],
        [
            judged("cnn", 0.7, 2, facts=STEADY),
            timed("mlp", 130),
            timed("vgg11", 50),
            make("svm-hog", status="failed", reason="x"),
        ],
    )
    loss = -100 * next(row["score_change"] for row in table.rows if row["method"] == "cnn")
    here = "hep2, split official, cpu"
    failed = f"svm-hog, {here}: is no longer ok: failed: x"
    assert too_much(table.rows, Limits(0.2, 0.01)) == [
        failed,
        f"cnn, {here}: loses {loss:.1f} points of accuracy",
        f"mlp, {here}: takes 1.30 × the time",
    ]
    assert too_much(table.rows, Limits(time=0.35)) == [failed]
    assert too_much(table.rows, Limits(accuracy=0.5)) == [failed]


def run(*arguments):
    return CliRunner().invoke(cli, ["compare", *map(str, arguments)])


def test_the_command_exits_with_4_when_a_limit_is_exceeded(folders):
    a, b = folders([timed("cnn", 100)], [timed("cnn", 115)])
    assert run(a, b).exit_code == 0
    assert run(a, b, "--fail-on", "20%").exit_code == 0
    failed = run(a, b, "--fail-on", "10%")
    assert failed.exit_code == 4
    assert failed.stderr == ("worse than --fail-on 10% allows: cnn, hep2, split official, cpu: takes 1.15 × the time\n")
    assert run(a, b, "--fail-on", "accuracy=1%").exit_code == 0
    assert run(a, b, "--fail-on", "accuracy=1%", "--fail-on", "time=5%").exit_code == 4
    assert run(b, a, "--fail-on", "10%").exit_code == 0


@pytest.mark.parametrize("limit", ["10", "time=x%", "speed=3%", "-5%"])
def test_a_limit_that_cannot_be_read_is_told_with_what_can(folders, limit):
    outcome = run(*folders([make("cnn")], [make("cnn")]), f"--fail-on={limit}")
    assert outcome.exception.exit_code == 2
    assert str(outcome.exception) == f"--fail-on got {limit!r}; write 10%, time=10% or accuracy=1%"


def test_programs_read_the_rows_as_json(folders):
    (row,) = json.loads(run(*folders([timed("cnn", 100)], [timed("cnn", 50)]), "--format", "json").stdout)
    assert (row["view"], row["outcome"], row["time_ratio"]) == ("compare", "faster", 0.5)
    documented = (Path(__file__).parents[3] / "docs" / "table-json.md").read_text(encoding="utf-8")
    assert row.keys() <= set(re.findall(r"`(\w+)`", documented))
