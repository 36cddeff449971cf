"""One comparison on one data set, split and limit, before it is judged, and what several judges need to make it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from ...core.suites import titled
from ...core.text.words import percent, printed_difference, signed
from ...results.certainty import compare_rows, difference_shown, in_words
from ...results.rows.row import Row
from ...results.statistics.bootstrap import SEEDS
from ...results.statistics.comparisons import Comparison
from ...results.statistics.intervals import FEWEST_SEEDS
from ...results.statistics.rare import FEWEST_IMAGES
from ..captions import commands_for_seeds
from .evidence import Evidence, brief_name, evidence_of
from .power import IN_HALF, Lack

FEW_IMAGES_OF_A_CLASS = (
    f"it takes {FEWEST_IMAGES} test images of each class, as with fewer an average over classes has no interval"
)
FEW_SEEDS = f"it takes the predictions of both on the same test images, or {FEWEST_SEEDS} seeds of each"


class Settling(TypedDict, total=False):
    """What would settle a trial: `lack`, or `needs` and `seeds`; see `Trial`."""

    lack: Lack
    needs: str
    seeds: int


@dataclass(frozen=True)
class Trial:
    """One comparison on one data set, split and limit, with n training images.

    difference: positive if it is as claimed. p: the p value of a test for no difference; None if no test but a rule
    decides. sure: with such a rule, whether it shows a difference; with a test it has no meaning. said: the result in
    words. evidence: the rows that it rests on. simulated: whether the images are.
    If the trial is inconclusive, these say what would settle it. lack: the difference with its standard error, from
    which follows how many more images, groups or seeds it takes; None if that cannot be computed. needs: without
    lack, what it takes in words. seeds: without lack, how many seeds each method has to have in all; None if seeds
    would not settle it.
    few_seeds: the rows that have fewer than three seeds, where another seed might give another result: whatever the
    trial shows then holds for these trained models alone. commands: those that run three seeds of each.
    """

    dataset: str
    split: str
    limit: int | None
    n: int | None
    difference: float
    p: float | None
    said: str
    evidence: tuple[Evidence, ...]
    sure: bool = False
    lack: Lack | None = None
    needs: str = ""
    seeds: int | None = None
    simulated: bool = False
    few_seeds: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


def trial(row: Row, rows: Sequence[Row], **facts: Any) -> Trial:
    """Return a trial on the data of `row`.

    rows: those whose seeds matter to what is compared. facts: what else a trial has.
    """
    few = [one for one in rows if one.too_few_seeds]
    names, commands = tuple(dict.fromkeys(map(brief_name, few))), tuple(commands_for_seeds(few))
    return Trial(
        dataset=row.dataset,
        split=row.split,
        limit=row.limit,
        n=row.n_train,
        **facts,
        simulated=bool(row.synthetic),
        few_seeds=names,
        commands=commands,
    )


def versus(a: Row, b: Row, figure: str) -> tuple[float, Comparison | None]:
    """Return a figure on test of a minus that of b, and the comparison of the two, None where there is none."""
    return a.value(figure) - b.value(figure), compare_rows(b, a, figure)


def settling(a: Row, b: Row, figure: str, difference: float, found: Comparison | None) -> Settling:
    """Return what would settle the comparison of a and b, as the keyword arguments of a trial.

    found: the comparison, whose interval gives the standard error. Without a comparison more predictions or seeds are
    asked for, without its interval more test images of the rare classes.
    """
    n = min(len(a.seeds), len(b.seeds))
    if found is None:
        return {"needs": FEW_SEEDS, "seeds": max(FEWEST_SEEDS, n)}
    if found.interval is None:
        return {"needs": FEW_IMAGES_OF_A_CLASS}
    span, by_seeds = found.interval, settling_seeds(difference, [row.deviation(figure) or 0.0 for row in (a, b)], n)
    error, both = span.half_width / IN_HALF, f" and {SEEDS}"
    if span.over == SEEDS or (span.over.endswith(both) and by_seeds["lack"].error > error / math.sqrt(2)):
        return by_seeds  # most of the variance is that of seeds
    return {"lack": Lack(difference, error, span.n, span.over.removesuffix(both), a.unit)}


def settling_seeds(difference: float, sds: Sequence[float], n: int) -> Settling:
    """Return what would settle a difference over seeds, as a keyword argument of a trial.

    sds: the standard deviations of both rows over their seeds. n: the number of seeds of each.
    """
    return {"lack": Lack(difference, math.hypot(*sds) / math.sqrt(n), n, SEEDS)}


def comparison_text(a: Row, b: Row, figure: str, found: Comparison | None) -> str:
    values = " against ".join(f"{brief_name(row)} {percent(row[f'test_{figure}'])}" for row in (a, b))
    gain = points(printed_difference(a.value(figure), b.value(figure)))
    return f"{values} in {titled(figure)}: {gain_text(gain, found)}{sureness(found, a)}{seeds_text(a, b)}"


def gain_text(gain: str, found: Comparison | None) -> str:
    """Return a gain in words; where no difference is shown, by its interval or without one by p, that comes first."""
    if found is None:
        return gain
    span = found.interval
    differs = difference_shown(span.low if span else None, span.high if span else None, found.p)
    return gain if differs else f"no difference shown, {gain}"


def sureness(found: Comparison | None, row: Row) -> str:
    """Return the interval and p of a comparison in words; row: one of the two, for what its groups are called."""
    if found is None:
        return ""
    by_test = f"{found.test}, {p_text(found.p)}"
    if found.interval is None:
        return f" ({by_test})"
    low, high = (signed(100 * end) for end in (found.interval.low, found.interval.high))
    return f" (95 % interval over {in_words(found.interval.over, row)}: {low} to {high}; {by_test})"


def seeds_text(*rows: Row) -> str:
    n = [len(row.seeds) for row in rows]
    if set(n) == {1}:
        return "; one seed each"
    return f"; {n[0]} seeds each" if len(set(n)) == 1 else f"; seeds: {' and '.join(map(str, n))}"


def both_shown(rows: Sequence[Row], figure: str) -> tuple[Evidence, ...]:
    return tuple(evidence_of(row, figure) for row in rows)


def points(difference: float) -> str:
    return f"{signed(100 * difference)} points"


def p_text(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
