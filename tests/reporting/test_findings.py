"""Verdicts on made-up results, each known by hand."""

import dataclasses
import json
import math
import re

import numpy as np
import pytest
from scipy import stats as scipy_stats
from sklearn.metrics import f1_score

from cellbench import load_results
from cellbench.core.errors import UsageError
from cellbench.core.metrics import evaluate
from cellbench.reporting.findings import claim as claims
from cellbench.reporting.findings import find, findings, power, rows_of, sentences, show
from cellbench.reporting.findings import load as load_claims
from cellbench.results import stats

from .conftest import joint_p, make, scores

YEAST = "deepyeast"
METRIC_NAMES = ("accuracy", "macro_f1")
EPOCHS = 100_000  # as many as any source's protocol asks for, however few images there are


def told(method, right, named=None, train=None, val=None, truth=None, n=None, params=None, **changes):
    """A record and predictions: right, of each test image whether it is; `truth` and `right` as labels if it is given.

    named: the method's name, if not that of the record it is made from.
    Nets have EPOCHS unless params say otherwise. train, val: accuracies. n: training images. Without a seed the record
    is of a method that no seed changes.
    """
    facts = {**({"n": {"train": n}} if n else {}), **({} if "seed" in changes else {"seeded": False})}
    facts |= changes.pop("facts", {})
    record = make(method, facts=facts, **changes)
    labels = np.where(np.array(right, bool), 0, 1) if truth is None else np.array(right)
    kept = scores(labels.tolist())
    if truth is not None:
        kept["test_labels"] = np.array(truth)
    test = evaluate(kept["test_labels"], kept["test_scores"])
    metrics = {**record.metrics, "test": test}
    for part, value in (("train", train), ("val", val)):
        if value is not None:
            metrics[part] = {**metrics[part], "accuracy": value, "macro_f1": value}
    long = {"epochs": EPOCHS} if "epochs" in record.spec.params else {}
    params = {**record.spec.params, **long, **(params or {})}
    spec = dataclasses.replace(record.spec, method=named or method, params=params)
    return dataclasses.replace(record, spec=spec, metrics=metrics), kept


def first(k, n=40):
    """The first k of n images right."""
    return [i < k for i in range(n)]


@pytest.fixture
def judge(results):
    """The finding on a claim, by id or as it is, from records."""

    def of(claim, *records):
        given = load_results(results(*records))
        if isinstance(claim, str):
            (found,) = findings(given, [claim])
            return found
        return find(claim, rows_of(given))

    return of


def the(name, **changes):
    (claim,) = claims.chosen(load_claims(), [name])
    return dataclasses.replace(claim, **changes)


def test_claims_that_are_judged_come_before_those_that_are_not(results):
    given = load_results(results(told("svm-hog", first(40)), told("cnn", first(30))))
    verdicts = [one.verdict for one in findings(given)]
    assert verdicts[0] == "supported"
    assert [one.claim.id for one in findings(given)][1] == "svm-above-simple-cnn-as-run"  # untested, beside its twin
    later = verdicts[2:]
    assert later == sorted(later, key=lambda verdict: verdict == "not tested")
    untested = [one.claim.id for one in findings(given)[2:] if one.verdict == "not tested"]
    assert {"vgg-above-simple-cnn", "vgg-above-simple-cnn-as-run"} <= set(untested)
    own_order = [claim.id for claim in load_claims()]
    assert untested == sorted(untested, key=own_order.index)


# more_accurate: 10 images that only one gets right have a mid-p of 2⁻¹⁰


@pytest.mark.parametrize(
    ("svm", "cnn", "verdict"),
    [
        (first(40), first(30), "supported"),
        (first(30), first(40), "contradicted"),
        ([True] * 21 + [False] * 19, [True] * 19 + [False] * 2 + [True] * 1 + [False] * 18, "inconclusive"),
    ],
)
def test_which_is_more_accurate_is_judged_by_mcnemars_mid_p(judge, svm, cnn, verdict):
    found = judge("svm-above-simple-cnn", told("svm-hog", svm, dataset=YEAST), told("cnn", cnn, dataset=YEAST))
    (ruling,) = found.rulings
    assert (found.verdict, ruling.verdict) == (verdict, verdict)
    assert ruling.p == pytest.approx(2**-10 if verdict != "inconclusive" else 0.625)  # 1 of 3: 2 · (1/8 + 3/8 / 2)
    assert bool(ruling.needs) == (verdict == "inconclusive")
    assert found.commands == ()


