"""Which of two is more accurate: verdicts on made-up results, each known by hand."""

import math

import numpy as np
import pytest

from cellbench import load_results
from cellbench.reporting.findings import findings, show
from cellbench.reporting.findings import load as load_claims

from .scored import YEAST, claim_with, first_right, scored


def test_claims_that_are_judged_come_before_those_that_are_not(results):
    given = load_results(results(scored("svm-hog", first_right(40)), scored("cnn", first_right(30))))
    verdicts = [one.verdict for one in findings(given)]
    assert verdicts[0] == "supported"
    assert [one.claim.id for one in findings(given)][1] == "svm-above-simple-cnn-as-run"  # untested, beside its twin
    later = verdicts[2:]
    assert later == sorted(later, key=lambda verdict: verdict == "not tested")
    untested = [one.claim.id for one in findings(given)[2:] if one.verdict == "not tested"]
    assert {"vgg-above-simple-cnn", "vgg-above-simple-cnn-as-run"} <= set(untested)
    own_order = [claim.id for claim in load_claims()]
    assert untested == sorted(untested, key=own_order.index)


@pytest.mark.parametrize(
    ("svm", "cnn", "verdict"),
    [
        (first_right(40), first_right(30), "supported"),
        (first_right(30), first_right(40), "contradicted"),
        ([True] * 21 + [False] * 19, [True] * 19 + [False] * 2 + [True] * 1 + [False] * 18, "inconclusive"),
    ],
)
def test_which_is_more_accurate_is_judged_by_mcnemars_mid_p(judge, svm, cnn, verdict):
    found = judge("svm-above-simple-cnn", scored("svm-hog", svm, dataset=YEAST), scored("cnn", cnn, dataset=YEAST))
    (ruling,) = found.rulings
    assert (found.verdict, ruling.verdict) == (verdict, verdict)
    assert ruling.p == pytest.approx(2**-10 if verdict != "inconclusive" else 0.625)  # 1 of 3: 2 · (1/8 + 3/8 / 2)
    assert bool(ruling.needs) == (verdict == "inconclusive")
    assert found.commands == ()


@pytest.mark.parametrize(("pretrained", "verdict"), [(380, "supported"), (240, "contradicted"), (280, "inconclusive")])
def test_far_above_is_by_more_than_half_of_the_claimed_lead(judge, pretrained, verdict):
    """Against 200 of 400: 45 points, 10 and 20, of which 20 are asked for."""
    claim = claim_with("bninception-far-above-model2", figure="accuracy")
    found = judge(
        claim,
        scored("resnet18", first_right(pretrained, 400), named="bninception", facts={"pretrained": True}),
        scored("cnn", first_right(200, 400), named="model2-hpa28"),
    )
    assert found.verdict == verdict
    assert found.rulings[0].trial.difference == pytest.approx((pretrained - 200) / 400 - 0.2)
    assert "+20.0 points are asked for" in found.rulings[0].trial.said


def test_what_was_tuned_takes_no_part_as_the_other_side_had_no_such_budget(judge):
    tuned = {"tuning": {"trials": 40, "seconds": 700.0}}
    found = judge(
        "svm-above-simple-cnn",
        scored("svm-hog", first_right(30), dataset=YEAST),
        scored("svm-hog", first_right(40), dataset=YEAST, val=1.0, params={"C": 12.5}, facts=tuned),
        scored("cnn", first_right(36), dataset=YEAST),
    )
    (ruling,) = found.rulings
    assert ruling.trial.difference == pytest.approx((30 - 36) / 40)


def test_without_one_side_a_claim_is_not_tested_and_the_command_is_there(judge):
    found = judge("svm-above-simple-cnn", scored("svm-hog", first_right(40), dataset=YEAST))
    assert (found.verdict, found.rulings) == ("not tested", ())
    assert found.commands == claim_with("svm-above-simple-cnn").commands


@pytest.mark.parametrize(("places", "verdict"), [(3, "supported"), (4, "inconclusive")])
def test_several_comparisons_of_a_claim_are_one_family_by_holm(judge, places, verdict):
    """Six images that only one gets right: 2⁻⁶ each, times 3 is 0.047, times 4 is 0.0625."""
    limits = [None, 100, 200, 300][:places]
    records = [
        record
        for limit in limits
        for record in (
            scored("svm-hog", first_right(40), dataset=YEAST, limit=limit),
            scored("cnn", first_right(34), dataset=YEAST, limit=limit),
        )
    ]
    found = judge("svm-above-simple-cnn", *records)
    assert found.verdict == verdict
    assert [ruling.p for ruling in found.rulings] == pytest.approx([places / 64] * places)


def test_simulated_images_give_no_verdict_and_are_shown_marked(judge):
    simulated = {"synthetic": True}
    found = judge(
        "svm-above-simple-cnn",
        scored("svm-hog", first_right(40), dataset=YEAST, facts=simulated),
        scored("cnn", first_right(30), dataset=YEAST, facts=simulated),
    )
    assert (found.verdict, found.rulings, len(found.simulated)) == ("not tested", (), 1)
    assert all(row["simulated"] for row in found.simulated[0].evidence)
    text = show.as_text([found], [], 100, every=True)
    assert "simulated images, no verdict rests on this" in " ".join(text.split())
    assert "supported" not in text


def test_what_was_claimed_of_other_images_is_said_to_be_untested_there(judge):
    found = judge("svm-above-simple-cnn", scored("svm-hog", first_right(30)), scored("cnn", first_right(40)))
    assert found.verdict == "contradicted"
    assert found.summary == "contradicted on hep2; it was claimed of deepyeast, where it is not tested"
    assert found.commands


