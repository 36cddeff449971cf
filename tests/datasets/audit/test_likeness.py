"""Statistics of neighbours against hand computations."""

import numpy as np
import pytest

from cellbench.datasets.audit import likeness

from .made import drift


def test_correlations_by_lag_are_pearsons():
    values = drift(300, 10)
    curve = likeness.lag_curve(values, np.arange(300))
    assert list(curve) == ["1", "2", "5", "10", "20", "50", "100", "200"]
    for lag, found in curve.items():
        assert found == pytest.approx(np.corrcoef(values[: -int(lag)], values[int(lag) :])[0, 1], abs=6e-5)


def test_autocorrelation_is_the_sum_of_products_over_the_variance():
    values = drift(50, 5)
    centred = values - values.mean()
    by_hand = [centred[: 50 - lag] @ centred[lag:] / (centred @ centred) for lag in range(50)]
    assert likeness.autocorrelation(values) == pytest.approx(np.array(by_hand))
    assert (likeness.autocorrelation(np.ones(9)) == 0).all()


def test_the_likeness_reaches_the_last_lag_above_bartletts_bound():
    curve = np.zeros(400)
    curve[:5] = (1, 0.8, 0.5, 0.3, 0.15)
    error = [np.sqrt((1 + 2 * squares) / 400) for squares in (0, 0.64, 0.89, 0.98)]  # at lags 1 to 4
    assert [value > 2.326 * bound for value, bound in zip(curve[1:5], error, strict=True)] == [True, True, True, False]
    assert likeness.reach_of_likeness([curve]) == 3
    assert likeness.reach_of_likeness([curve] * 4) == 4  # more classes, a surer mean
    assert likeness.reach_of_likeness([np.r_[1, np.zeros(399)]]) == 0


def test_values_that_stretches_of_60_share_reach_no_further():
    """Wells of 60 images: the correlation falls in a straight line to 0 at lag 60."""
    reaches = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=50).repeat(60) + 0.5 * rng.normal(size=3000)
        reaches.append(likeness.reach_of_likeness([likeness.autocorrelation(values)]))
    assert 25 <= np.median(reaches) <= 60
