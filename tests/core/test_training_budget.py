"""How long nets are trained and how often val is scored, from counts alone."""

import itertools

import pytest

from cellbench.core.training_budget import (
    Budget,
    batches,
    budget,
    default_rate,
    epochs_between_scores,
    is_scored,
    steps,
)


@pytest.mark.parametrize("n", [8_701, 8_612, 65_000])
def test_many_images_have_the_budget_that_records_have(n):
    assert budget(n) == Budget(epochs=20, batch=64)


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (100, Budget(250, 16)),
        (499, Budget(49, 16)),
        (500, Budget(100, 32)),
        (2_000, Budget(49, 64)),
        (1, Budget(1500, 16)),
    ],
)
def test_few_images_have_small_batches_and_at_least_1500_steps(n, expected):
    found = budget(n)
    assert found == expected
    assert steps(n, {"epochs": found.epochs}) >= 1_500 > steps(n, {"epochs": found.epochs - 1})


def test_smaller_batches_take_a_smaller_rate_and_larger_ones_no_larger_rate():
    assert [default_rate("sgd", batch, 0.1) for batch in (16, 32, 64, 128)] == [0.025, 0.05, 0.1, 0.1]
    assert [default_rate(name, 16, 0.1) for name in ("adam", "adamw")] == [0.001, 0.001]


def test_a_net_may_ask_for_larger_batches_of_few_images():
    found = [budget(n, least_batch=64).batch for n in (8, 60, 95, 96, 100, 144, 192, 500, 2_000)]
    assert found == [16, 16, 16, 32, 32, 48, 64, 64, 64]
    assert budget(100, least_batch=64) == Budget(500, 32)
    assert budget(500, least_batch=64) == Budget(215, 64)
    assert budget(100, batch=8, least_batch=64) == Budget(125, 8)


def test_a_net_may_ask_for_more_steps_in_batches_as_large_as_it_wants_them():
    asked = {"least_batch": 64, "least_steps": 2_500}
    assert budget(500, **asked) == Budget(358, 64)  # 7 batches an epoch
    assert budget(2_000, **asked) == Budget(81, 64)
    assert budget(8_701, **asked) == Budget(20, 64)
    assert budget(100, **asked) == budget(100, least_batch=64) == Budget(500, 32)
    assert budget(500, batch=16, **asked) == Budget(49, 16)


def test_what_is_given_stays():
    assert budget(100, epochs=3) == Budget(3, 16)
    assert budget(100, batch=50) == Budget(750, 50)
    assert budget(100, 0, 8) == Budget(0, 8)


def test_partial_batches_are_left_out_and_several_batches_can_make_a_step():
    assert (batches(100, 16), batches(10, 16)) == (6, 1)
    assert steps(100, {"epochs": 2, "batch": 16, "accumulate": 4}) == 2 * 2
    assert steps(8_701, {"epochs": None, "batch": None, "accumulate": None}) == 20 * 135


@pytest.mark.parametrize(("n_train", "n_val"), [(8_701, 2_175), (8_612, 2_194), (1_200, 400), (100, 25), (30, 10)])
def test_val_is_scored_after_every_epoch_where_that_costs_at_most_a_fifth(n_train, n_val):
    between = epochs_between_scores(n_train, n_val)
    assert between == 1
    assert all(is_scored(epoch, 20, between) for epoch in range(1, 21))


@pytest.mark.parametrize(("n_train", "n_val", "epochs"), [(100, 2_175, 250), (500, 2_175, 100), (100, 12_500, 500)])
def test_scoring_a_large_val_part_costs_at_most_a_fifth_and_the_last_epoch_is_scored(n_train, n_val, epochs):
    between = epochs_between_scores(n_train, n_val)
    scored = [epoch for epoch in range(1, epochs + 1) if is_scored(epoch, epochs, between)]
    assert scored[-1] == epochs
    assert {after - before for before, after in itertools.pairwise(scored)} == {between}
    assert len(scored) * n_val / 3 <= epochs * n_train / 5


def test_a_short_training_is_scored_at_its_end_whatever_that_costs():
    assert [epoch for epoch in (1, 2, 3) if is_scored(epoch, 3, between=37)] == [3]
