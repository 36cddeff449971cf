"""Runs in child processes: what they return, and what is on record when they fail."""

import dataclasses
import re
import time
from pathlib import Path

import numpy as np
import pytest

from cellbench.core.data import Split
from cellbench.core.errors import UnavailableError
from cellbench.core.records.runs import RunRecord, RunSpec
from cellbench.core.records.store import Store
from cellbench.core.scoring.decision import Decision
from cellbench.core.scoring.metrics import evaluate, per_class
from cellbench.datasets.files import cache
from cellbench.datasets.splits import limited
from cellbench.datasets.toy import rings
from cellbench.running.executors import LocalExecutor, child, process
from cellbench.running.planning.plan import Choice, make_plan, parse_override
from cellbench.running.policy import FAILED_BEFORE, Policy
from cellbench.running.policy import state as state_of
from cellbench.running.progress import forecast
from cellbench.running.progress.display import outcome
from cellbench.running.run_jobs import run_jobs, summary
from cellbench.running.single_run import execute, unfinished


class Watcher:
    def __init__(self):
        self.events = []

    def started(self, job, number, seconds_left):
        self.events.append(("started", job.spec.method))

    def event(self, kind, facts):
        self.events.append((kind, facts))

    def expect(self, seconds_left):
        self.events.append(("expect", seconds_left))

    def finished(self, job, record):
        self.events.append(("finished", record.status))


def one_job(folder, method, *sets, **options):
    (job,) = make_plan([method], [folder], overrides=[parse_override(text) for text in sets], **options)
    return job


def test_facts_of_a_method_are_read_when_all_is_timed_and_overrule_none_of_ours(toy_folder, bad_plugin):
    record, _ = child.run_job(one_job(toy_folder, "bad", "how=tells"), lambda kind, facts: None, plugins=[bad_plugin])
    assert record.facts["told"] == ["fit", "load", "predict"]
    assert record.facts["family"] == "svm"


SMALL = {"epochs": 2, "batch": 16, "size": 16}


def test_a_net_with_fewer_steps_than_its_default_is_on_record_as_undertrained(toy_folder):
    record, _ = execute(one_job(toy_folder, "mlp", *(f"{key}={value}" for key, value in SMALL.items())))
    assert record.facts["undertrained"] == "6 steps, where the default is 1,500"
    assert RunRecord.from_json(record.to_json()).facts["undertrained"] == record.facts["undertrained"]


def test_an_entry_of_a_suite_is_held_against_its_own_epochs(toy_folder):
    (job,) = make_plan([Choice("mlp", SMALL)], [toy_folder])
    assert "undertrained" not in execute(job)[0].facts


def test_a_limited_val_part_is_what_is_scored_kept_and_counted(toy_folder):
    record, predictions = execute(one_job(toy_folder, "svm-hog", "size=none", limit=20))
    toy = rings()
    assert (record.spec.limit, record.spec.val_limit) == (20, 10)
    assert record.facts["n"] == {"train": 20, "val": 10, "test": 30}
    assert record.metrics["val"]["n"] == len(predictions["val_labels"]) == 10
    np.testing.assert_array_equal(predictions["val_index"], limited(toy.split.val, toy.labels, 10))
    unstarted = unfinished(one_job(toy_folder, "svm-hog", limit=20), "failed", "no memory", {})
    assert unstarted.facts["n"] == record.facts["n"]


