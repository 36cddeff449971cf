"""Tuning: on val alone, with the same budget for each, going on where it stopped, and a suite of what came of it."""

import dataclasses
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cellbench.core import suites
from cellbench.core.errors import CellbenchError, UsageError
from cellbench.core.settings import among, between, described
from cellbench.core.training_budget import budget
from cellbench.datasets.files import cache
from cellbench.datasets.toy import rings
from cellbench.methods import methods
from cellbench.running.planning.plan import Choice, make_plan
from cellbench.running.planning.suites import plan_suite
from cellbench.running.single_run import validate
from cellbench.running.tuning import presence
from cellbench.running.tuning.budget import TuningBudget, parse_budget, parse_part
from cellbench.running.tuning.space import space_of, suggested
from cellbench.running.tuning.suites import write
from cellbench.running.tuning.tuning import FILE, SearchOptions, Study, Tuned, tune

optuna = pytest.importorskip("optuna")


@pytest.fixture
def scores(monkeypatch):
    """Runs trials in this process, with figures from a function of settings; returns the jobs that were tried."""
    tried = []

    def use(figure):
        def watch(question, listener, timeout=None, plugins=()):
            job = question.args[0]
            tried.append((job, timeout))
            for epoch, value in enumerate(figure(job.spec.params), 1):
                listener("epoch", {"epoch": epoch, "epochs": 4, "val_macro_f1": value})
            return "done", {"figure": "macro_f1", "value": value, "chose": {}}

        monkeypatch.setattr("cellbench.running.executors.child.watch", watch)
        return tried

    return use


def of_c(params):
    """A figure that is best at C = 30, and 0.5 with the defaults, which are several values of C."""
    return [0.5] if isinstance(params["C"], (tuple, list)) else [0.9 - abs(params["C"] - 30) / 2000]


def job_of(method, folder):
    (job,) = make_plan([method], [folder])
    return job


def test_the_best_of_all_trials_is_found_and_the_defaults_are_the_first(toy_folder, tmp_path, scores):
    tried = scores(of_c)
    done = tune(job_of("svm-flat", toy_folder), tmp_path / FILE, SearchOptions(TuningBudget(trials=8)))
    assert len(tried) == done.trials == 8
    assert tried[0][0].overrides == {}
    assert done.default == 0.5
    figures = [of_c(job.spec.params)[0] for job, _ in tried]
    assert done.value == max(figures)
    best = tried[figures.index(max(figures))][0].spec.params
    assert done.settings == {"C": best["C"], "class_weight": best["class_weight"]}
    assert all(0.1 <= job.spec.params["C"] <= 1000 for job, _ in tried[1:])
    assert {timeout for _, timeout in tried} == {None}


def test_the_same_call_goes_on_and_is_the_same_as_one_without_a_pause(toy_folder, tmp_path, scores):
    tried, job = scores(of_c), job_of("svm-flat", toy_folder)
    tune(job, tmp_path / "a" / FILE, SearchOptions(TuningBudget(trials=3)))
    went_on = tune(job, tmp_path / "a" / FILE, SearchOptions(TuningBudget(trials=7)))
    assert len(tried) == went_on.trials == 7
    at_once = tune(job, tmp_path / "b" / FILE, SearchOptions(TuningBudget(trials=7)))
    assert dataclasses.replace(went_on, seconds=0) == dataclasses.replace(at_once, seconds=0)
    assert tune(job, tmp_path / "a" / FILE, SearchOptions(TuningBudget(trials=7))) == went_on
    assert len(tried) == 14


def test_two_studies_of_one_file_share_the_trials(toy_folder, tmp_path, scores):
    tried, job = scores(of_c), job_of("svm-flat", toy_folder)
    first, second = (Study(job, tmp_path / FILE, SearchOptions(TuningBudget(trials=6)), 1.0) for _ in range(2))
    first.search(TuningBudget(trials=2), lambda line: None)
    second.search(TuningBudget(trials=6), lambda line: None)
    first.search(TuningBudget(trials=6), lambda line: None)
    assert len(tried) == 6
    assert first.cost() == second.cost()


