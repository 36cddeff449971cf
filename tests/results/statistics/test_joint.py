"""Intervals over images and seeds together, by hand and by simulation."""

import math

import numpy as np
import pytest
import scipy.stats

from cellbench.results.statistics.bootstrap import Interval
from cellbench.results.statistics.joint import over_images_and_seeds, p_over_images_and_seeds

IMAGES = 2001
Z = scipy.stats.t.ppf(0.975, IMAGES - 1)
T_2 = scipy.stats.t.ppf(0.975, 2)


def over_images(centre, error=1.0):
    return Interval(centre - Z * error, centre + Z * error, 0.95, "test images", IMAGES)


def test_the_squares_of_halves_are_added():
    found = over_images_and_seeds(10.0, over_images(10.0, 3.0), 4.0, 2)
    half = math.hypot(3 * Z, 4 * T_2)
    assert (found.over, found.n) == ("test images and seeds", IMAGES)
    assert (10 - found.low, found.high - 10) == pytest.approx((half, half))


def test_p_is_that_of_the_interval_that_just_reaches_0():
    half = math.hypot(3 * Z, 4 * T_2)
    assert p_over_images_and_seeds(-half, over_images(-half, 3.0), 4.0, 2) == pytest.approx(0.05)
    assert p_over_images_and_seeds(0.0, over_images(0.0, 3.0), 4.0, 2) == pytest.approx(1)
    of_images = p_over_images_and_seeds(5.0, over_images(5.0), 1e-9, 2)
    assert of_images == pytest.approx(2 * scipy.stats.t.sf(5, IMAGES - 1))


def test_an_interval_that_leans_to_one_side_keeps_leaning():
    leaning = Interval(6.0, 12.0, 0.95, "test images", IMAGES)
    found = over_images_and_seeds(10.0, leaning, 0.1, 2)
    assert (found.low, found.high) == (pytest.approx(6, abs=0.05), pytest.approx(12, abs=0.05))


@pytest.mark.parametrize("ratio", [0.3, 1, 3])
@pytest.mark.parametrize("n", [3, 5])
def test_intervals_over_images_and_seeds_hold_what_is_expected_of_a_method(n, ratio):
    """Of 4,000 rows of n seeds; `ratio`: the error over seeds as a multiple of that over images."""
    rng = np.random.default_rng(n)
    seeds = rng.normal(0, ratio * math.sqrt(n), (4000, n))
    means, errors = rng.normal(0, 1, 4000) + seeds.mean(1), seeds.std(1, ddof=1) / math.sqrt(n)
    spans = [over_images_and_seeds(m, over_images(m), e, n - 1) for m, e in zip(means, errors, strict=True)]
    assert 0.945 <= np.mean([span.low <= 0 <= span.high for span in spans]) <= 0.99


@pytest.mark.parametrize("ratio", [1, 2])
def test_of_one_seed_the_interval_over_images_holds_it_far_less_often(ratio):
    """So that one seed says nothing of a method: 84 % where seeds vary as images do, 62 % at twice that."""
    rng = np.random.default_rng(0)
    means = rng.normal(0, 1, 4000) + rng.normal(0, ratio, 4000)
    held = np.mean([abs(mean) <= Z for mean in means])
    assert held == pytest.approx({1: 0.834, 2: 0.619}[ratio], abs=0.02)


@pytest.mark.parametrize(("n", "ratio"), [(3, 1), (3, 2), (10, 0.5), (10, 1)])
def test_methods_that_do_not_differ_are_told_apart_in_at_most_6_percent_of_2000(n, ratio):
    """A difference that has to show over images and over seeds apart, without adding them, errs more often."""
    rng = np.random.default_rng(n)
    a, b = rng.normal(0, ratio * math.sqrt(n / 2), (2, 2000, n))
    differences = rng.normal(0, 1, 2000) + b.mean(1) - a.mean(1)
    welch = scipy.stats.ttest_ind(b, a, axis=1, equal_var=False)
    errors = (b.mean(1) - a.mean(1)) / welch.statistic
    p = [
        p_over_images_and_seeds(d, over_images(d), e, df)
        for d, e, df in zip(differences, errors, welch.df, strict=True)
    ]
    images = 2 * scipy.stats.norm.sf(abs(differences))
    seeds = 2 * scipy.stats.t.sf(abs(differences) / errors, welch.df)
    assert np.mean(np.array(p) <= 0.05) <= 0.06
    assert (np.array(p) >= np.maximum(images, seeds) - 1e-3).all()
    if (n, ratio) == (10, 1):
        assert np.mean(np.maximum(images, seeds) <= 0.05) > 0.1
