"""Intervals and ties of rows, from the predictions beside their records."""

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import f1_score

from cellbench import load_results
from cellbench.reporting.tables.by_view import tables
from cellbench.reporting.tables.table import Column, Table, render
from cellbench.results import certainty, runs
from cellbench.results.contest import Difference
from cellbench.results.statistics import comparisons, intervals

from ..reporting.made_records import STEADY, joint_p, judged, scores


@pytest.fixture
def board(results):
    """Rows of the leaderboard by method, of some records."""

    def show(*records):
        (table,) = tables(load_results(results(*records)), "leaderboard")
        return {row["method"]: row for row in table.rows}, table

    return show


def test_the_interval_of_a_row_is_that_of_its_predictions(board):
    record, told = judged("cnn", 0.8)
    rows, _ = board((record, told))
    span = intervals.interval(told["test_labels"], told["test_scores"].argmax(1), "macro_f1")
    assert (rows["cnn"]["test_macro_f1_low"], rows["cnn"]["test_macro_f1_high"]) == (span.low, span.high)
    assert (rows["cnn"]["interval_over"], rows["cnn"]["interval_n"]) == ("test images", 600)


def test_without_predictions_and_with_two_seeds_there_is_no_interval(board, record):
    rows, table = board(record("cnn"), record("cnn", seed=1, shift=0.01))
    assert rows["cnn"]["test_accuracy_low"] is rows["cnn"]["interval_over"] is rows["cnn"]["tied"] is None
    assert "95 %" not in render([table], "text")


def test_of_three_seeds_the_interval_is_over_images_and_seeds_or_without_predictions_over_seeds(board, record):
    alike = [judged("cnn", 0.8, seed, seed=seed) for seed in range(3)]
    assert board(*alike)[0]["cnn"]["interval_over"] == "test images and seeds"
    spread = [record("mlp", seed=seed, shift=0.02 * seed) for seed in range(3)]
    rows, _ = board(*spread)
    assert (rows["mlp"]["interval_over"], rows["mlp"]["interval_n"]) == ("seeds", 3)
    half = (rows["mlp"]["test_accuracy_high"] - rows["mlp"]["test_accuracy_low"]) / 2
    assert half == pytest.approx(4.302653 * 0.02 / np.sqrt(3))


def test_groups_that_were_kept_are_drawn_and_classes_with_few_are_named(board):
    record, told = judged("cnn", 0.8, groups=8)
    assert board((record, told))[0]["cnn"]["interval_over"] == "groups within class"
    few = np.where(told["test_labels"] == 5, 0, told["test_groups"] + 1)
    rows, _ = board((record, {**told, "test_groups": few}))
    assert rows["cnn"]["interval_over"] == "groups within class (Golgi: cells, all from these wells)"


def test_with_few_test_images_of_a_class_macro_f1_has_no_interval_and_it_is_said_why(board):
    def rare(method, share, *told, **changes):
        record, kept = judged(method, share, *told, **changes)
        keep = np.flatnonzero((kept["test_labels"] != 5) | (np.arange(600) < 24))  # four of Golgi
        return record, {name: values[keep] for name, values in kept.items()}

    rows, table = board(
        rare("svm-hog", 0.9, 1), rare("svm-flat", 0.6, 2), *(rare("cnn", 0.8, s, seed=s) for s in range(3))
    )
    for row in rows.values():
        assert row["test_macro_f1_low"] is None
        assert row["test_accuracy_low"] is not None
        assert row["no_interval"] == "4 test images of Golgi"
    assert "No interval of macro-F1: 4 test images of Golgi; 10 of each class are the least that tell." in table.notes
    few, many = rows["svm-flat"], rows["svm-hog"]
    found = certainty.compare_rows(few, many, "macro_f1")
    assert (found.interval, found.test) == (None, "swaps")
    assert found.p < 0.001  # swaps need no interval
    both = certainty.compare_rows(rows["svm-hog"], rows["cnn"], "macro_f1")
    assert (both.interval, both.test) == (None, "swaps, and t over images and seeds")


