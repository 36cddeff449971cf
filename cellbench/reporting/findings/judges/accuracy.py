"""Judges of figures on test: one row against another, one against several, one against a claimed figure."""

from collections.abc import Sequence

from ....core.suites import titled
from ....core.text.words import percent
from ....results.certainty import in_words
from ....results.rows.ranking import best_on_val
from ....results.rows.row import DATA, Row, grouped_by
from ....results.statistics.bootstrap import SEEDS, Interval
from ....results.statistics.comparisons import holm
from ..claim import Claim
from ..evidence import brief_name, figure_of, pairs, rivals, sides
from ..trial import (
    Trial,
    both_shown,
    comparison_text,
    gain_text,
    points,
    seeds_text,
    settling,
    sureness,
    trial,
    versus,
)

FEW_OF_ONE = "it takes its predictions, or three seeds"
ROUNDED = 0.005  # half of the last digit of claims in whole percent
WIDEST = 0.1  # width of an interval that can still tell whether a claimed figure is reached
TOO_WIDE = f"the interval is wider than {100 * WIDEST:.0f} points, so that it overlaps too much to say"


def more_accurate(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """Return a trial for each pair of rows of a and b on the same test images: whether a has the better figure.

    With a target, whether a is better by more than the target.
    """
    trials = []
    for a, b in pairs(claim, *sides(claim, rows)):
        figure = figure_of(claim, a)
        if None in (a.metric(figure), b.metric(figure)):
            continue
        difference, found = versus(a, b, figure)
        span, beyond = found.interval if found else None, difference - claim.target
        asked = f"; {points(claim.target)} are asked for" if claim.target else ""
        facts = {
            "said": comparison_text(a, b, figure, found) + asked,
            "evidence": both_shown((a, b), figure),
            "sure": bool(span and abs(beyond) > span.half_width),  # used with a target alone: p is for no difference
            **settling(a, b, figure, beyond, found),
        }
        p = None if claim.target else found.p if found else 1.0
        trials.append(trial(a, (a, b), difference=beyond, p=p, **facts))
    return trials


def best_of(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """Return a trial for each row of a and its rivals of b: whether a has a better figure than every one of them.

    If a leads them all, the trial has the largest p of the comparisons; otherwise the smallest p, adjusted by Holm, of
    those in which a does not lead.
    """
    trials = []
    for a, others in rivals(claim, *sides(claim, rows), among=claim.among):
        figure = figure_of(claim, a)
        others = [b for b in others if b.metric(figure) is not None]
        if len(others) < claim.least or a.metric(figure) is None:
            continue
        found = [versus(a, b, figure) for b in others]
        p = [comparison.p if comparison else 1.0 for _, comparison in found]
        i, p_of_all = _decisive([difference for difference, _ in found], p)
        text = "; ".join(
            f"{gain_text(points(d), c)} against {brief_name(b)}{sureness(c, a)}"
            for b, (d, c) in zip(others, found, strict=True)
        )
        facts = {
            "said": f"{brief_name(a)} {percent(a[f'test_{figure}'])} in {titled(figure)}: "
            f"{text}{seeds_text(a, *others)}",
            "evidence": both_shown((a, *others), figure),
            **settling(a, others[i], figure, *found[i]),
        }
        trials.append(trial(a, (a, *others), difference=found[i][0], p=p_of_all, **facts))
    return trials


def _decisive(differences: Sequence[float], p: Sequence[float]) -> tuple[int, float]:
    """Return the index of the comparison that decides `best_of`, and its p.

    That is the one with the largest p if a leads in all. Otherwise it is the one with the smallest p, adjusted by Holm
    over all, among those in which a does not lead.
    """
    if min(differences) > 0:
        i = max(range(len(p)), key=lambda k: p[k])
        return i, p[i]
    adjusted = holm(p)
    i = min((k for k in range(len(p)) if differences[k] <= 0), key=lambda k: adjusted[k])
    return i, float(adjusted[i])


def reaches(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """Return a trial for each data set, split and limit: whether the best row of a on val reaches the claimed figure.

    See `reached` for the rule. The trial's difference is how far the interval's upper end is above the lowest figure
    that rounds to the claimed one.
    """
    trials = []
    for group in grouped_by(sides(claim, rows)[0], DATA):
        best = best_on_val(group)
        figure = figure_of(claim, group[0])
        if not best or best.metric(figure) is None:
            continue
        span = best.interval(figure)
        over = f" (95 % interval over {in_words(span.over, best)}: " if span else ""
        found = f"{over}{percent(span.low)} to {percent(span.high)})" if span else ""
        low, high = (percent(claim.target + end) for end in (-ROUNDED, ROUNDED))
        facts = {
            "said": f"{brief_name(best)} {percent(best[f'test_{figure}'])} in {titled(figure)}{found}, claimed "
            f"{100 * claim.target:g} %, that is {low} to {high}{seeds_text(best).replace(' each', '')}",
            "needs": TOO_WIDE if span else FEW_OF_ONE,
            "seeds": 2 * len(best.seeds) if span and span.over == SEEDS else None,
            "evidence": both_shown((best,), figure),
        }
        difference, sure = reached(span, claim.target) if span else (0.0, False)
        trials.append(trial(best, (best,), difference=difference, p=None, sure=sure, **facts))
    return trials


def reached(span: Interval, target: float) -> tuple[float, bool]:
    """Return how far an interval's upper end is above the figures that round to `target`, and whether that is sure.

    target: claimed in whole percent, so that all figures within ROUNDED of it are the same claim. It is contradicted
    where the interval lies below all of these, and reached where it overlaps them or lies above: a reproduction that is
    exact falls below as often as above, and may not be refused for it. An interval that is wider than WIDEST overlaps
    so much that it settles nothing.
    """
    least = target - ROUNDED
    sure = span.high < least or span.low > least or span.high - span.low <= WIDEST
    return span.high - least, sure
