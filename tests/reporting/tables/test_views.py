import pytest

from cellbench import load_results
from cellbench.reporting.tables.by_view import tables
from cellbench.reporting.tables.table import render

from ..made_records import of_several_labels


def test_the_leaderboard_is_sorted_by_test_accuracy_and_ends_with_runs_that_failed(view, record):
    failed = record("alexnet", status="failed", reason="x")
    table = view("leaderboard", record("cnn"), record("svm-flat"), failed, record("resnet18"))
    assert [row["method"] for row in table.rows] == ["resnet18", "cnn", "svm-flat", "alexnet"]


def test_simulated_images_are_called_so_in_every_title(results, record):
    root = results(record("cnn", facts={"synthetic": True}))
    assert all("hep2 (simulated)" in table.title for table in tables(load_results(root)))


def test_classes_of_one_size_are_told_as_that_size_and_others_from_smallest_to_largest(results, record):
    def text(*train):
        counts = {"train": list(train), "val": [2, 2], "test": [2, 2]}
        folder = results(record("cnn", facts={"classes": ["a", "b"], "counts": counts}))
        return render(tables(load_results(folder), "leaderboard"), "text")

    assert "; 2 classes of 30 training images each" in text(30, 30)
    assert "; 2 classes of 30 (a) to 31 (b) training images" in text(30, 31)


def test_a_time_from_a_busy_machine_is_told_as_such(view, record):
    records = record("svm-hog", others=0.09), record("resnet18", others=0.234)
    (note,) = [note for note in view("leaderboard", *records).notes if "Other programs" in note]
    assert note == (
        "Other programs had 23 % of the processors while these trained, so these times are too long. Run them again "
        "with --force: resnet18."
    )


def test_times_of_runs_that_shared_the_machine_are_told_as_such(view, record):
    records = record("svm-hog", others=0.01), record("resnet18", others=0.5, facts={"shared": 4})
    (note,) = [note for note in view("leaderboard", *records).notes if "shared" in note]
    assert note == (
        "With --jobs 4 runs at a time shared the machine while these trained, so these times are compared with nothing."
        " Run them again with --force and without --jobs: resnet18."
    )


def test_a_time_from_a_busy_machine_is_on_no_pareto_front_and_keeps_nobody_off(view, record):
    def fronts(**busy):
        rows = view(
            "efficiency", record("svm-hog", **busy), record("resnet18", seconds={"fit": 1e4, "predict": 1e4})
        ).rows
        return {row["method"]: row["pareto"] for row in rows}

    quiet, found = fronts(others=0.05), fronts(others=0.5)
    assert {"training", "predict"} <= set(quiet["svm-hog"])
    assert set(quiet["svm-hog"]) - set(found["svm-hog"]) == {"training", "predict"}
    assert {"training", "predict"} <= set(found["resnet18"])


def test_twins_stand_side_by_side_and_error_is_one_minus_accuracy(view, record):
    nets = ("plain18", "resnet18", "plain34")
    table = view(
        "depth", *(record(name) for name in nets), record("resnet18", seed=5, facts={"pretrained": True}, revision=9)
    )
    rows = [(row["depth"], row["plain"], row["residual"]) for row in table.rows]
    assert rows == [(18, "plain18", "resnet18"), (34, "plain34", None)]
    assert table.rows[0]["plain_train_error"] == pytest.approx(1 - 0.984)
    assert table.rows[0]["residual_test_error"] == pytest.approx(1 - 0.938)
    assert table.rows[1]["residual_train_error"] is None
    assert table.rows[0]["residual_seeds"] == [0]


def test_one_seed_gives_no_verdict_on_degradation(view, record):
    table = view("depth", record("plain18"), record("plain34"))
    assert table.notes[-1] == "Figures, no verdict: that takes two seeds at two depths."


def test_two_seeds_say_how_train_error_moves_with_depth(view, record):
    table = view("depth", *(record(name, seed=seed) for name in ("plain18", "plain34") for seed in (0, 1)))
    assert table.notes[-1] == (
        "From 18 to 34 layers the train error of plain nets rises by 2.7 points on cpu (2); seeds: 2."
    )