def test_a_trial_whose_process_was_killed_is_not_counted_and_the_defaults_are_tried_again(toy_folder, tmp_path, scores):
    tried, job = scores(of_c), job_of("svm-flat", toy_folder)
    killed = Study(job, tmp_path / FILE, SearchOptions(TuningBudget(trials=2)), 1.0).study
    killed.enqueue_trial({}, user_attrs={"settings": {}})
    killed.ask().set_user_attr(presence.LOCK, "gone.lock")
    (tmp_path / "gone.lock").touch()
    done = tune(job, tmp_path / FILE, SearchOptions(TuningBudget(trials=2)))
    assert (len(tried), done.trials, done.default) == (2, 2, 0.5)
    assert [trial.state.name for trial in killed.trials] == ["FAIL", "COMPLETE", "COMPLETE"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE]  # no lock is left


def test_a_trial_at_work_in_another_process_is_counted(toy_folder, tmp_path, scores):
    tried, job = scores(of_c), job_of("svm-flat", toy_folder)
    other = Study(job, tmp_path / FILE, SearchOptions(TuningBudget(trials=3)), 1.0).study
    with presence.at_work(tmp_path / FILE) as lock:
        trial = other.ask()
        trial.set_user_attr(presence.LOCK, lock)
        assert tune(job, tmp_path / FILE, SearchOptions(TuningBudget(trials=3))).trials == 2
    tune(job, tmp_path / FILE, SearchOptions(TuningBudget(trials=3)))
    assert len(tried) == 3
    assert other.trials[0].state.name == "FAIL"


def test_the_defaults_are_tried_again_by_the_next_call_if_they_failed(toy_folder, tmp_path, scores, monkeypatch):
    job = job_of("svm-flat", toy_folder)
    with monkeypatch.context() as patch:
        patch.setattr("cellbench.running.executors.child.watch", lambda *_, **__: ("failed", "the lamp is out"))
        with pytest.raises(CellbenchError, match="the lamp is out"):
            tune(job, tmp_path / FILE, SearchOptions(TuningBudget(trials=1)))
    tried = scores(of_c)
    assert tune(job, tmp_path / FILE, SearchOptions(TuningBudget(trials=2))).default == 0.5
    assert [one.overrides for one, _ in tried] == [{}]


def test_several_may_create_a_study_at_once(toy_folder, tmp_path):
    job, asked = job_of("svm-flat", toy_folder), SearchOptions(TuningBudget(trials=1))
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: Study(job, tmp_path / FILE, asked, 1.0), range(6)))
    assert len({one.study._study_id for one in made}) == 1


