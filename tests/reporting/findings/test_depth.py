"""Verdicts on depth, degradation and shortcuts."""

import dataclasses

import pytest
from scipy import stats as scipy_stats

from .scored import first_right, scored


def trained(method, *accuracies):
    return [scored(method, first_right(30), train=value, seed=seed) for seed, value in enumerate(accuracies)]


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
    pretrained = [
        scored("resnet18", first_right(30), train=0.99, seed=seed, facts={"pretrained": True}) for seed in range(2)
    ]
    assert judge("shortcuts-cure-degradation", *trained("plain18", 0.9, 0.91), *pretrained).verdict == "not tested"


def test_residual_nets_are_judged_by_the_fall_with_depth(judge):
    records = (*trained("resnet18", 0.95, 0.96, 0.97), *trained("resnet34", 0.98, 0.99, 1.0))
    assert judge("deeper-residual-nets-fit-no-worse", *records).verdict == "supported"


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
    found = judge("alexnet-reaches-92", scored("alexnet", first_right(right, n), named="alexnet-hep2", params=params))
    assert found.verdict == verdict
    assert "claimed 92 %, that is 91.5 % to 92.5 %" in found.rulings[0].trial.said
    assert ("wider than 10 points" in found.rulings[0].needs) == (verdict == "inconclusive")