def test_where_it_was_claimed_outweighs_other_images(judge):
    found = judge(
        "svm-above-simple-cnn",
        scored("svm-hog", first_right(30)),
        scored("cnn", first_right(40)),
        scored("svm-hog", first_right(40), dataset=YEAST),
        scored("cnn", first_right(30), dataset=YEAST),
    )
    assert (found.verdict, found.summary) == ("supported", "supported on deepyeast")
    assert sorted(ruling.verdict for ruling in found.rulings) == ["contradicted", "supported"]


def test_places_that_disagree_make_it_inconclusive_and_are_named(judge):
    found = judge(
        "svm-above-simple-cnn",
        scored("svm-hog", first_right(30)),
        scored("cnn", first_right(40)),
        scored("svm-hog", first_right(40), dataset="blood"),
        scored("cnn", first_right(30), dataset="blood"),
    )
    assert found.verdict == "inconclusive"
    assert "supported at blood, official; contradicted at hep2, official" in found.summary


def test_twins_differ_in_one_setting_alone(judge):
    """The other pair differs in the learning rate too, so only one is compared."""
    kind = {"named": "alexnet-hep2"}
    found = judge(
        "smooth-l1-better",
        scored("alexnet", first_right(40), params={"loss": "smooth-l1"}, **kind),
        scored("alexnet", first_right(30), params={"loss": "auto"}, **kind),
        scored("alexnet", first_right(10), params={"loss": "auto", "lr": 0.3}, **kind),
    )
    (ruling,) = found.rulings
    assert (found.verdict, ruling.trial.difference) == ("supported", pytest.approx(0.25))


def test_over_three_seeds_the_difference_has_to_show_over_them_too(judge):
    """Accuracies 40, 30, 20 of 40 against 30 each: McNemar-like tests over images alone would not see the seeds."""
    records = [scored("svm-hog", first_right(k), seed=seed, dataset=YEAST) for seed, k in enumerate((40, 34, 28))]
    records += [scored("cnn", first_right(k), seed=seed, dataset=YEAST) for seed, k in enumerate((32, 31, 27))]
    found = judge("svm-above-simple-cnn", *records)
    (ruling,) = found.rulings
    assert found.verdict == "inconclusive"
    sds = (np.std([1, 34 / 40, 28 / 40], ddof=1), np.std([32 / 40, 31 / 40, 27 / 40], ddof=1))
    needed = math.ceil((2.8016 / 0.1) ** 2 * (sds[0] ** 2 + sds[1] ** 2))
    assert ruling.seeds == needed
    assert ruling.needs == f"about {needed - 3} more seeds of each would settle it"
    assert found.commands[0].endswith(f"--seeds 0-{needed - 1}")


@pytest.mark.parametrize("n", [1, 2, 3])
def test_one_trained_model_is_no_verdict_on_its_method(judge, n):
    nets = [scored("cnn", first_right(20), seed=seed, dataset=YEAST) for seed in range(n)]
    found = judge("svm-above-simple-cnn", scored("svm-hog", first_right(40), dataset=YEAST), *nets)
    (ruling,) = found.rulings
    if n == 3:
        assert (found.verdict, ruling.trial.few_seeds) == ("supported", ())
        return
    assert (found.verdict, ruling.p, ruling.seeds) == ("inconclusive", None, 3)
    assert ruling.needs == "one trained model is no verdict on its method: it takes three seeds of cnn"
    command = f"cellbench run --dataset {YEAST} --method cnn --device cpu --seeds 0-2"
    assert found.commands[0].startswith(f"cellbench run --dataset {YEAST} --method cnn")
    assert found.commands[0].endswith("--seeds 0-2"), command


def test_one_trained_model_does_not_count_where_others_are_settled(judge):
    """Shown of vgg11 by three seeds, while one seed of resnet18 says the opposite."""
    settled = [
        scored("vgg11", first_right(right, 100), train=1.0, dataset=YEAST, seed=seed, **size)
        for right, size in ((50, {"limit": 600, "n": 600}), (90, {"n": 60000}))
        for seed in range(3)
    ]
    alone = [
        scored("resnet18", first_right(right, 100), train=1.0, dataset=YEAST, seed=0, **size)
        for right, size in ((90, {"limit": 600, "n": 600}), (50, {"n": 60000}))
    ]
    found = judge("nets-overfit-small-data", *settled, *alone)
    assert found.verdict == "supported"
    assert found.summary.endswith("; not counted, as of fewer than three seeds: resnet18")


@pytest.mark.parametrize(
    ("resnet", "vgg", "verdict"), [(40, 28, "supported"), (28, 40, "contradicted"), (38, 37, "inconclusive")]
)
def test_the_best_has_to_beat_every_rival(judge, resnet, vgg, verdict):
    records = [
        scored(name, first_right(k), dataset=YEAST) for name, k in (("resnet18", resnet), ("vgg11", vgg), ("cnn", 20))
    ]
    found = judge("resnet18-best-yeast-net", *records)
    assert found.verdict == verdict
    assert {row["method"] for row in found.rulings[0].trial.evidence} == {"resnet18", "vgg11", "cnn"}


def test_the_best_of_one_is_not_tested(judge):
    records = [scored(name, first_right(k), dataset=YEAST) for name, k in (("resnet18", 40), ("cnn", 20))]
    assert judge("resnet18-best-yeast-net", *records).verdict == "not tested"
