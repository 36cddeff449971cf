"""Estimates against sums done by hand."""

import dataclasses

import pytest

from cellbench.core.records.runs import RunRecord
from cellbench.core.records.store import Store, read_record
from cellbench.methods import methods
from cellbench.running.planning.plan import make_plan, parse_override
from cellbench.running.progress import estimates
from cellbench.running.progress.estimates import SECONDS_A_RUN, SECONDS_TO_START, amount_of_work, estimate, prior, total
from cellbench.running.progress.forecast import Forecast

N = {"train": 60, "val": 30, "test": 30}  # of the toy data


def job(folder, method, *sets, **options):
    (one,) = make_plan([method], [folder], overrides=[parse_override(text) for text in sets], **options)
    return one


def put(store, done, **seconds):
    """A finished run on record."""
    metrics = {part: {"n": n} for part, n in done.n.items()}
    store.save(RunRecord(done.spec, "ok", metrics=metrics, facts={"n": done.n}, seconds=seconds))


def test_of_many_runs_records_are_read_seldom(toy_folder, store, monkeypatch):
    """Each finished run once read all records for each of the runs that were left: the cube of their number."""
    read = []
    monkeypatch.setattr(estimates, "read_record", lambda path: read.append(path) or read_record(path))
    jobs = make_plan(["cnn"], [toy_folder], overrides=[parse_override("size=16")], seeds=range(40))
    forecast = Forecast(jobs, store)
    for one in forecast.jobs:
        put(store, one, fit=10.0)
        forecast.finished(one)
        if one is forecast.jobs[0]:
            assert forecast.seconds == pytest.approx(39 * (SECONDS_A_RUN + 10))
    assert forecast.seconds == 0
    assert len(read) == sum(range(1, 17)) + 32  # after each of the first sixteen, and the 32nd


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, "here")


def test_a_nets_work_is_its_training_steps_and_an_svms_its_kernel_values():
    assert amount_of_work(methods["cnn"], N, {"epochs": 10}) == pytest.approx(10 * (60 + 10) + 40)
    assert amount_of_work(methods["svm-hog"], N, {}) == 60 * 120


@pytest.mark.parametrize("family", ["probe", "classic", "floor", "astrology"])
def test_other_families_take_a_time_in_proportion_to_all_images(family):
    entry = dataclasses.replace(methods["svm-hog"], family=family, cost=2.0)
    assert amount_of_work(entry, N, {}) == 120
    assert prior(entry, amount_of_work(entry, N, {})) == pytest.approx(2.0 * 8.701 * 120 / (8701 + 2175 + 2720))


def test_without_records_the_prior_speaks(toy_folder, store):
    cnn = methods["cnn"]
    reference = 20 * (8701 + 2175 / 3) + (8701 + 2175 + 2720) / 3
    expected = cnn.cost * 8.701 * 740 / reference
    assert estimate(job(toy_folder, "cnn", "epochs=10"), store) == pytest.approx(SECONDS_A_RUN + expected)
    assert prior(cnn, reference) == pytest.approx(cnn.cost * 8.701)


def test_one_record_is_its_fixed_phases_and_the_rest_in_proportion_to_the_work(toy_folder, store):
    put(store, job(toy_folder, "cnn", "epochs=10"), load=1.0, warmup=2.0, fit=19.0, predict=0.5)
    # Scoring train and val, 90 images, took three times predict. Work 740; 50 epochs: 50 · 70 + 40 = 3540.
    assert estimate(job(toy_folder, "cnn", "epochs=50"), store) == pytest.approx(
        SECONDS_A_RUN + 3 + (19 + 0.5 * 4) * 3540 / 740
    )
    assert estimate(job(toy_folder, "cnn", "epochs=10"), store) == pytest.approx(SECONDS_A_RUN + 24)


def test_two_amounts_of_work_give_a_line(toy_folder, store):
    put(store, job(toy_folder, "cnn", "epochs=10"), fit=17.4)  # 10 + 740 / 100
    put(store, job(toy_folder, "cnn", "epochs=20"), fit=24.4)  # 10 + 1440 / 100
    assert estimate(job(toy_folder, "cnn", "epochs=40"), store) == pytest.approx(SECONDS_A_RUN + 10 + 28.4)


def test_neither_part_of_a_line_is_negative(toy_folder, store):
    put(store, job(toy_folder, "cnn", "epochs=10"), fit=1.0)
    put(store, job(toy_folder, "cnn", "epochs=20"), fit=9.0)
    rate = (1.0 * 740 + 9.0 * 1440) / (740**2 + 1440**2)  # least squares through the origin
    assert estimate(job(toy_folder, "cnn", "epochs=40"), store) == pytest.approx(SECONDS_A_RUN + rate * 2840)


def test_a_tiny_record_is_not_believed_of_a_run_with_more_than_ten_times_its_work(toy_folder, store):
    small, large = job(toy_folder, "cnn", "epochs=1", limit=12), job(toy_folder, "cnn")
    put(store, small, load=1.0, fit=1000.0)
    wanted = amount_of_work(methods["cnn"], large.n, large.spec.params)
    assert wanted > 10 * amount_of_work(methods["cnn"], small.n, small.spec.params)
    assert estimate(large, store) == pytest.approx(SECONDS_A_RUN + prior(methods["cnn"], wanted))
    put(store, large, load=1.0, fit=99.0)  # downward any distance is fine
    assert estimate(small, store) > SECONDS_A_RUN + 1


def test_records_of_the_same_settings_come_before_others_and_other_devices_never(toy_folder, store):
    put(store, job(toy_folder, "svm-hog", "C=1,10,100"), fit=30.0)
    single = job(toy_folder, "svm-hog", "C=10")
    assert estimate(single, store) == pytest.approx(SECONDS_A_RUN + 30)
    put(store, dataclasses.replace(single, n={**N, "train": 59}), fit=10.0)
    assert estimate(single, store) == pytest.approx(SECONDS_A_RUN + 10 * (60 * 120) / (59 * 119))
    elsewhere = dataclasses.replace(single.spec, device="cuda")
    entry = methods["svm-hog"]
    expected = SECONDS_A_RUN + prior(entry, 60 * 120)
    assert estimate(dataclasses.replace(single, spec=elsewhere), store) == pytest.approx(expected)


def test_failed_and_broken_records_say_nothing(toy_folder, store):
    cnn = job(toy_folder, "cnn")
    store.save(RunRecord(cnn.spec, "failed", reason="no"))
    (store.path(cnn.spec).parent / "s9-0.json").write_text("{")
    assert estimate(cnn, store) == pytest.approx(
        SECONDS_A_RUN + prior(methods["cnn"], amount_of_work(methods["cnn"], N, cnn.spec.params))
    )


def test_starting_up_is_paid_once_and_a_run_that_cannot_be_done_costs_nothing(toy_folder, store):
    assert total([2.0, 3.0]) == SECONDS_TO_START + 5
    assert total([]) == 0
    assert estimate(job(toy_folder, "vgg11", "size=16"), store) == 0