def test_where_a_class_is_rare_p_is_over_images_and_seeds_together_though_the_interval_is_not_shown(results):
    """Over images p is 0.001, over seeds 0.03; that of a difference which holds for new ones of both is 0.06."""
    truth = np.array([0] * 92 + [1] * 8)
    records = []
    for method, wrong in (("cnn", (9, 10, 14)), ("mlp", (3, 5, 7))):
        for seed, k in enumerate(wrong):
            record, kept = judged(method, 1.0, seed=seed, classes=2, images=100)
            decided = np.where(np.arange(100) < k, 1 - truth, truth)
            records.append((record, {**kept, **scores(decided.tolist(), 2), "test_labels": truth}))
    a, b = load_results(results(*records)).rows
    found = certainty.compare_rows(a, b, "macro_f1")
    alone = certainty.compare_over_images(a, b, "macro_f1")
    f1 = [[f1_score(truth, one.predicted, average="macro") for one in row.predictions] for row in (a, b)]
    over_seeds = scipy.stats.ttest_ind(*f1, equal_var=False).pvalue
    assert found.interval is None
    assert found.p == pytest.approx(joint_p(np.mean(f1[1]) - np.mean(f1[0]), alone.interval, *f1), rel=1e-6)
    assert max(alone.p, over_seeds) < 0.05 < found.p


@pytest.mark.parametrize(
    ("low", "high", "p", "shown"),
    [
        (0.01, 0.05, 0.03, True),
        (-0.01, 0.05, 0.3, False),
        (None, None, 0.05, True),
        (None, None, np.float64(0.051), False),
        (None, None, None, None),
        (-1.0, -1.0, 0.125, False),  # the mid-p of three of three images
        (-1.0, -1.0, 0.03125, True),  # that of five of five
        (0.0, 0.0, 1.0, False),
    ],
)
def test_a_difference_is_shown_by_its_interval_or_by_p_where_that_is_none_or_a_point(low, high, p, shown):
    assert certainty.difference_shown(low, high, p) is shown
    assert Difference(-1.0, low, high, "test images", p).shown is shown


@pytest.mark.parametrize(("images", "shown"), [(1, False), (3, False), (6, True)])
def test_of_three_test_images_no_difference_is_shown(results, images, shown):
    """McNemar's mid-p of n images that one alone has right is 2⁻ⁿ: 0.5, 0.125 and 0.016."""
    records = []
    for method, decided in (("svm-hog", 0), ("svm-flat", 1)):
        record, _ = judged(method, 1.0, classes=2, images=images, facts=STEADY)
        records.append((record, scores([decided] * images, 2)))
    a, b = load_results(results(*records)).rows
    found = certainty.compare_rows(a, b)
    assert found.interval.low == found.interval.high
    assert found.p == pytest.approx(0.5**images)
    assert certainty.difference_shown(found.interval.low, found.interval.high, found.p) is shown


def test_the_interval_of_a_class_says_what_was_drawn_of_it(results):
    record, told = judged("cnn", 0.8, groups=8)
    few = np.where(told["test_labels"] == 5, 0, told["test_groups"] + 1)
    (table,) = tables(load_results(results((record, {**told, "test_groups": few}))), "per-class")
    assert [row["interval_over"] for row in table.rows] == ["groups within class"] * 5 + ["cells, all from these wells"]
    assert "† over cells, all from these wells" in table.notes[0]


def steady(method, *told):
    """A record and predictions of a method that no seed changes."""
    return judged(method, *told, facts=STEADY)


def test_the_best_alone_is_bold_and_marks_show_what_was_not_shown_to_be_worse(board):
    rows, table = board(steady("resnet18", 0.93, 1), steady("vgg11", 0.925, 2), steady("cnn", 0.8, 3))
    assert {name: row["tied"] for name, row in rows.items()} == {"vgg11": True, "resnet18": True, "cnn": False}
    assert [name for name, row in rows.items() if row["best"]] == ["vgg11"]
    assert "Bold: the best in accuracy, vgg11. ≈: not shown to differ from it (5 %, Holm): resnet18." in table.notes
    markdown = render([table], "markdown")
    best = f"**{100 * rows['vgg11']['test_accuracy']:.1f} ± "
    assert [markdown.count(text) for text in (best, "93.0 ± 2.0≈", "≈ ")] == [1, 1, 1]
    assert r"93.0 ± 2.0$\approx$" in render([table], "latex")


def test_rows_of_fewer_than_three_seeds_are_not_compared_and_the_command_for_three_is_there(board):
    rows, table = board(steady("svm-hog", 0.93, 1), judged("cnn", 0.90, 2), *seeds_of("mlp", 0.92))
    assert {name: row["tied"] for name, row in rows.items()} == {"svm-hog": True, "cnn": None, "mlp": True}
    (note,) = [note for note in table.notes if "three seeds" in note]
    assert note == (
        "Fewer than three seeds tell of these trained models, not of their methods: cnn. They are not compared with "
        "the best. Get three with: cellbench run --dataset hep2 --method cnn --device cpu --seeds 0-2"
    )


def seeds_of(method, share):
    return [judged(method, share, 30 + seed, seed=seed) for seed in range(3)]


