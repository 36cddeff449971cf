"""Which row is the best, and which of equal ones."""

from cellbench import load_results
from cellbench.results.rows.ranking import best_on_val
from cellbench.results.rows.row import Row


def test_of_rows_that_are_equal_on_val_the_one_with_no_setting_changed_is_the_best(results, record):
    changed = {"overrides": {"backend": "libsvm"}}
    rows = load_results(results(record("svm-hog", **changed), record("svm-hog"))).rows
    assert [row["overrides"] for row in rows].count("{}") == 1
    assert best_on_val(rows)["overrides"] == best_on_val(rows[::-1])["overrides"] == "{}"


def test_without_figures_on_val_and_test_there_is_no_best():
    assert best_on_val([Row({"val_macro_f1": None, "test_macro_f1": 0.5})]) is None
    assert best_on_val([]) is None
