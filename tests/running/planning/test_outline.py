"""What would run on data that is not here: the same runs as once it is, but for what only images tell."""

import pytest

from cellbench.core import suites
from cellbench.core.errors import UsageError
from cellbench.datasets import datasets
from cellbench.running.planning.options import RunOptions
from cellbench.running.planning.outline import how_to_get, outline, set_aside
from cellbench.running.planning.plan import Choice, make_plan, parse_override
from cellbench.running.planning.selection import select
from cellbench.running.planning.suites import choices_of

from .test_suites import SMALL, plan


def test_a_suite_is_outlined_as_it_is_planned_once_its_data_is_there(toy_folder):
    choices = choices_of(SMALL, SMALL.entries, None, None, None)
    outlined = outline(choices, ["hep2"], seeds=SMALL.seeds, overrides=(), device="cpu")
    planned = plan(toy_folder)
    facts = [(tuple(run.titles), run.method, run.seed, run.limit, run.device) for run in outlined]
    assert facts == [(j.titles, j.spec.method, j.spec.seed, j.spec.limit, j.spec.device) for j in planned]


def test_entries_of_equal_settings_and_draws_of_a_split_are_the_runs_that_a_plan_has(toy_folder):
    sets = [parse_override("cnn:lr=0.3")]
    choices = [
        Choice("cnn", {"lr": 0.1}, "stratified@0-2", 12, "s/a"),
        Choice("cnn", {"lr": 0.2}, "stratified@1-3", 12, "s/b"),
    ]
    outlined = outline(choices, ["hep2"], seeds=(0,), overrides=sets, device="cpu")
    planned = make_plan(choices, [toy_folder], overrides=sets)
    titles = [["s/a"], ["s/a", "s/b"], ["s/a", "s/b"], ["s/b"]]  # draws 0, 1, 2 and 3
    assert [run.titles for run in outlined] == titles
    assert sorted(sorted(job.titles) for job in planned) == sorted(titles)


def test_only_data_sets_whose_files_are_not_here_are_set_aside(toy_folder):
    options = RunOptions(datasets=["hep2", "synthetic-yeast"], methods=["cnn", "svm-hog"], seeds="0-1", limit=9)
    left, waiting = set_aside(select(options), split=None, limit=9, device="cpu")
    assert left.datasets == ["synthetic-yeast"]
    assert [(run.dataset, run.method, run.seed, run.limit) for run in waiting] == [
        ("hep2", "cnn", 0, 9),
        ("hep2", "svm-hog", 0, 9),
        ("hep2", "cnn", 1, 9),
    ]
    (line,) = how_to_get(waiting)
    assert line == f"3 runs wait for data set 'hep2': {datasets['hep2'].how_to_prepare}"


def test_a_setting_that_no_method_has_is_refused_before_the_data_is_there():
    options = RunOptions(suites=["yeast"], methods=["svm"], set=["lr=1"])
    with pytest.raises(UsageError, match="method 'svm-yeast' has no setting 'lr'"):
        set_aside(select(options), split=None, limit=None, device="cpu")


def test_a_suite_without_its_data_leaves_the_others_to_be_planned():
    left, waiting = set_aside(select(RunOptions(suites=["depth"])), split=None, limit=None, device="cpu")
    assert (left.studies, left.datasets) == ([], [])
    suite = suites.load("depth")
    assert len(waiting) == len(suite.entries) * len(suite.seeds)
    on_others = RunOptions(suites=["depth"], datasets=["synthetic-yeast"])
    left, waiting = set_aside(select(on_others), split=None, limit=None, device="cpu")
    assert ([suite.name for suite, _ in left.studies], waiting) == (["depth"], [])