def test_of_a_part_the_best_few_and_the_defaults_are_tried_on_all(toy_folder, tmp_path, scores):
    tried, job = scores(of_c), job_of("svm-flat", toy_folder)
    done = tune(job, tmp_path / FILE, SearchOptions(TuningBudget(trials=6), part=0.5, best=2))
    of_part, on_all = [one for one, _ in tried[:6]], [one for one, _ in tried[6:]]
    assert {one.n["train"] for one in of_part} == {job.n["train"] // 2}
    assert {one.n["val"] for one, _ in tried} == {job.n["val"]}
    assert {one.n["train"] for one in on_all} == {job.n["train"]}
    ranked = sorted(of_part[1:], key=lambda one: -of_c(one.spec.params)[0])
    assert [one.spec.params["C"] for one in on_all] == [(1, 10, 100), *(one.spec.params["C"] for one in ranked[:2])]
    assert done.trials == 9
    tune(job, tmp_path / FILE, SearchOptions(TuningBudget(trials=6), part=0.5, best=2))
    assert len(tried) == 9


def test_a_net_below_the_median_of_earlier_ones_is_ended_early(toy_folder, tmp_path, scores):
    order = iter([0.5, 0.52, 0.54, 0.56, 0.58, 0.1, 0.9])
    lines = []
    scores(lambda params: [next(order)] * 4)
    done = tune(job_of("mlp", toy_folder), tmp_path / FILE, SearchOptions(TuningBudget(trials=7)), lines.append)
    assert [" pruned " in line for line in lines] == [False] * 5 + [True, False]
    assert (done.trials, done.value) == (7, 0.9)


def test_time_is_a_limit_for_all_trials_together_and_for_the_last_one(toy_folder, tmp_path, scores, monkeypatch):
    clock = iter(range(0, 1000, 10))  # each trial takes 10 seconds: it reads the clock when it begins and ends
    monkeypatch.setattr("cellbench.running.tuning.one_trial.time.monotonic", lambda: next(clock))
    tried = scores(of_c)
    done = tune(job_of("svm-flat", toy_folder), tmp_path / FILE, SearchOptions(TuningBudget(seconds=35)))
    assert [timeout for _, timeout in tried] == [35, 25, 15, 5]
    assert (done.trials, done.seconds) == (4, 40)


def test_a_real_trial_is_scored_on_val_and_never_reads_test(toy_folder, tmp_path):
    job = job_of("svm-flat", toy_folder)
    done = tune(job, tmp_path / FILE, SearchOptions(TuningBudget(trials=2)))
    assert done.figure == "macro_f1"
    assert done.default == pytest.approx(validate(job)["value"])
    blind = cache.prepare("blind", lambda scratch: _without_test(rings()))
    (same,) = make_plan(["svm-flat"], [blind])
    assert validate(same)["value"] == pytest.approx(done.default)


def _without_test(data):
    """The data with other test images: black ones."""
    images = data.images.copy()
    images[data.split.test] = 0
    return dataclasses.replace(data, images=images)


def test_a_method_that_fails_is_told_with_its_reason(bad_plugin, toy_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("cellbench.running.tuning.tuning.space_of", lambda entry: {"size": between(8, 16)})
    monkeypatch.setattr(
        "cellbench.running.executors.child.watch", lambda *_, **__: ("failed", "RuntimeError: the lamp is out")
    )
    with pytest.raises(
        Exception, match=r"no trial of bad has a figure on val \(2 tried; the last: failed: RuntimeError"
    ):
        tune(job_of("bad", toy_folder), tmp_path / FILE, SearchOptions(TuningBudget(trials=2), plugins=[bad_plugin]))


def test_every_space_of_a_method_gives_settings_that_the_method_takes():
    for entry in methods.entries():
        if not any(setting.search for setting in described(entry.defaults)):
            continue
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        for _ in range(5):
            values = suggested(space_of(entry), study.ask())
            assert type(entry.defaults)(**{**vars(entry.defaults), **values})


def test_a_space_is_data():
    trial = optuna.trial.FixedTrial({"a": 3, "b": 0.123456, "c": '"x"', "d": "null"})
    space = {"a": between(1, 9), "b": between(0.1, 1.0, log=True), "c": among("x", "y"), "d": among(None, (1, 2))}
    assert suggested(space, trial) == {"a": 3, "b": 0.1235, "c": "x", "d": None}
    with pytest.raises(UsageError, match=r"method 'floor-majority' has no settings to tune; these have .*svm-hog"):
        space_of(methods["floor-majority"])


def test_what_came_of_it_is_a_suite_that_runs_and_says_what_tuning_cost(toy_folder, tmp_path):
    flat, hog = (job_of(name, toy_folder) for name in ("svm-flat", "svm-hog"))
    settings = {"C": 12.5, "class_weight": None}
    file = tmp_path / "tuned.toml"
    write(file, [Tuned(flat, settings, "macro_f1", 0.9, 0.8, 20, 61.04)])
    write(file, [Tuned(hog, {}, "macro_f1", 0.9, 0.9, 20, 30.0)])
    (suite,) = suites.select([str(file)])
    assert [entry.id for entry in suite.entries] == ["svm-flat-default", "svm-flat-tuned", "svm-hog-default"]
    entry = suite.entries[1]
    assert dict(entry.set) == settings
    assert tomllib.loads(file.read_text())["entries"][1]["tuning"] == {"trials": 20, "seconds": 61.0}
    (job,) = plan_suite(suite, [entry], [toy_folder])
    assert (job.spec.params["C"], job.tuning) == (12.5, {"trials": 20, "seconds": 61.0})
    assert job.spec.key == dataclasses.replace(job, tuning={}).spec.key  # what it cost is no part of what was done


def test_what_was_tuned_on_some_images_is_run_on_as_many(toy_folder, tmp_path):
    (few,) = make_plan([Choice("svm-flat", limit=12)], [toy_folder])
    file = tmp_path / "tuned.toml"
    write(file, [Tuned(job_of("svm-hog", toy_folder), {}, "macro_f1", 0.9, 0.9, 20, 30.0)])
    write(file, [Tuned(few, {}, "macro_f1", 0.9, 0.9, 20, 30.0)])
    (suite,) = suites.select([str(file)])
    (job,) = plan_suite(suite, suite.entries, [toy_folder])
    assert (job.spec.method, job.spec.limit) == ("svm-flat", 12)


def test_the_default_of_a_net_in_the_suite_is_the_run_that_anybody_has_by_default(toy_folder, tmp_path):
    net = job_of("fastnet", toy_folder)
    file = tmp_path / "tuned.toml"
    for _ in range(2):  # the second call keeps what it finds in the file
        write(file, [Tuned(net, {"batch": 8}, "macro_f1", 0.9, 0.8, 20, 61.0)])
        write(file, [Tuned(job_of("svm-flat", toy_folder), {}, "macro_f1", 0.9, 0.9, 20, 30.0)])
    (suite,) = suites.select([str(file)])
    usual, tuned = (plan_suite(suite, [entry], [toy_folder])[0].spec for entry in suite.entries[:2])
    assert usual.key == net.spec.key
    expected = budget(len(rings().split.train), batch=8, least_epochs=30)
    assert (tuned.params["batch"], tuned.params["epochs"]) == (expected.batch, expected.epochs)


def test_a_suite_file_that_is_not_there_or_is_none_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"suite '.*none.toml' cannot be read: No such file"):
        suites.select([str(tmp_path / "none.toml")])
    (tmp_path / "bad.toml").write_text("entries = 3")
    with pytest.raises(UsageError):
        suites.select([str(tmp_path / "bad.toml")])


@pytest.mark.parametrize(
    ("given", "budget"),
    [
        ((None, None), TuningBudget(trials=30)),
        ((7, None), TuningBudget(trials=7)),
        ((None, "30m"), TuningBudget(seconds=1800)),
        ((None, "1.5h"), TuningBudget(seconds=5400)),
        ((None, 90), TuningBudget(seconds=90)),
    ],
)
def test_a_budget_is_trials_or_a_time(given, budget):
    assert parse_budget(*given) == budget


@pytest.mark.parametrize("given", [(0, None), (None, "soon"), (None, "0m"), (None, "-3m"), (3, "3m")])
def test_what_is_no_budget_is_refused(given):
    with pytest.raises(UsageError, match=r"--trials|--budget"):
        parse_budget(*given)


def test_a_part_is_a_share():
    assert parse_part(0.25) == 0.25
    for wrong in (0, 1.1, -1, float("nan")):
        with pytest.raises(UsageError, match="--part got"):
            parse_part(wrong)


def test_a_file_that_is_no_study_is_refused(toy_folder, tmp_path):
    (tmp_path / FILE).write_text("no database at all, but long enough to be read as one by SQLite" * 20)
    with pytest.raises(UsageError, match="cannot be used as a study"):
        tune(job_of("svm-flat", toy_folder), tmp_path / FILE, SearchOptions(TuningBudget(trials=1)))
    assert Path(tmp_path / FILE).read_text().startswith("no database")
