"""Whether accuracy and macro-F1 rank methods alike, and how much more would settle a claim."""

import math

from cellbench.reporting.findings import power

from .scored import scored

RARE = [0] * 900 + [1] * 100
COMMON_ONLY = [0] * 1000  # accuracy 0.9, macro-F1 0.47
BOTH = [0] * 700 + [1] * 300  # accuracy 0.8, macro-F1 0.69


def ranked(*labels):
    names = ("svm-flat", "svm-hog", "cnn", "alexnet", "vgg11")
    return [scored(name, of, truth=RARE) for name, of in zip(names, labels, strict=False)]


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


def test_more_images_and_seeds_are_by_the_formula():
    """400 · (2.8016 · 0.07 / 1.96 / 0.05)² = 1601.9; (2.8016 / 0.02)² · 0.0002 = 3.92."""
    lack = power.Lack(0.05, 0.07 / 1.959964, 400, "test images")
    assert power.units_lacking(lack) == 1202
    assert power.settling_text(lack) == "about 1,300 more test images would settle it"
    assert power.units_lacking(power.Lack(0.02, math.sqrt(0.0002 / 3), 3, "seeds")) == 1


def test_more_is_needed_of_a_family_whose_p_are_adjusted():
    """5 % / 2 / 5 leaves 2.5758 standard errors on one side: 400 · (3.4174 · 0.07 / 1.96 / 0.05)² = 2383.6."""
    assert power.units_lacking(power.Lack(0.05, 0.07 / 1.959964, 400, "test images"), family=5) == 1984


def test_a_difference_of_nothing_is_settled_by_no_number():
    assert power.units_lacking(power.Lack(0, 0.035, 400, "test images")) is None
    assert power.settling_text(power.Lack(0.0001, 0.035, 400, "groups within class")) == (
        "to show a difference as small as this would take more than 20 times as many test groups"
    )


def test_what_is_lacking_is_called_what_the_groups_are():
    """8 · (2.8016 · 0.07 / 1.96 / 0.05)² = 32.04, of which there are 8."""
    of_wells = power.Lack(0.05, 0.07 / 1.959964, 8, "groups within class", "well")
    assert power.settling_text(of_wells) == "about 25 more test wells would settle it"
    few = "cells, all from these wells"
    assert power.settling_text(power.Lack(0.05, 0.07, 900, few, "patient")).startswith(
        "what is lacking is test patients: more"
    )
    of_groups = power.settling_text(power.Lack(0.05, 0.07, 900, few))
    assert of_groups.startswith("what is lacking is test groups, such as wells: more")