@pytest.mark.parametrize(("pretrained", "verdict"), [(380, "supported"), (240, "contradicted"), (280, "inconclusive")])
def test_far_above_is_by_more_than_half_of_the_claimed_lead(judge, pretrained, verdict):
    """Against 200 of 400: 45 points, 10 and 20, of which 20 are asked for."""
    claim = the("bninception-far-above-model2", figure="accuracy")
    found = judge(
        claim,
        told("resnet18", first(pretrained, 400), named="bninception", facts={"pretrained": True}),
        told("cnn", first(200, 400), named="model2-hpa28"),
    )
    assert found.verdict == verdict
    assert found.rulings[0].trial.difference == pytest.approx((pretrained - 200) / 400 - 0.2)
    assert "+20.0 points are asked for" in found.rulings[0].trial.said


def test_without_one_side_a_claim_is_not_tested_and_the_command_is_there(judge):
    found = judge("svm-above-simple-cnn", told("svm-hog", first(40), dataset=YEAST))
    assert (found.verdict, found.rulings) == ("not tested", ())
    assert found.commands == the("svm-above-simple-cnn").commands


@pytest.mark.parametrize(("places", "verdict"), [(3, "supported"), (4, "inconclusive")])
def test_several_comparisons_of_a_claim_are_one_family_by_holm(judge, places, verdict):
    """Six images that only one gets right: 2⁻⁶ each, times 3 is 0.047, times 4 is 0.0625."""
    limits = [None, 100, 200, 300][:places]
    records = [
        record
        for limit in limits
        for record in (
            told("svm-hog", first(40), dataset=YEAST, limit=limit),
            told("cnn", first(34), dataset=YEAST, limit=limit),
        )
    ]
    found = judge("svm-above-simple-cnn", *records)
    assert found.verdict == verdict
    assert [ruling.p for ruling in found.rulings] == pytest.approx([places / 64] * places)


def test_simulated_images_give_no_verdict_and_are_shown_marked(judge):
    simulated = {"synthetic": True}
    found = judge(
        "svm-above-simple-cnn",
        told("svm-hog", first(40), dataset=YEAST, facts=simulated),
        told("cnn", first(30), dataset=YEAST, facts=simulated),
    )
    assert (found.verdict, found.rulings, len(found.simulated)) == ("not tested", (), 1)
    assert all(row["simulated"] for row in found.simulated[0].evidence)
    text = show.as_text([found], [], 100, every=True)
    assert "simulated images, no verdict rests on this" in " ".join(text.split())
    assert "supported" not in text


def test_what_was_claimed_of_other_images_is_said_to_be_untested_there(judge):
    found = judge("svm-above-simple-cnn", told("svm-hog", first(30)), told("cnn", first(40)))
    assert found.verdict == "contradicted"
    assert found.summary == "contradicted on hep2; it was claimed of deepyeast, where it is not tested"
    assert found.commands


def test_where_it_was_claimed_outweighs_other_images(judge):
    found = judge(
        "svm-above-simple-cnn",
        told("svm-hog", first(30)),
        told("cnn", first(40)),
        told("svm-hog", first(40), dataset=YEAST),
        told("cnn", first(30), dataset=YEAST),
    )
    assert (found.verdict, found.summary) == ("supported", "supported on deepyeast")
    assert sorted(ruling.verdict for ruling in found.rulings) == ["contradicted", "supported"]


def test_places_that_disagree_make_it_inconclusive_and_are_named(judge):
    found = judge(
        "svm-above-simple-cnn",
        told("svm-hog", first(30)),
        told("cnn", first(40)),
        told("svm-hog", first(40), dataset="blood"),
        told("cnn", first(30), dataset="blood"),
    )
    assert found.verdict == "inconclusive"
    assert "supported at blood, official; contradicted at hep2, official" in found.summary


def test_twins_differ_in_one_setting_alone(judge):
    """The other pair differs in the learning rate too, so only one is compared."""
    kind = {"named": "alexnet-hep2"}
    found = judge(
        "smooth-l1-better",
        told("alexnet", first(40), params={"loss": "smooth-l1"}, **kind),
        told("alexnet", first(30), params={"loss": "auto"}, **kind),
        told("alexnet", first(10), params={"loss": "auto", "lr": 0.3}, **kind),
    )
    (ruling,) = found.rulings
    assert (found.verdict, ruling.trial.difference) == ("supported", pytest.approx(0.25))


