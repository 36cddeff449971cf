"""Verdicts on how much nets overfit."""

import dataclasses

import numpy as np
import pytest
from scipy import stats as scipy_stats
from sklearn.metrics import f1_score

from cellbench.results.statistics import comparisons

from ..made_records import joint_p
from .scored import YEAST, claim_with, first_right, scored

METRIC_NAMES = ("accuracy", "macro_f1")


@pytest.mark.parametrize(
    ("few", "many", "verdict", "said"),
    [
        ((0.99, 60), (0.95, 90), "supported", "it narrows by 34.0 points"),
        ((0.7, 65), (0.99, 60), "contradicted", "it widens by 34.0 points"),
        ((0.9, 80), (0.9, 81), "inconclusive", "it narrows by 1.0 points"),
    ],
)
def test_overfitting_is_the_gap_at_few_images_minus_that_at_many(judge, few, many, verdict, said):
    found = judge(
        "nets-overfit-small-data",
        scored("cnn", first_right(few[1], 100), train=few[0], dataset=YEAST, limit=600, n=600),
        scored("cnn", first_right(many[1], 100), train=many[0], dataset=YEAST, n=60000),
    )
    assert found.rulings[0].verdict == verdict
    gaps = [train - right / 100 for train, right in (few, many)]
    assert found.rulings[0].trial.difference == pytest.approx(gaps[0] - gaps[1])
    assert "100 images a class" in found.rulings[0].trial.said
    assert said in found.rulings[0].trial.said
    assert [row["value"] for row in found.rulings[0].trial.evidence] == pytest.approx(gaps)


def curved(record, train, val):
    """Return the record with a history whose last epoch has these accuracies."""
    last = {f"{part}_{name}": value for part, value in (("train", train), ("val", val)) for name in METRIC_NAMES}
    return dataclasses.replace(record[0], history=({"epoch": 1.0}, last)), record[1]


def test_the_gap_is_also_taken_at_the_last_epoch_and_has_to_narrow_there_too(judge):
    """On test it falls from 40 points to 5; at the last epoch it grows from 10 to 20, over three seeds of each."""
    counts = {"val": 2175, "test": 100}
    few, many = (
        [
            scored(
                "cnn",
                first_right(right + i, 100),
                train=1.0,
                dataset=YEAST,
                seed=i,
                limit=limit,
                facts={"n": counts | {"train": n}},
            )
            for i in range(3)
        ]
        for right, limit, n in ((60, 600, 600), (93, None, 60000))
    )
    alone = judge("nets-overfit-small-data", *few, *many)
    assert (alone.verdict, len(alone.rulings)) == ("supported", 1)
    curves = [*(curved(one, 1.0, 0.9 + i / 1000) for i, one in enumerate(few))]
    curves += [*(curved(one, 1.0, 0.8 + i / 1000) for i, one in enumerate(many))]
    found = judge("nets-overfit-small-data", *curves)
    at_end = found.rulings[1]
    assert [one.verdict for one in found.rulings] == ["supported", "contradicted"]
    assert at_end.trial.difference == pytest.approx(-0.1)
    assert "gap from train to val at the last epoch in accuracy: 9.9 points" in at_end.trial.said
    assert found.verdict == "inconclusive"


def test_a_gap_is_judged_over_images_and_seeds(judge):
    """Over 100 images 30 points would be plain; the seeds, 30 points apart among themselves, don't show them."""
    few = [
        scored("cnn", first_right(k, 100), train=1.0, dataset=YEAST, limit=600, n=600, seed=i)
        for i, k in enumerate((40, 60, 80))
    ]
    many = [
        scored("cnn", first_right(k, 100), train=1.0, dataset=YEAST, n=60000, seed=i)
        for i, k in enumerate((70, 90, 95))
    ]
    (ruling,) = judge("nets-overfit-small-data", *few, *many).rulings
    welch = scipy_stats.ttest_ind([0.6, 0.4, 0.2], [0.3, 0.1, 0.05], equal_var=False)
    assert ruling.verdict == "inconclusive"
    assert welch.pvalue < ruling.p < 2 * welch.pvalue  # images add a little


def test_a_gap_in_macro_f1_is_judged_over_images_and_seeds_where_a_class_is_rare(judge):
    """Eight images of a class are too few for an interval to show, which p does without."""
    truth = np.array([0] * 92 + [1] * 8)

    def trained_on(n, limit, wrong):
        decided = [np.where(np.arange(100) < k, 1 - truth, truth) for k in wrong]
        f1 = [f1_score(truth, one, average="macro") for one in decided]
        sizes = {"train": 1.0, "truth": truth, "limit": limit, "n": n}
        return [scored("cnn", one, dataset=YEAST, seed=i, **sizes) for i, one in enumerate(decided)], decided, f1

    few, of_few, f1_few = trained_on(600, 600, (14, 20, 26))
    many, of_many, f1_many = trained_on(60000, None, (4, 7, 9))
    (ruling,) = judge(claim_with("nets-overfit-small-data", figure="macro_f1"), *few, *many).rulings
    images = comparisons.compare(truth, of_few, of_many, "macro_f1", classes=6, resamples=2000).interval
    gaps = [[1 - one for one in side] for side in (f1_few, f1_many)]
    assert ruling.trial.difference == pytest.approx(np.mean(gaps[0]) - np.mean(gaps[1]))
    assert ruling.p == pytest.approx(joint_p(ruling.trial.difference, images, *gaps), rel=1e-6)


def test_a_claim_of_nets_needs_every_net_and_says_which_is_open(judge):
    nets = [
        scored(name, first_right(k, 100), train=1.0, dataset=YEAST, **size)
        for name, kinds in (("cnn", (50, 90)), ("vgg11", (80, 81)))
        for k, size in zip(kinds, ({"limit": 600, "n": 600}, {"n": 60000}), strict=True)
    ]
    found = judge("nets-overfit-small-data", *nets)
    assert found.verdict == "inconclusive"
    assert "not shown in every comparison: supported at deepyeast, official (cnn); inconclusive at" in found.summary
    assert found.summary.endswith("deepyeast, official (vgg11) on deepyeast")


def test_overfitting_that_was_measured_up_to_all_of_the_data_is_settled(judge):
    found = judge(
        "nets-overfit-small-data",
        scored("cnn", first_right(60, 100), train=0.99, dataset=YEAST, limit=600, n=600),
        scored("cnn", first_right(90, 100), train=0.95, dataset=YEAST, n=60000),
    )
    assert (found.summary, found.commands) == ("supported on deepyeast", ())
    assert (found.rulings[0].trial.limit, found.rulings[0].trial.n) == (None, 60000)


def test_one_number_of_training_images_says_nothing_of_overfitting(judge):
    assert judge("nets-overfit-small-data", scored("cnn", first_right(20), dataset=YEAST)).verdict == "not tested"