def test_beside_a_best_row_of_one_seed_nothing_is_compared_and_nothing_bold(board):
    rows, table = board(judged("resnet18", 0.95, 1), steady("svm-hog", 0.6, 2), *seeds_of("mlp", 0.7))
    assert {row["tied"] for row in rows.values()} == {None}
    assert "**" not in render([table], "markdown").partition("\n")[2]
    assert any("No row is compared with the best, which is one of them." in note for note in table.notes)


def test_what_cannot_be_compared_does_not_tie(board, record):
    elsewhere, told = steady("cnn", 0.85, 3)
    other_images = {**told, "test_index": told["test_index"] + 1}
    rows, table = board(steady("resnet18", 0.93, 1), (elsewhere, other_images), judged("svm-hog", 0.7))
    assert rows["cnn"]["tied"] is None
    assert any("every other row that could be compared is worse" in note for note in table.notes)


def test_with_three_seeds_on_both_sides_a_difference_is_judged_over_images_and_seeds(results):
    shaky = [judged("cnn", share, 10 + seed, seed=seed) for seed, share in enumerate((0.95, 0.7, 0.93))]
    steady = [judged("mlp", 0.75, 20 + seed, seed=seed) for seed in range(3)]
    a, b = load_results(results(*shaky, *steady)).rows
    found = certainty.compare_rows(a, b)
    assert (found.test, found.interval.over) == (
        "sign flips, and t over images and seeds",
        "test images and seeds",
    )
    told = [[one.predicted for one in row.predictions] for row in (a, b)]
    images = comparisons.compare(a["runs"][0].predicted().truth, *told)
    seeds = scipy.stats.ttest_ind(*([accuracy(one) for one in row.predictions] for row in (b, a)), equal_var=False)
    assert images.p < 0.001
    assert found.p > 0.05
    assert found.difference == pytest.approx(images.difference)
    over_seeds = seeds.confidence_interval()
    half = np.hypot(images.interval.half_width, (over_seeds.high - over_seeds.low) / 2)
    assert found.interval.half_width == pytest.approx(half, rel=0.01)


def test_an_svm_which_no_seed_changes_is_held_against_all_seeds_of_a_net(results):
    shares = (0.95, 0.7, 0.93)
    shaky = [judged("cnn", share, 10 + seed, seed=seed) for seed, share in enumerate(shares)]
    rows = {row["method"]: row for row in load_results(results(judged("svm-hog", 0.75, 20), *shaky)).rows}
    svm, net = rows["svm-hog"], rows["cnn"]
    found = certainty.compare_rows(svm, net)
    assert (found.test, found.interval.over) == ("sign flips, and t over images and seeds", "test images and seeds")
    over_seeds = scipy.stats.ttest_1samp([accuracy(one) for one in net.predictions], svm["test_accuracy"])
    span = over_seeds.confidence_interval()
    assert found.interval.half_width == pytest.approx((span.high - span.low) / 2, rel=0.1)  # images add little here
    assert found.p == pytest.approx(over_seeds.pvalue, rel=0.1)


def accuracy(one):
    return float((one.predicted == one.truth).mean())


def test_bold_is_what_the_terminal_makes_of_it_and_moves_no_column(results):
    found = tables(load_results(results(steady("resnet18", 0.93, 1), steady("cnn", 0.8, 3))), "leaderboard")
    plain = render(found, "text")
    styled = render(found, "text", bold=lambda text: f"<{text}>")
    assert styled.replace("<", "").replace(">", "") == plain
    assert styled.count("<") == 1
    assert "<93.0 ± 2.0>" in styled
    assert "**93.0 ± 2.0**" in render(found, "markdown")
    assert r"\textbf{93.0 ± 2.0}" in render(found, "latex")


def test_markup_beside_bold_stays_text():
    shown = Table("v", "t", (Column("x", "x", bold=lambda row: True),), ({"x": "a_b|{c}"},))
    assert r"\textbf{a\_b|\{c\}}" in render([shown], "latex")
    assert r"**a\_b\|{c}**" in render([shown], "markdown")


def test_no_more_predictions_are_read_than_a_table_has_time_for(results, monkeypatch):
    opened = []
    read = runs.read_predictions
    monkeypatch.setattr(runs, "read_predictions", lambda path: opened.append(path) or read(path))
    monkeypatch.setattr(certainty, "MOST_FILES", 2)
    (table,) = tables(load_results(results(*(judged(m, 0.8, 3) for m in ("cnn", "mlp", "vgg11")))), "leaderboard")
    assert len(opened) == 2
    assert [row["test_accuracy_low"] is None for row in table.rows] == [False, False, True]