def test_over_three_seeds_the_difference_has_to_show_over_them_too(judge):
    """Accuracies 40, 30, 20 of 40 against 30 each: McNemar-like tests over images alone would not see the seeds."""
    records = [told("svm-hog", first(k), seed=seed, dataset=YEAST) for seed, k in enumerate((40, 34, 28))]
    records += [told("cnn", first(k), seed=seed, dataset=YEAST) for seed, k in enumerate((32, 31, 27))]
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
    nets = [told("cnn", first(20), seed=seed, dataset=YEAST) for seed in range(n)]
    found = judge("svm-above-simple-cnn", told("svm-hog", first(40), dataset=YEAST), *nets)
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
        told("vgg11", first(right, 100), train=1.0, dataset=YEAST, seed=seed, **size)
        for right, size in ((50, {"limit": 600, "n": 600}), (90, {"n": 60000}))
        for seed in range(3)
    ]
    alone = [
        told("resnet18", first(right, 100), train=1.0, dataset=YEAST, seed=0, **size)
        for right, size in ((90, {"limit": 600, "n": 600}), (50, {"n": 60000}))
    ]
    found = judge("nets-overfit-small-data", *settled, *alone)
    assert found.verdict == "supported"
    assert found.summary.endswith("; not counted, as of fewer than three seeds: resnet18")


# best_of


@pytest.mark.parametrize(
    ("resnet", "vgg", "verdict"), [(40, 28, "supported"), (28, 40, "contradicted"), (38, 37, "inconclusive")]
)
def test_the_best_has_to_beat_every_rival(judge, resnet, vgg, verdict):
    records = [told(name, first(k), dataset=YEAST) for name, k in (("resnet18", resnet), ("vgg11", vgg), ("cnn", 20))]
    found = judge("resnet18-best-yeast-net", *records)
    assert found.verdict == verdict
    assert {row["method"] for row in found.rulings[0].trial.evidence} == {"resnet18", "vgg11", "cnn"}


def test_the_best_of_one_is_not_tested(judge):
    records = [told(name, first(k), dataset=YEAST) for name, k in (("resnet18", 40), ("cnn", 20))]
    assert judge("resnet18-best-yeast-net", *records).verdict == "not tested"


# slower


def timed(method, seconds, **changes):
    return told(method, first(30), seconds={"fit": seconds}, **changes)


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


# gap_by_n


@pytest.mark.parametrize(
    ("few", "many", "verdict"),
    [
        ((0.99, 60), (0.95, 90), "supported"),
        ((0.7, 65), (0.99, 60), "contradicted"),
        ((0.9, 80), (0.9, 81), "inconclusive"),
    ],
)
def test_overfitting_is_the_gap_at_few_images_minus_that_at_many(judge, few, many, verdict):
    found = judge(
        "nets-overfit-small-data",
        told("cnn", first(few[1], 100), train=few[0], dataset=YEAST, limit=600, n=600),
        told("cnn", first(many[1], 100), train=many[0], dataset=YEAST, n=60000),
    )
    assert found.rulings[0].verdict == verdict
    gaps = [train - right / 100 for train, right in (few, many)]
    assert found.rulings[0].trial.difference == pytest.approx(gaps[0] - gaps[1])
    assert "100 images a class" in found.rulings[0].trial.said
    assert [row["value"] for row in found.rulings[0].trial.evidence] == pytest.approx(gaps)


def curved(record, train, val):
    """The record with a history that ends with these accuracies."""
    last = {f"{part}_{name}": value for part, value in (("train", train), ("val", val)) for name in METRIC_NAMES}
    return dataclasses.replace(record[0], history=({"epoch": 1.0}, last)), record[1]