def test_the_groups_of_the_scored_images_are_kept_with_their_scores():
    toy = rings()
    grouped = dataclasses.replace(toy, groups=7 * np.arange(len(toy.labels)) // 20)
    job = one_job(cache.prepare("grouped-toy", lambda scratch: grouped), "svm-hog", "size=none")
    _, predictions = child.run_job(job, lambda kind, facts: None)
    for part in ("val", "test"):
        np.testing.assert_array_equal(predictions[f"{part}_groups"], grouped.groups[toy.split[part]])


def test_a_run_returns_a_whole_record_and_the_scores_it_rests_on(toy_folder):
    events = []
    job = one_job(toy_folder, "svm-hog", "size=none")
    record, predictions = child.run_job(job, lambda kind, facts: events.append((kind, facts)))
    assert (record.status, record.reason, record.backend) == ("ok", "", "torch")
    assert set(record.seconds) == {"load", "transfer", "features", "fit", "predict"}
    data = cache.read(toy_folder)
    for part in ("val", "test"):
        np.testing.assert_array_equal(predictions[f"{part}_index"], data.split[part])
        assert evaluate(data.labels[data.split[part]], predictions[f"{part}_scores"]) == record.metrics[part]
        assert per_class(data.labels[data.split[part]], predictions[f"{part}_scores"]) == record.per_class[part]
    assert not any(name.endswith("_groups") for name in predictions)
    assert record.per_class["train"]["n"] == data.class_counts()["train"]
    assert record.facts["absent_classes"] == {}
    assert {part: figures["n"] for part, figures in record.metrics.items()} == {"train": 60, "val": 30, "test": 30}
    assert record.facts["counts"] == data.class_counts()
    assert record.facts["input"] == [1, 32, 32]
    assert record.environment["threads"] == 1
    assert 50e6 < record.memory["host"] < 4e9
    assert record.overrides == {"size": None}
    assert 0 < record.facts["support_vectors"] <= 60
    assert record.facts["dual_objective"] > 0
    assert [facts["name"] for kind, facts in events if kind == "phase"] == [
        "load",
        "transfer",
        "features",  # computed
        "features",  # scaled
        "fit",
        "predict",
    ]
    assert not re.search(rf'"/|{re.escape(str(Path.home()))}/', record.to_json())


@pytest.mark.parametrize("method", ["svm-hog", "cnn"])
def test_several_labels_an_image_go_all_the_way_with_thresholds_from_validation(method):
    folder = cache.prepare("several", lambda scratch: rings(multilabel=True))
    sets = ["size=none", "epochs=8", "batch=16"] if method == "cnn" else ["size=none"]
    record, predictions = child.run_job(one_job(folder, method, *sets), lambda *_: None)
    assert record.status == "ok", record.reason
    assert outcome(record).startswith("test macro-F1 0.")
    thresholds, _ = Decision().fit(predictions["val_labels"], predictions["val_scores"])
    np.testing.assert_allclose(record.chosen["thresholds"], thresholds)
    for part in ("val", "test"):
        expected = evaluate(predictions[f"{part}_labels"], predictions[f"{part}_scores"], thresholds)
        assert record.metrics[part] == pytest.approx(expected)
    assert "val_mean_average_precision" in record.history[0]


def test_classes_that_no_image_of_a_part_has_are_named_in_the_record():
    data = rings()
    gone = np.flatnonzero(data.labels[data.split.test] == 1)
    rest = Split("gap", data.split.train, data.split.val, np.delete(data.split.test, gone))
    folder = cache.prepare("gap", lambda scratch: dataclasses.replace(data, split=rest))
    record, _ = child.run_job(one_job(folder, "svm-flat"), lambda *_: None)
    assert record.facts["absent_classes"] == {"test": ["ring 1"]}
    figures = record.per_class["test"]
    assert [figures[name][1] for name in ("precision", "recall", "f1", "n")] == [None, None, None, 0]
    assert record.metrics["test"]["macro_f1"] == pytest.approx((figures["f1"][0] + figures["f1"][2]) / 2)


def test_a_limit_takes_fewer_training_images_and_all_test_images(toy_folder):
    record, _ = child.run_job(one_job(toy_folder, "svm-flat", limit=12), lambda *_: None)
    assert sum(record.facts["counts"]["train"]) == record.facts["n"]["train"] == record.metrics["train"]["n"] == 12
    assert min(record.facts["counts"]["train"]) >= 3
    assert record.metrics["test"]["n"] == 30


@pytest.mark.parametrize(
    ("how", "status", "reason"),
    [
        ("raises", "failed", r"RuntimeError: the lamp is out \(bad_methods.py:\d+\)"),
        ("says", "failed", "no nuclei were found; stain them"),
        ("dies", "failed", "ended by SIGKILL; the system may have run out of memory"),
        ("exits", "failed", "ended with exit code 7"),
        ("quits", "failed", r"SystemExit: no lamp \(bad_methods.py:\d+\)"),
        ("rambles", "failed", r"^RuntimeError: x{1000} … \(bad_methods.py:\d+\)$"),
        ("ends its group", "failed", "ended by SIGKILL"),
        ("blank", "failed", "90 of 90 test scores are not finite"),
        ("sleeps", "timeout", "not finished after 2 seconds"),
    ],
)
def test_a_run_that_comes_to_nothing_is_on_record_with_its_reason(toy_folder, bad_plugin, how, status, reason):
    job = one_job(toy_folder, "bad", f"how={how}")
    timeout = 2 if how == "sleeps" else None
    record, predictions = child.run_job(job, lambda *_: None, timeout=timeout, plugins=[bad_plugin])
    assert (record.status, predictions, record.metrics) == (status, None, {})
    assert re.search(reason, record.reason)
    assert record.environment["threads"] == 1
    assert record.facts["n"]["train"] == 60


def test_a_run_whose_own_child_lives_on_is_over_when_it_dies_and_the_child_is_ended(toy_folder, bad_plugin):
    start = time.monotonic()
    job = one_job(toy_folder, "bad", "how=leaves a child")
    record, _ = child.run_job(job, lambda *_: None, plugins=[bad_plugin])
    assert "ended with exit code 7" in record.reason
    assert time.monotonic() - start < 40  # its child sleeps for 60


def test_memory_beyond_the_limit_is_told_from_a_crash_and_the_limit_is_on_record(toy_folder, bad_plugin):
    def outcome(how):
        job = one_job(toy_folder, "bad", f"how={how}")
        return child.run_job(job, lambda *_: None, plugins=[bad_plugin], max_memory=2 * 10**9)[0]

    greedy = outcome("is greedy")
    assert (greedy.status, greedy.reason) == (
        "failed",
        "out of memory: it asked for more than the 2.0 GB of --max-memory; give it more, or fewer or smaller images "
        "with --limit or --set size=",
    )
    assert outcome("has no thread").reason == greedy.reason
    assert outcome("fills the card").reason.startswith("OutOfMemoryError: CUDA out of memory. Tried to allocate 9 GiB")
    modest = outcome("nothing")
    assert (modest.status, modest.facts["max_memory"]) == ("ok", 2 * 10**9)


def test_what_a_method_prints_is_no_output_of_the_command(toy_folder, bad_plugin, capfd):
    child.run_job(one_job(toy_folder, "bad", "how=prints"), lambda *_: None, plugins=[bad_plugin])
    told = capfd.readouterr()
    assert "not an output" not in told.out
    assert told.err == "not an output of the command\n"


def test_a_method_that_returns_no_data_fails_its_own_run_and_no_other(toy_folder, bad_plugin):
    record, predictions = child.run_job(one_job(toy_folder, "bad", "how=numpy"), lambda *_: None, plugins=[bad_plugin])
    assert (record.status, predictions) == ("failed", None)
    assert "cannot be a setting" in record.reason


def test_images_too_small_for_a_net_are_skipped_with_the_reason(toy_folder):
    record, _ = child.run_job(one_job(toy_folder, "vgg11", "size=16"), lambda *_: None)
    assert (record.status, record.reason) == (
        "skipped",
        "vgg11 needs images of at least 32 pixels and these have 16; set a larger size",
    )


def without_weights(_: object, job: object, *__: object) -> None:
    raise UnavailableError("its weights are not here; name a file: --set weights=PATH")


@pytest.mark.parametrize(("setting", "status"), [("views=8", "skipped"), ("weights=none", "failed")])
def test_without_weights_to_be_had_a_run_is_skipped_unless_they_were_asked_for(
    toy_folder, tmp_path, monkeypatch, setting, status
):
    """In a child that fails so; `weights` stands for a value that the user gave."""
    monkeypatch.setattr(child, "_run", without_weights)
    job, store = one_job(toy_folder, "probe-svm", setting), Store(tmp_path / "results", "here")
    record, predictions = child.run_job(job, lambda *_: None)
    assert (record.status, predictions) == (status, None)
    assert record.reason == "its weights are not here; name a file: --set weights=PATH"
    store.save(record)
    state = state_of(job, store, Policy())
    assert state == ("" if status == "skipped" else FAILED_BEFORE)  # they may be there the next time


def test_a_reason_names_no_folder_of_the_user():
    reason = process._reason(OSError(f"no {Path.home()}/cells/1.png"))
    assert reason == "OSError: no cells/1.png"


QUICKEST_LAST = [("bad", "how=raises"), ("bad", "how=tells"), ("svm-flat", "C=1")]


def test_the_rest_goes_on_after_a_failure_and_only_what_is_missing_is_run_again(toy_folder, bad_plugin, tmp_path):
    jobs = [one_job(toy_folder, method, setting) for method, setting in QUICKEST_LAST]
    store, watcher = Store(tmp_path / "results", "here"), Watcher()

    def go(**policy):
        return dict(run_jobs(jobs, store, Policy(**policy), LocalExecutor(), watcher, [bad_plugin]))

    assert go(fail_fast=True) == {"ok": 1, "failed": 1}
    assert go() == {"already done": 1, "failed before": 1, "ok": 1}
    written = store.path(jobs[2].spec).stat().st_mtime_ns
    assert go() == {"already done": 2, "failed before": 1}
    assert go(retry_failed=True) == {"already done": 2, "failed": 1}
    assert store.path(jobs[2].spec).stat().st_mtime_ns == written
    assert go(force=True) == {"ok": 2, "failed": 1}
    assert store.path(jobs[2].spec).stat().st_mtime_ns > written


def test_the_same_seed_gives_the_same_predictions_in_another_process(toy_folder):
    job = one_job(toy_folder, "cnn", "size=none", "epochs=2", "batch=16")
    first, second = (child.run_job(job, lambda *_: None)[1] for _ in range(2))
    np.testing.assert_array_equal(first["test_scores"], second["test_scores"])


def test_data_that_changed_since_the_plan_are_not_used(toy_folder):
    job = one_job(toy_folder, "svm-flat")
    meta = (toy_folder / "meta.json").read_text()
    (toy_folder / "meta.json").write_text(meta.replace(job.spec.fingerprint, "0" * 16))
    record, _ = child.run_job(job, lambda *_: None)
    assert record.status == "failed"
    assert "changed since the run was planned" in record.reason


def test_an_interrupted_matrix_leaves_finished_runs_and_ends_the_running_one(
    toy_folder, bad_plugin, tmp_path, monkeypatch
):
    import multiprocessing

    last = [0.0, 1.0]  # the one that sleeps comes last
    monkeypatch.setattr(forecast, "estimates", lambda jobs, store: [last[job.spec.method == "bad"] for job in jobs])

    jobs = [one_job(toy_folder, "svm-flat", "C=1"), one_job(toy_folder, "bad", "how=sleeps")]
    store = Store(tmp_path / "results", "here")

    class Impatient(Watcher):
        def event(self, kind, facts):
            if self.events[-1] == ("started", "bad"):
                raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, store, Policy(), LocalExecutor(), Impatient(), [bad_plugin])
    assert time.monotonic() - start < 50
    assert store.find(jobs[0].spec).status == "ok"
    assert store.find(jobs[1].spec) is None
    assert not multiprocessing.active_children()


def test_a_run_s_line_says_why_auto_took_another_library_than_ours():
    spec = RunSpec("d", "f", "official", {}, "svm-hog", 2, {"backend": "auto"})
    metrics = {"test": {"accuracy": 0.5, "macro_f1": 0.4}}
    why = "auto took onedal: the largest machine has 6,400 samples, more than 6,000"
    line = "test accuracy 50.0 %, macro-F1 0.400, trained in 12 s"
    for facts, expected in (({}, line), ({"backend_reason": why}, f"{line} ({why})")):
        assert outcome(RunRecord(spec, "ok", metrics=metrics, facts=facts, seconds={"fit": 12.0})) == expected


def test_the_summary_counts_every_outcome():
    tally = {"ok": 2, "failed": 1, "already done": 3}
    assert summary(tally, planned=7) == "2 ok, 1 failed, 3 already done, 1 not started"
