"""Judges of figures on test: one row against another, one against several, one against a claimed figure."""

from collections.abc import Sequence

from ...core.suites import titled
from ...results.ranking import best_on_val
from ...results.rows import DATA, Row, by
from ...results.stats import holm
from .claim import Claim
from .evidence import briefly, figure_of, pairs, rivals, sides
from .power import IN_HALF, Lack
from .trial import (
    Trial,
    both_shown,
    percent,
    points,
    said_versus,
    seeds_said,
    settling,
    sureness,
    trial,
    versus,
)

FEW_OF_ONE = "it takes its predictions, or three seeds"
ROUNDED = 0.005  # half of the last digit of claims in whole percent


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
        asked = f"; {points(claim.target)} are asked for" * bool(claim.target)
        told = {
            "said": said_versus(a, b, figure, difference, found) + asked,
            "evidence": both_shown((a, b), figure),
            "sure": bool(span and abs(beyond) > span.half),  # used with a target alone: p is for no difference
            **settling(a, b, figure, beyond, found),
        }
        p = None if claim.target else found.p if found else 1.0
        trials.append(trial(a, difference=beyond, p=p, **told))
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
        said = "; ".join(
            f"{points(d)} against {briefly(b)}{sureness(c)}" for b, (d, c) in zip(others, found, strict=True)
        )
        told = {
            "said": f"{briefly(a)} {percent(a[f'test_{figure}'])} in {titled(figure)}: {said}{seeds_said(a, *others)}",
            "evidence": both_shown((a, *others), figure),
            **settling(a, others[i], figure, *found[i]),
        }
        trials.append(trial(a, difference=found[i][0], p=p_of_all, **told))
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

    The target is claimed in whole percent, so the figure on test has to reach the target less ROUNDED. It is sure when
    the 95 % interval does not contain that value.
    """
    trials = []
    for group in by(sides(claim, rows)[0], DATA):
        best = best_on_val(group)
        figure = figure_of(claim, group[0])
        if not best or best.metric(figure) is None:
            continue
        span = best.interval(figure)
        difference = best.value(figure) - (claim.target - ROUNDED)
        found = f" (95 % interval over {span.over}: {percent(span.low)} to {percent(span.high)})" if span else ""
        told = {
            "said": f"{briefly(best)} {percent(best[f'test_{figure}'])} in {titled(figure)}{found}, claimed "
            f"{100 * claim.target:g} %{seeds_said(best).replace(' each', '')}",
            **({"lack": Lack(difference, span.half / IN_HALF, span.n, span.over)} if span else {"needs": FEW_OF_ONE}),
            "evidence": both_shown((best,), figure),
        }
        sure = span is not None and not span.low <= claim.target - ROUNDED <= span.high
        trials.append(trial(best, difference=difference, p=None, sure=sure, **told))
    return trials
