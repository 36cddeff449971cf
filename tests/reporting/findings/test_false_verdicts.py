"""How often the rules behind verdicts are wrong, by simulation: those that say 5 % are so in at most 6 %."""

from types import SimpleNamespace

import numpy as np
import pytest

from cellbench.reporting.findings.judges.accuracy import reached
from cellbench.results.statistics.comparisons import compare_over_seeds
from cellbench.results.statistics.draws import compare_over_draws
from cellbench.results.statistics.intervals import interval


@pytest.mark.parametrize(("n", "ratio"), [(3, 1), (3, 3), (3, 10), (5, 1), (5, 3)])
def test_training_errors_that_do_not_differ_are_called_different_in_at_most_6_percent(n, ratio):
    """5,000 pairs of nets with n seeds each; the second varies `ratio` times as much over its seeds."""
    rng = np.random.default_rng(0)
    samples = rng.normal(0.95, 0.01, (5_000, n)), rng.normal(0.95, 0.01 * ratio, (5_000, n))
    stats_of = [np.stack([x.mean(1), x.std(1, ddof=1)], 1) for x in samples]
    found = [compare_over_seeds((*a, n), (*b, n)) for a, b in zip(*stats_of, strict=True)]
    assert np.mean([one.p <= 0.05 for one in found]) <= 0.06


@pytest.mark.parametrize(("truth", "share"), [(0.92, (0.98, 1)), (0.9155, (0.94, 1)), (0.89, (0, 0.03))])
def test_an_exact_reproduction_reaches_the_claimed_92_percent_and_one_of_89_does_not(truth, share):
    """20,000 reproductions on 2,720 images, right as often as `truth` says; 0.9155 is the least that rounds to 92 %."""
    images = np.zeros(2720, int)
    right, times = np.unique(np.random.default_rng(0).binomial(2720, truth, 20_000), return_counts=True)
    found = [reached(interval(images, (np.arange(2720) >= k).astype(int), resamples=300), 0.92) for k in right]
    assert all(sure for _, sure in found)
    assert share[0] <= np.average([difference > 0 for difference, _ in found], weights=times) <= share[1]


@pytest.mark.parametrize("n", [3, 5, 10])
def test_methods_that_do_not_differ_over_draws_of_a_split_are_told_apart_in_at_most_6_percent(n):
    """1,000 data sets of 250 samples, each drawn n times; both methods take the nearest mean, of other features.

    Without the correction for shared training images that errs in 9 to 24 %.
    """
    rng, wrongly = np.random.default_rng(0), 0
    for _ in range(1000):
        labels = rng.integers(0, 2, 250)
        samples = rng.normal(0, 1, (2, 250, 4)) + 0.6 * labels[None, :, None]
        order = [rng.permutation(250) for _ in range(n)]
        rows = [_drawn(one, labels, order) for one in samples]
        found = compare_over_draws(*rows, "accuracy")
        wrongly += found is not None and found.p <= 0.05
    assert wrongly / 1000 <= 0.06


def _drawn(samples, labels, orders):
    """A row of the method on these samples: 160 of each order are for training, the last 50 for testing."""
    runs = []
    for draw, order in enumerate(orders):
        train, test = order[:160], order[-50:]
        means = np.stack([samples[train][labels[train] == k].mean(0) for k in (0, 1)])
        answers = ((samples[test][:, None] - means) ** 2).sum(2).argmin(1)
        metrics = {"test": {"accuracy": float(np.mean(answers == labels[test]))}}
        runs.append(SimpleNamespace(record=SimpleNamespace(metrics=metrics, spec=SimpleNamespace(split=f"a@{draw}"))))
    return SimpleNamespace(runs=runs, n_train=160, n_test=50)
