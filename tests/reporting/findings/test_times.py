"""Verdicts on training times."""

import math

import pytest

from .scored import YEAST, first_right, scored


def timed(method, seconds, **changes):
    return scored(method, first_right(30), seconds={"fit": seconds}, **changes)


@pytest.mark.parametrize(
    ("svm", "verdict"), [(2.1, "supported"), (1.9, "inconclusive"), (0.6, "inconclusive"), (0.4, "contradicted")]
)
def test_single_times_have_to_differ_by_a_factor_of_two(judge, svm, verdict):
    found = judge("svm-slower-on-cpu", timed("svm-hog", svm, dataset=YEAST), timed("cnn", 1.0, dataset=YEAST))
    assert found.verdict == verdict
    assert found.rulings[0].trial.difference == pytest.approx(math.log(svm))


def test_three_times_of_each_are_compared_by_welchs_t_of_logarithms(judge):
    """A tenth longer, varying by a hundredth: a factor of two is not asked for."""
    records = [timed("svm-hog", 1.1 * t, dataset=YEAST, seed=i) for i, t in enumerate((0.99, 1.0, 1.01))]
    records += [timed("cnn", t, dataset=YEAST, seed=i) for i, t in enumerate((0.99, 1.0, 1.01))]
    assert judge("svm-slower-on-cpu", *records).verdict == "supported"


def test_times_of_unlike_hardware_are_compared_only_by_the_claim_that_says_so(judge):
    records = (timed("svm-hog", 100.0, dataset=YEAST), timed("cnn", 1.0, dataset=YEAST, device="cuda"))
    assert judge("svm-slower-on-cpu", *records).verdict == "not tested"
    found = judge("svm-on-cpu-slower-than-net-on-gpu", *records)
    assert found.verdict == "supported"
    assert "UNLIKE DEVICES" in found.rulings[0].trial.said


def test_times_from_a_busy_machine_are_no_evidence(judge):
    svm, net = timed("svm-hog", 100.0, dataset=YEAST), timed("cnn", 1.0, dataset=YEAST, others=0.2)
    assert judge("svm-slower-on-cpu", svm, net).verdict == "not tested"
