"""How often the rules behind verdicts are wrong, by simulation: those that say 5 % are so in at most 6 %."""

import numpy as np
import pytest

from cellbench.reporting.findings.accuracy import reached
from cellbench.results.stats import compare_over_seeds, interval


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