def test_the_gap_is_also_taken_at_the_last_epoch_and_has_to_narrow_there_too(judge):
    """On test it falls from 40 points to 5; at the last epoch it grows from 10 to 20, over three seeds of each."""
    counts = {"val": 2175, "test": 100}
    few, many = (
        [
            told(
                "cnn",
                first(right + i, 100),
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
        told("cnn", first(k, 100), train=1.0, dataset=YEAST, limit=600, n=600, seed=i)
        for i, k in enumerate((40, 60, 80))
    ]
    many = [told("cnn", first(k, 100), train=1.0, dataset=YEAST, n=60000, seed=i) for i, k in enumerate((70, 90, 95))]
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
        return [told("cnn", one, dataset=YEAST, seed=i, **sizes) for i, one in enumerate(decided)], decided, f1

    few, of_few, f1_few = trained_on(600, 600, (14, 20, 26))
    many, of_many, f1_many = trained_on(60000, None, (4, 7, 9))
    (ruling,) = judge(the("nets-overfit-small-data", figure="macro_f1"), *few, *many).rulings
    images = stats.compare(truth, of_few, of_many, "macro_f1", classes=6, resamples=2000).interval
    gaps = [[1 - one for one in side] for side in (f1_few, f1_many)]
    assert ruling.trial.difference == pytest.approx(np.mean(gaps[0]) - np.mean(gaps[1]))
    assert ruling.p == pytest.approx(joint_p(ruling.trial.difference, images, *gaps), rel=1e-6)


def test_a_claim_of_nets_needs_every_net_and_says_which_is_open(judge):
    nets = [
        told(name, first(k, 100), train=1.0, dataset=YEAST, **size)
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
        told("cnn", first(60, 100), train=0.99, dataset=YEAST, limit=600, n=600),
        told("cnn", first(90, 100), train=0.95, dataset=YEAST, n=60000),
    )
    assert (found.summary, found.commands) == ("supported on deepyeast", ())
    assert (found.rulings[0].trial.limit, found.rulings[0].trial.n) == (None, 60000)


def test_one_number_of_training_images_says_nothing_of_overfitting(judge):
    assert judge("nets-overfit-small-data", told("cnn", first(20), dataset=YEAST)).verdict == "not tested"


# training errors: Welch's t, from three seeds on


def trained(method, *accuracies):
    return [told(method, first(30), train=value, seed=seed) for seed, value in enumerate(accuracies)]


@pytest.mark.parametrize(
    ("deep", "verdict"),
    [
        ((0.90, 0.91, 0.92), "supported"),
        ((0.98, 0.99, 1.0), "contradicted"),
        ((0.945, 0.955, 0.965), "inconclusive"),
        ((0.5, 0.51), "inconclusive"),
    ],
)
def test_degradation_is_a_higher_training_error_by_welchs_t_from_three_seeds_on(judge, deep, verdict):
    shallow = (0.95, 0.96, 0.97)
    found = judge("plain-nets-degrade", *trained("plain18", *shallow), *trained("plain34", *deep))
    (ruling,) = found.rulings
    assert found.verdict == verdict
    if len(deep) == 2:
        assert ruling.seeds == 3
        assert ruling.needs == "one trained model is no verdict on its method: it takes three seeds of plain34"
        assert found.commands[1] == "cellbench run --suite depth -m 'plain*'"  # three seeds are its own
    else:
        assert ruling.p == pytest.approx(scipy_stats.ttest_ind(deep, shallow, equal_var=False).pvalue)


def test_training_errors_of_several_kinds_of_net_are_one_family(judge):
    """Of thin and wide nets p is 0.03 each: shown of one alone, not of two."""
    wide = [*trained("plain18", 0.95, 0.96, 0.97), *trained("plain34", 0.925, 0.935, 0.945)]
    thin = [
        *renamed(trained("plain18", 0.95, 0.96, 0.97), "plain20", 20),
        *renamed(trained("plain18", 0.925, 0.935, 0.945), "plain56", 56),
    ]
    p = scipy_stats.ttest_ind([0.925, 0.935, 0.945], [0.95, 0.96, 0.97], equal_var=False).pvalue
    assert judge("plain-nets-degrade", *wide).verdict == "supported"
    assert p < 0.05 < 2 * p
    found = judge("plain-nets-degrade", *wide, *thin)
    assert [one.p for one in found.rulings] == pytest.approx([2 * p, 2 * p])
    assert found.verdict == "inconclusive"


def renamed(records, name, depth):
    """The records as of another net."""
    return [
        (
            dataclasses.replace(
                record,
                spec=dataclasses.replace(record.spec, method=name),
                facts={**record.facts, "depth": depth},
            ),
            kept,
        )
        for record, kept in records
    ]


def test_thin_nets_are_not_compared_in_depth_with_wide_ones(judge):
    """From 18 to 56 layers the error would rise: the thin net of 56 has a tenth of the channels too."""
    thin = renamed(trained("plain18", 0.90, 0.91, 0.92), "plain56", 56)
    wide = trained("plain18", 0.96, 0.97, 0.98)
    assert judge("plain-nets-degrade", *wide, *thin).verdict == "not tested"
    found = judge(
        "plain-nets-degrade",
        *thin,
        *renamed(trained("plain18", 0.96, 0.97, 0.98), "plain20", 20),
        *trained("plain18", 0.92, 0.93, 0.94),
        *trained("plain34", 0.97, 0.98, 0.99),
    )
    assert {one.verdict for one in found.rulings} == {"supported", "contradicted"}
    assert found.summary.startswith(
        "inconclusive, it depends on where: supported at hep2, official (plain20); "
        "contradicted at hep2, official (plain18)"
    )


@pytest.mark.parametrize(
    ("residual", "verdict"), [((0.98, 0.99, 1.0), "supported"), ((0.80, 0.81, 0.82), "contradicted")]
)
def test_shortcuts_are_judged_at_the_greatest_depth_that_both_have(judge, residual, verdict):
    found = judge(
        "shortcuts-cure-degradation",
        *trained("plain18", 0.96, 0.97, 0.98),
        *trained("plain34", 0.90, 0.91, 0.92),
        *trained("resnet18", 0.90, 0.91, 0.92),
        *trained("resnet34", *residual),
    )
    assert found.verdict == verdict


def test_pretrained_nets_say_nothing_of_shortcuts(judge):
    pretrained = [told("resnet18", first(30), train=0.99, seed=seed, facts={"pretrained": True}) for seed in range(2)]
    assert judge("shortcuts-cure-degradation", *trained("plain18", 0.9, 0.91), *pretrained).verdict == "not tested"


def test_residual_nets_are_judged_by_the_fall_with_depth(judge):
    records = (*trained("resnet18", 0.95, 0.96, 0.97), *trained("resnet34", 0.98, 0.99, 1.0))
    assert judge("deeper-residual-nets-fit-no-worse", *records).verdict == "supported"


# reaches


@pytest.mark.parametrize(
    ("right", "n", "verdict"),
    [
        (396, 400, "supported"),
        (368, 400, "supported"),
        (300, 400, "contradicted"),
        (43, 50, "inconclusive"),
    ],
)
def test_a_figure_is_reached_unless_its_interval_lies_below_what_rounds_to_it(judge, right, n, verdict):
    """0.99 ± 0.01, 0.92 ± 0.03 and 0.75 ± 0.04 against 0.915; 0.86 ± 0.1 is too wide to say."""
    params = {"weights": "imagenet", "freeze": "convolutions"}
    found = judge("alexnet-reaches-92", told("alexnet", first(right, n), named="alexnet-hep2", params=params))
    assert found.verdict == verdict
    assert "claimed 92 %, that is 91.5 % to 92.5 %" in found.rulings[0].trial.said
    assert ("wider than 10 points" in found.rulings[0].needs) == (verdict == "inconclusive")


def test_alexnet_from_scratch_says_nothing_of_transfer(judge):
    params = {"weights": None, "freeze": "none"}
    found = judge("alexnet-reaches-92", told("alexnet", first(198, 200), named="alexnet-hep2", params=params))
    assert found.verdict == "not tested"


# explained_by_n, here of accuracy


def masks(own, equal=None, n=(900, 600)):
    """Right of 400 on a random mask and on stratified, at their own numbers of images and at 500 each."""
    splits = ("random-mask:70", "stratified")
    records = [
        told("resnet18", first(k, 400), split=s, dataset="hpa10", n=m) for k, s, m in zip(own, splits, n, strict=True)
    ]
    for k, split in zip(equal or (), splits, strict=bool(equal)):
        records.append(told("resnet18", first(k, 400), split=split, dataset="hpa10", limit=500, n=500))
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
    claim = the("random-mask-has-more-data", figure="accuracy", both=())
    found = judge(claim, *records)
    assert found.verdict == verdict


def test_a_lead_that_goes_at_equal_numbers_of_one_seed_is_not_explained(judge):
    """All images were trained on with three seeds, 500 of them with one: it is that one which leaves the claim open."""
    claim = the("random-mask-has-more-data", figure="accuracy", both=())
    of_all, equal = masks((300, 220), (200, 200))[:2], masks((300, 220), (200, 200))[2:]
    three = [net(one, seed) for one in of_all for seed in range(3)]
    found = judge(claim, *three, *(net(one, 0) for one in equal))
    (ruling,) = found.rulings
    assert (found.verdict, ruling.seeds, len(ruling.trial.few_seeds)) == ("inconclusive", 3, 1)
    assert any("--limit 500" in command and "--seeds 0-2" in command for command in ruling.trial.commands)
    settled = judge(claim, *three, *(net(one, seed) for one in equal for seed in range(3)))
    assert settled.verdict == "supported"


def net(one, seed):
    """The record as one of a net, that a seed changes."""
    record, kept = one
    spec = dataclasses.replace(record.spec, seed=seed)
    return dataclasses.replace(record, spec=spec, facts={**record.facts, "seeded": True}), kept


def several(right, method="resnet18", named=None, params=None, **changes):
    """A record of images with two labels of three each; the second one is missed where `right` says no."""
    truth = np.tile([[True, True, False], [False, True, True]], (len(right) // 2, 1))
    decided = truth.copy()
    decided[~np.array(right), 1] = False
    logits = np.where(decided, 1.0, -1.0).astype(np.float32)
    kept = {"test_scores": logits, "test_labels": truth, "test_index": np.arange(len(truth))}
    record = make(method, **changes)
    spec = dataclasses.replace(record.spec, method=named or method, params={**record.spec.params, **(params or {})})
    facts = {**record.facts, "multilabel": True, "seeded": False}
    metrics = {**record.metrics, "test": evaluate(truth, logits, 0.0)}
    return dataclasses.replace(record, spec=spec, facts=facts, metrics=metrics), kept


def test_of_several_labels_the_figure_that_was_claimed_is_compared(judge):
    inception = {"named": "inception_resnet_v2-hpa10", "params": {"weights": "imagenet"}}
    found = judge(
        "inception-above-simple-cnn",
        several(first(390, 400), dataset="hpa10", **inception),
        several(first(300, 400), "cnn", dataset="hpa10", params={"epochs": EPOCHS}),
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
        several(first(16, 16), dataset="hpa10", **inception),
        several(first(right, 16), "cnn", dataset="hpa10", params={"epochs": EPOCHS}),
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
    claim = the("random-mask-has-more-data", figure="accuracy", both=())
    other = told("resnet18", first(300, 400), split="random-mask:80", dataset="hpa10", n=600)
    found = judge(claim, *masks((300, 220), (200, 200)), other)
    assert {one.trial.split: one.verdict for one in found.rulings} == {
        "random-mask:70": "supported",
        "random-mask:80": "contradicted",
    }


def test_a_mask_that_leaves_no_more_images_by_design_is_no_evidence(judge):
    claim = the("random-mask-has-more-data", figure="accuracy", both=())
    records = [told("resnet18", first(300, 400), split=s, dataset="hpa10") for s in ("random-mask", "stratified")]
    assert judge(claim, *records).verdict == "not tested"


def test_the_random_masks_lead_is_one_of_f1_averaged_over_images(judge):
    params = {"thresholds": 0.5}
    records = [
        several(first(k, 400), split=split, dataset="hpa10", params=params)
        for split, k in (("random-mask:70", 400), ("stratified", 100))
    ]
    found = judge("random-mask-has-more-data", *records)
    assert found.verdict == "contradicted"  # both trained on as many
    assert found.rulings[0].trial.evidence[0]["key"] == "test_sample_averaged_f1"


# ranks_differ

RARE = [0] * 900 + [1] * 100
COMMON_ONLY = [0] * 1000  # accuracy 0.9, macro-F1 0.47
BOTH = [0] * 700 + [1] * 300  # accuracy 0.8, macro-F1 0.69


def ranked(*labels):
    names = ("svm-flat", "svm-hog", "cnn", "alexnet", "vgg11")
    return [told(name, of, truth=RARE) for name, of in zip(names, labels, strict=False)]


def nested(wrong):
    """Of the common class and of the rare one a share is wrong."""
    return [1] * (9 * wrong) + [0] * (900 - 9 * wrong) + [0] * wrong + [1] * (100 - wrong)


def test_macro_f1_ranks_differently_where_one_has_the_accuracy_and_one_the_f1(judge):
    found = judge("f1-ranks-differently", *ranked(COMMON_ONLY, BOTH, nested(60), nested(70), nested(80)))
    assert found.verdict == "supported"


def test_one_order_by_both_figures_contradicts(judge):
    found = judge("f1-ranks-differently", *ranked(*(nested(k) for k in (0, 10, 20, 30, 40))))
    assert found.verdict == "contradicted"
    assert "τ 1.00" in found.rulings[0].trial.said


def test_level_methods_leave_the_order_open(judge):
    found = judge("f1-ranks-differently", *ranked(*(nested(k) for k in (10, 10, 20, 30, 40))))
    assert found.verdict == "inconclusive"


def test_four_methods_are_too_few_to_rank(judge):
    assert judge("f1-ranks-differently", *ranked(*(nested(k) for k in (0, 10, 20, 30)))).verdict == "not tested"


# how much more


def test_more_images_and_seeds_are_by_the_formula():
    """400 · (2.8016 · 0.07 / 1.96 / 0.05)² = 1601.9; (2.8016 / 0.02)² · 0.0002 = 3.92."""
    lack = power.Lack(0.05, 0.07 / 1.959964, 400, "test images")
    assert power.more(lack) == 1202
    assert power.told(lack) == "about 1,300 more test images would settle it"
    assert power.more(power.Lack(0.02, math.sqrt(0.0002 / 3), 3, "seeds")) == 1


def test_more_is_needed_of_a_family_whose_p_are_adjusted():
    """5 % / 2 / 5 leaves 2.5758 standard errors on one side: 400 · (3.4174 · 0.07 / 1.96 / 0.05)² = 2383.6."""
    assert power.more(power.Lack(0.05, 0.07 / 1.959964, 400, "test images"), family=5) == 1984


def test_a_difference_of_nothing_is_settled_by_no_number():
    assert power.more(power.Lack(0, 0.035, 400, "test images")) is None
    assert power.told(power.Lack(0.0001, 0.035, 400, "groups within class")) == (
        "to show a difference as small as this would take more than 20 times as many test groups"
    )


# sentences


def budget(*figures):
    return [
        told(method, first(k, 100), dataset="blood", limit=n, n=n, train=0.9)
        for n, svm, net in figures
        for method, k in (("svm-hog", svm), ("cnn", net))
    ]


def test_curves_cross_where_straight_lines_over_the_logarithm_meet(results):
    """From −10 points at 100 to +10 at 10,000: half of the way in logarithms, at 1,000."""
    (said,) = sentences(load_results(results(*budget((100, 60, 50), (10000, 60, 70)))))
    assert {key: said["crossing"][key] for key in ("low", "high", "at")} == {"low": 100, "high": 10000, "at": 1000}
    assert (
        "cross between 100 training and 2,175 val images and 10,000 training and 2,175 val images (at about 1,000 "
        "training images), above which the net is ahead" in said["sentence"]
    )


def test_the_sentence_has_gap_interval_and_ratios_of_time_and_memory(results):
    (said,) = sentences(load_results(results(told("svm-hog", first(60, 100)), told("cnn", first(80, 100)))))
    assert "The best SVM, svm-hog, has 60.0 % accuracy, 20.0 points less" in said["sentence"]
    assert "95 % interval over test images" in said["sentence"]
    assert said["train_seconds_ratio"] == pytest.approx((61.0 + 0.4) / (9.84 + 0.4))
    assert said["memory_ratio"] == pytest.approx(1_200_289_478 / 1_600_000_000)
    assert "The best net takes 0.75 × the memory of the best SVM" in said["sentence"]
    assert said["sentence"].endswith("swap places; measure it with: cellbench run --suite label-budget")


def test_the_command_for_the_crossing_asks_for_the_split_that_was_drawn(results):
    records = [told(name, first(60, 100), split="id-block") for name in ("svm-hog", "cnn")]
    (said,) = sentences(load_results(results(*records)))
    assert said["sentence"].endswith("measure it with: cellbench run --suite label-budget --split id-block")


def test_curves_that_do_not_cross_are_said_not_to(results):
    (said,) = sentences(load_results(results(*budget((100, 50, 60), (1000, 60, 70)))))
    assert "do not cross: the net is ahead at all 2 sizes from 100 training and 2,175 val images to" in said["sentence"]
    assert said["crossing"]["at"] is None


# output


def test_json_has_everything_as_plain_data_and_markdown_escapes_names(judge):
    found = judge(
        "svm-above-simple-cnn", told("svm-hog", first(40), dataset="a|b<c>"), told("cnn", first(30), dataset="a|b<c>")
    )
    data = json.loads(show.as_json([found], []))["findings"][0]
    assert (data["verdict"], data["rulings"][0]["verdict"]) == ("supported", "supported")
    row = data["rulings"][0]["evidence"][0]
    assert {key: row[key] for key in ("method", "n", "seeds", "device", "machine", "value")} == {
        "method": "svm-hog",
        "n": 8701,
        "seeds": [0],
        "device": "cpu",
        "machine": "example-cpu-2c-abc123",
        "value": 1.0,
    }
    assert data["claimed"][0]["values"]["test_accuracy"] == 0.82
    assert "a\\|b\\<c\\>" in show.as_markdown([found], [])


def test_what_was_not_tested_is_one_line_unless_all_claims_are_asked_for(results):
    found = findings(load_results(results(told("svm-hog", first(40)), told("cnn", first(30)))))
    n = sum(one.verdict == "not tested" for one in found)
    line = f"{n} claims of studies were not tested here: --claims all lists them"
    text, every = show.as_text(found, [], 100), show.as_text(found, [], 100, every=True)
    assert text.count(": not tested") == 0
    assert text.count("svm-above-simple-cnn: supported") == every.count("svm-above-simple-cnn: supported") == 1
    assert line in text
    assert line not in every
    assert every.count(": not tested") == n
    assert text.startswith(f"{len(found) - n} claims of studies: ")
    markdown = show.as_markdown(found, [])
    assert line.replace("--claims all", "`cellbench findings --claims all`") in markdown
    assert markdown.count("\n## ") == len(found) - n


def test_text_fits_its_width_but_for_commands(judge):
    found = judge("svm-above-simple-cnn", told("svm-hog", first(40)), told("cnn", first(30)))
    lines = show.as_text([found], [], 70, detail=True).splitlines()
    assert all(len(line) <= 70 for line in lines if "cellbench run" not in line)


def test_verdict_words_alone_are_painted(judge):
    found = judge("svm-above-simple-cnn", told("svm-hog", first(40)), told("cnn", first(30)))
    text = show.as_text([found], [], 100, paint=lambda word: f"<{word}>")
    assert re.findall(r"<[a-z ]+>", text) == ["<supported>"]
    assert "svm-above-simple-cnn: <supported> on hep2" in text


# the file


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('juge = "reaches"', "claim 'x': unknown key 'juge'; did you mean 'judge'?"),
        ('judge = "reaches"', "claim 'x': commands is missing"),
        (
            'judge = "reaches"\ncommands = []\nbasis = "said"',
            "claim 'x': basis is 'said'; it may be stated, implied, ours",
        ),
    ],
)
def test_a_claim_that_is_written_wrong_is_refused_by_name(change, message):
    text = f"""
[[claims]]
id = "x"
sentence = "s"
suite = "yeast"
where = "w"
numbers = []
dataset = "hep2"
{change if "basis" in change else f'{change}{chr(10)}basis = "ours"'}
"""
    with pytest.raises(UsageError, match=message):
        load_claims(text)


def test_fewer_steps_than_the_source_had_settle_nothing_and_the_full_command_is_given(judge):
    """The paper has 64,000 steps: of 6,400 images in batches of 64, 640 epochs; 60 of them are 6,000 steps."""
    kind = {"params": {"epochs": 60, "batch": 64}, "n": 6400}
    records = [
        told(method, first(30), train=value + seed / 100, seed=seed, dataset="hep2", **kind)
        for method, value in (("plain18", 0.95), ("plain34", 0.60))
        for seed in range(3)
    ]
    found = judge("plain-nets-degrade", *records)
    assert found.verdict == "inconclusive"
    assert [one.verdict for one in found.rulings] == ["inconclusive"]
    assert found.summary.startswith("inconclusive, shortened (plain18: 60 epochs, 6,000 steps; plain34: 60 epochs")
    assert "; the source has 64,000 steps) on hep2" in found.summary
    assert found.commands == ("cellbench run --suite depth -m 'plain*' --set epochs=640",)


def test_each_method_is_held_to_the_epochs_that_its_source_gave_it(judge):
    """The yeast study trained its CNNs for 9 epochs and its VGG for 6: 8 are enough for one of them."""
    vgg = {"lr": 0.005, "momentum": 0.9, "batch": 100, "epochs": 8, "schedule": "constant"}
    cnn = {"lr": 0.01, "momentum": 0.5, "batch": 64, "epochs": 8, "schedule": "constant"}
    records = [told("cnn", first(40), named="vgg-yeast", params=vgg, dataset=YEAST)]
    records.append(told("cnn", first(20), named="cnn2-yeast", params=cnn, dataset=YEAST, n=6400))
    claim = the("vgg-above-simple-cnn-as-run", a=("method=vgg-yeast",), b=("method=cnn2-yeast",))
    found = judge(claim, *records)
    assert found.verdict == "inconclusive"
    assert found.summary.startswith("inconclusive, shortened (cnn2-yeast: 8 epochs, 800 steps; the source has 9 ep")
    records[1] = told("cnn", first(20), named="cnn2-yeast", params={**cnn, "epochs": 9}, dataset=YEAST)
    assert judge(claim, *records).verdict == "supported"


def test_fewer_images_than_the_source_had_settle_nothing_unless_the_claim_is_about_them(judge):
    theirs = {"lr": 0.01, "momentum": 0.5, "batch": 64, "epochs": 9, "schedule": "constant"}
    svm = told("svm-flat", first(30), named="svm-yeast", dataset=YEAST, limit=500)
    cnn = told("cnn", first(10), named="cnn2-yeast", params=theirs, dataset=YEAST, limit=500, n=500)
    found = judge("svm-above-simple-cnn-as-run", svm, cnn)
    assert found.verdict == "inconclusive"
    assert found.summary.startswith(
        "inconclusive, shortened (svm-yeast: 500 images; cnn2-yeast: 9 epochs, 63 steps on 500 images; "
        "the source has 9 epochs on 65,000 images)"
    )
    assert judge("svm-good-with-little-data", svm, cnn).verdict == "supported"


def test_as_the_authors_ran_it_takes_their_methods_and_recipes_alone(judge):
    theirs = {"lr": 0.01, "momentum": 0.5, "batch": 64, "epochs": 9, "schedule": "constant"}
    own = told("cnn", first(20), named="cnn2-yeast", params=theirs)
    other = told("cnn", first(10), named="cnn2-yeast", params={**theirs, "lr": 0.1})
    better = told("cnn", first(40))
    found = judge("svm-above-simple-cnn-as-run", told("svm-flat", first(30), named="svm-yeast"), own, other, better)
    (ruling,) = found.rulings
    assert (found.verdict, ruling.trial.difference) == ("supported", pytest.approx(0.25))
    assert "SVM is more accurate than a simple CNN (as the authors ran it)." in show.as_text([found], [])


def test_no_verdict_rests_on_a_net_that_was_not_trained_enough_and_it_is_said(judge):
    claim = the("svm-above-simple-cnn")
    short = {"undertrained": "12 steps, where the default is 1,500"}
    found = judge(claim, told("svm-hog", first(60, 100)), told("cnn", first(80, 100), facts=short))
    assert found.rulings == ()
    assert found.verdict == "not tested"
    assert found.summary == "not tested; not counted, as not trained enough: cnn"
