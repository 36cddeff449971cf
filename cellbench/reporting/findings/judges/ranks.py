"""The judge of whether two figures rank methods differently."""

import itertools
from collections.abc import Sequence

from ....core.suites import titled
from ....results.certainty import compare_rows
from ....results.rows.ranking import best_on_val
from ....results.rows.row import DATA, Row, grouped_by
from ....results.statistics.comparisons import Comparison, holm
from ..claim import Claim
from ..evidence import brief_name, sides
from ..trial import (
    Settling,
    Trial,
    both_shown,
    p_text,
    points,
    settling,
    trial,
)

IMBALANCE = 2.0  # the least ratio of images of the commonest class to those of the rarest
FEWEST_METHODS = 5  # the fewest methods whose order says anything


def ranks_differ(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """Return a trial for each data set: whether accuracy and macro-F1 rank two methods differently.

    One method of a pair has to be more accurate and the other has to have the higher macro-F1; p is the larger of the
    two, adjusted by Holm over all pairs. With several labels an image, exact match takes the place of accuracy. Data
    sets that are nearly balanced or have few methods are left out, see IMBALANCE and FEWEST_METHODS.
    """
    trials = []
    for group in grouped_by(sides(claim, rows)[0], DATA):
        counts = group[0]["largest_class_n"], group[0]["smallest_class_n"]
        skew = counts[0] / counts[1] if all(counts) else 0
        figures = ("exact_match" if group[0].several_labels else "accuracy", "macro_f1")
        found = [best_on_val(of_method) for of_method in grouped_by(group, ("method",))]
        best = [row for row in found if row and None not in [row.metric(name) for name in figures]]
        if skew >= IMBALANCE and len(best) >= FEWEST_METHODS:
            trials.append(_ranks(best, figures, skew))
    return trials


def _ranks(best: Sequence[Row], figures: Sequence[str], skew: float) -> Trial:
    couples = list(itertools.combinations(sorted(best, key=lambda row: -row.value(figures[0])), 2))
    leads = [[a.value(name) - b.value(name) for name in figures] for a, b in couples]
    turned = [i for i, (first, second) in enumerate(leads) if first * second < 0]
    asked = turned or range(len(couples))
    found = {i: [compare_rows(couples[i][1], couples[i][0], name, resamples=500) for name in figures] for i in asked}
    p = [max(c.p if c else 1.0 for c in found[i]) if i in found else 1.0 for i in range(len(couples))]
    adjusted = holm(p)
    i = min(turned, key=lambda k: adjusted[k]) if turned else max(asked, key=lambda k: adjusted[k])
    agree = sum((first * second > 0) - (first * second < 0) for first, second in leads) / len(leads)
    a, b = couples[i]
    which = "of these the surest is" if turned else "the least sure is"
    facts = {
        "said": f"{len(best)} methods, the commonest class {skew:.1f} times the rarest: {titled(figures[0])} and "
        f"{titled(figures[1])} order {len(turned)} of {len(couples)} pairs differently (Kendall's τ {agree:.2f}); "
        f"{which} {brief_name(a)} − {brief_name(b)}: {points(leads[i][0])} and {points(leads[i][1])}, "
        f"{p_text(float(adjusted[i]))} (Holm over all pairs)",
        "evidence": tuple(e for name in figures for e in both_shown(best, name)),
        **_settling_ranks(couples[i], figures, leads[i], found[i]),
    }
    return trial(a, best, difference=1.0 if turned else -1.0, p=float(adjusted[i]), **facts)


def _settling_ranks(
    couple: tuple[Row, Row], figures: Sequence[str], leads: Sequence[float], found: Sequence[Comparison | None]
) -> Settling:
    k = max(range(len(figures)), key=lambda j: c.p if (c := found[j]) else 1.0)
    return settling(couple[0], couple[1], figures[k], leads[k], found[k])
