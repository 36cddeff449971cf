"""Verdicts on figures that were claimed, on leads at equal numbers, and on images of several labels."""

import pytest

from .scored import EPOCHS, claim_with, first_right, scored, scored_several_labels, seeded_net


def test_alexnet_from_scratch_says_nothing_of_transfer(judge):
    params = {"weights": None, "freeze": "none"}
    found = judge("alexnet-reaches-92", scored("alexnet", first_right(198, 200), named="alexnet-hep2", params=params))
    assert found.verdict == "not tested"


def masks(own, equal=None, n=(900, 600)):
    """Right of 400 on a random mask and on stratified, at their own numbers of images and at 500 each."""
    splits = ("random-mask:70", "stratified")
    records = [
        scored("resnet18", first_right(k, 400), split=s, dataset="hpa10", n=m)
        for k, s, m in zip(own, splits, n, strict=True)
    ]
    for k, split in zip(equal or (), splits, strict=bool(equal)):
        records.append(scored("resnet18", first_right(k, 400), split=split, dataset="hpa10", limit=500, n=500))
    return records


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        (masks((300, 220), (200, 200)), "supported"),  # a lead of 20 points, none at equal numbers
        (masks((300, 220), (300, 222)), "contradicted"),  # all of it stays
        (masks((220, 230)), "contradicted"),  # no lead
        (masks((300, 220), n=(600, 600)), "contradicted"),  # no more images
        (masks((300, 220)), "inconclusive"),  # equal numbers were not run
    ],
)
def test_more_images_explain_a_lead_that_goes_at_equal_numbers(judge, records, verdict):
    claim = claim_with("random-mask-has-more-data", figure="accuracy", both=())
    found = judge(claim, *records)
    assert found.verdict == verdict


def test_a_lead_that_goes_at_equal_numbers_of_one_seed_is_not_explained(judge):
    """The net has three seeds on all images and one on 500 of them: the single seed leaves the claim open."""
    claim = claim_with("random-mask-has-more-data", figure="accuracy", both=())
    of_all, equal = masks((300, 220), (200, 200))[:2], masks((300, 220), (200, 200))[2:]
    three = [seeded_net(one, seed) for one in of_all for seed in range(3)]
    found = judge(claim, *three, *(seeded_net(one, 0) for one in equal))
    (ruling,) = found.rulings
    assert (found.verdict, ruling.seeds, len(ruling.trial.few_seeds)) == ("inconclusive", 3, 1)
    assert any("--limit 500" in command and "--seeds 0-2" in command for command in ruling.trial.commands)
    settled = judge(claim, *three, *(seeded_net(one, seed) for one in equal for seed in range(3)))
    assert settled.verdict == "supported"


def test_of_several_labels_the_figure_that_was_claimed_is_compared(judge):
    inception = {"named": "inception_resnet_v2-hpa10", "params": {"weights": "imagenet"}}
    found = judge(
        "inception-above-simple-cnn",
        scored_several_labels(first_right(390, 400), dataset="hpa10", **inception),
        scored_several_labels(first_right(300, 400), "cnn", dataset="hpa10", params={"epochs": EPOCHS}),
    )
    (ruling,) = found.rulings
    assert (found.verdict, ruling.trial.evidence[0]["key"]) == ("supported", "test_macro_f1")
    f1 = [(2 + 2 * k / (400 + k)) / 3 for k in (390, 300)]  # two labels are always found
    assert ruling.trial.difference == pytest.approx(f1[0] - f1[1])


@pytest.mark.parametrize(("right", "verdict", "p"), [(15, "inconclusive", "p = 1"), (4, "supported", "p < 0.001")])
def test_where_a_class_is_rare_the_test_is_named_and_ten_images_of_each_class_are_asked_for(judge, right, verdict, p):
    """Classes have 8, 16 and 8 test images: averages over them have a p, by swaps, and no interval."""
    inception = {"named": "inception_resnet_v2-hpa10", "params": {"weights": "imagenet"}}
    found = judge(
        "inception-above-simple-cnn",
        scored_several_labels(first_right(16, 16), dataset="hpa10", **inception),
        scored_several_labels(first_right(right, 16), "cnn", dataset="hpa10", params={"epochs": EPOCHS}),
    )
    (ruling,) = found.rulings
    gain = "no difference shown, +1.1 points" if verdict == "inconclusive" else "+20.0 points"
    assert f": {gain} (swaps, {p}); one seed each" in ruling.trial.said
    assert found.verdict == verdict
    if verdict == "inconclusive":
        assert (ruling.needs, ruling.seeds) == (
            "it takes 10 test images of each class, as with fewer an average over classes has no interval",
            None,
        )


def test_each_random_mask_has_a_lead_of_its_own(judge):
    """Of two masks one leaves as many images as the other split: that lead can't come from them."""
    claim = claim_with("random-mask-has-more-data", figure="accuracy", both=())
    other = scored("resnet18", first_right(300, 400), split="random-mask:80", dataset="hpa10", n=600)
    found = judge(claim, *masks((300, 220), (200, 200)), other)
    assert {one.trial.split: one.verdict for one in found.rulings} == {
        "random-mask:70": "supported",
        "random-mask:80": "contradicted",
    }


def test_a_mask_that_leaves_no_more_images_by_design_is_no_evidence(judge):
    claim = claim_with("random-mask-has-more-data", figure="accuracy", both=())
    records = [
        scored("resnet18", first_right(300, 400), split=s, dataset="hpa10") for s in ("random-mask", "stratified")
    ]
    assert judge(claim, *records).verdict == "not tested"


def test_the_random_masks_lead_is_one_of_f1_averaged_over_images(judge):
    params = {"thresholds": 0.5}
    records = [
        scored_several_labels(first_right(k, 400), split=split, dataset="hpa10", params=params)
        for split, k in (("random-mask:70", 400), ("stratified", 100))
    ]
    found = judge("random-mask-has-more-data", *records)
    assert found.verdict == "contradicted"  # both trained on as many
    assert found.rulings[0].trial.evidence[0]["key"] == "test_sample_averaged_f1"