def test_settings_that_all_depths_share_are_told_once_and_others_in_their_rows(view, record):
    def shown(*rates):
        nets = [(name, rate, seed) for name in ("plain18", "plain34") for rate in rates for seed in (0, 1)]
        return view("depth", *(record(name, overrides={"lr": rate}, seed=seed) for name, rate, seed in nets))

    same, apart = shown(0.2), shown(0.2, 0.3)
    assert "All with lr=0.2." in same.notes
    assert "settings" not in render([same], "text").splitlines()[2]
    assert same.notes[-1].endswith("points on cpu (2); seeds: 2.")
    assert not any("All with" in note for note in apart.notes)
    assert [row["settings"] for row in apart.rows] == ["lr=0.2", "lr=0.2", "lr=0.3", "lr=0.3"]
    assert apart.notes[-1].endswith("points on cpu (2), lr=0.3; seeds: 2.")


def test_thin_and_wide_nets_are_not_one_line_of_depths(view, record):
    thin = {"plain18": {"depth": 20}, "plain34": {"depth": 56}}  # their figures, of nets with other depths
    table = view(
        "depth",
        *(record(name, seed=seed) for name in ("plain18", "plain34") for seed in (0, 1)),
        *(record(name, seed=seed, facts=facts, revision=9) for name, facts in thin.items() for seed in (0, 1)),
    )
    spans = [note.partition(" layers the train error of ")[::2] for note in table.notes if note.startswith("From")]
    assert [(span, told.partition(" nets")[0]) for span, told in spans] == [
        ("From 20 to 56", "thin plain"),
        ("From 18 to 34", "wide plain"),
    ]


def test_without_twins_the_depth_view_names_the_command(view, record):
    table = view("depth", record("cnn"))
    assert table.rows == ()
    assert "cellbench run --dataset hep2 --method plain18 --method resnet18 --device cpu" in table.notes[0]


def test_several_labels_an_image_are_ranked_by_macro_f1_and_have_no_accuracy(view, record):
    table = view("leaderboard", record("cnn", **of_several_labels(0.4)), record("svm-hog", **of_several_labels(0.5)))
    assert [row["method"] for row in table.rows] == ["svm-hog", "cnn"]
    heading = render([table], "text").split("---")[0]
    for shown in ("micro-F1", "mAP", "match", "averaged F1"):
        assert shown in heading
    assert "accuracy" not in heading


def test_data_sets_with_several_labels_an_image_come_last(results, record):
    root = results(record("cnn", dataset="a", **of_several_labels(0.4)), record("cnn", dataset="b"))
    shown = tables(load_results(root), "leaderboard")
    assert [table.rows[0]["dataset"] for table in shown] == ["b", "a"]
    assert ["several labels an image" in table.title for table in shown] == [False, True]


def test_a_failed_run_on_several_labels_stands_with_figures_of_several_labels(view, record):
    failed = {"status": "failed", "reason": "x", "facts": {"multilabel": True}}
    assert "accuracy" not in render([view("leaderboard", record("cnn", **failed))], "text")


def test_without_an_error_on_train_the_depth_view_says_so(view, record):
    table = view("depth", record("plain18", **of_several_labels(0.4)))
    assert table.rows == ()
    assert "which there isn't with several labels an image" in table.notes[0]


@pytest.mark.parametrize("name", ["leaderboard", "svm-vs-deep"])
def test_classes_without_an_image_are_named_even_if_the_record_is_old(view, record, name):
    counts = {"train": [9, 9, 9, 9, 9, 9], "val": [5, 5, 5, 5, 5, 5], "test": [5, 0, 5, 5, 0, 5]}
    shown = [view(name, record("cnn", facts={"counts": counts}))]
    note = "without an image in test: Speckled, NuMem; averages over classes leave them out"
    assert note in shown[0].notes
    assert note in render(shown, "text")
    assert note in render(shown, "markdown")
    assert shown[0].view != "leaderboard" or shown[0].rows[0]["test_absent_classes"] == '["Speckled","NuMem"]'


def test_below_twice_chance_is_explained_where_it_occurs_and_nowhere_else(view, record):
    explained = [note for note in view("leaderboard", record("cnn", shift=-0.7)).notes if "guessing" in note]
    assert len(explained) == 1
    assert "averaged over the 6 classes, is under 33.3 %" in explained[0]
    assert not any("guessing" in note for note in view("svm-vs-deep", record("mlp")).notes)


def test_a_command_for_a_folder_says_what_to_fill_in(view, record):
    told = view("depth", record("cnn", dataset="folder:my cells", split="id-block@5", limit=50)).notes[0]
    before, _, command = told.partition(": cellbench ")
    assert before.endswith(
        "('my cells': give the folder's path, and the options that it was read with, such as --labels)"
    )
    assert command == (
        "run --dataset 'my cells' --method plain18 --method resnet18 --device cpu --split id-block@5 --limit 50 "
        "--val-limit all"
    )
