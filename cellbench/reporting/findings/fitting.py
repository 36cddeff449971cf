"""Judges of how nets fit what they train on: the gap to test by number of images, training error by depth."""

import math
from collections.abc import Sequence

from ...core.suites import titled
from ...results.bootstrap import SEEDS
from ...results.certainty import ALPHA, compare_rows
from ...results.rows import DATA, HARDWARE, SETTINGS_OF_ALL_SIZES, Row, by
from ...results.stats import Comparison, compare_over_seeds
from ...results.val_policy import main_policy
from ..tables.depth import width
from .claim import Claim
from .evidence import Evidence, briefly, figure_of, places, shown, sides
from .power import IN_HALF
from .trial import (
    Settling,
    Trial,
    p_of,
    p_said,
    percent,
    points,
    seeds_said,
    settling,
    settling_seeds,
    trial,
)

DEVIATIONS = 2.0  # pooled standard deviations between training errors
SAME_NETS = ("width", *DATA, *HARDWARE, "preprocessing", "overrides")


def gap_by_n(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """Return a trial for each net: whether the gap from train to test is narrower with the most training images.

    The gap with the most training images is compared with that with the fewest.
    """
    trials = []
    for group in by(sides(claim, rows)[0], ("dataset", "fingerprint", "split", *SETTINGS_OF_ALL_SIZES, *HARDWARE)):
        measured = [row for row in group if row.n_train and row.gap(figure_of(claim, row)) is not None]
        sizes = {row.n_train or 0: row for row in main_policy(measured)}
        if len(sizes) < 2:
            continue
        few, many = sizes[min(sizes)], sizes[max(sizes)]
        trials.append(_narrowing(claim, few, many, [sizes[n] for n in sorted(sizes)]))
    return trials


def _narrowing(claim: Claim, few: Row, many: Row, every: Sequence[Row]) -> Trial:
    figure = figure_of(claim, few)
    name = f"gap_{figure}"
    (gap_of_few, *_), (gap_of_many, *_) = few.gap_summary(figure), many.gap_summary(figure)
    difference = gap_of_few - gap_of_many
    images = compare_rows(few, many, figure)  # of the figures on test; those on train are exact for these models
    seeds = compare_over_seeds(many.gap_summary(figure), few.gap_summary(figure), name)
    half = max((c.interval.half for c in (images, seeds) if c and c.interval), default=None)
    p = p_of(difference, half / IN_HALF) if half else 1.0
    said = ", ".join(f"{points(row.gap_summary(figure)[0]).removeprefix('+')} at {_a_class(row)}" for row in every)
    told = {
        "said": f"{briefly(few)}, gap from train to test in {titled(figure)}: {said}; "
        + f"it narrows by {points(difference)}"
        + f" ± {100 * (half or 0):.1f}, {p_said(p)}" * bool(half)
        + seeds_said(few, many),
        "evidence": tuple({**shown(row, name), "figure": f"train minus test {titled(figure)}"} for row in every),
        **_settling_gap(few, many, figure, difference, images, seeds),
    }
    return trial(many, difference=difference, p=p, **told)  # at the most images, often all of the data


def _settling_gap(
    few: Row, many: Row, figure: str, difference: float, images: Comparison | None, seeds: Comparison | None
) -> Settling:
    sds = [row.gap_summary(figure)[1] or 0.0 for row in (few, many)]
    span, of_seeds = (c.interval if c else None for c in (images, seeds))
    if of_seeds and (span is None or span.over == SEEDS or of_seeds.half > span.half):
        return settling_seeds(difference, sds, min(len(few.seeds), len(many.seeds)))
    return settling(few, many, f"gap_{figure}", difference, images)


def _a_class(row: Row) -> str:
    return f"{row['n_train'] / row['n_classes']:,.0f} images a class" if row.n_classes else f"n={row['n_train']:,}"


def training_error_rises(claim: Claim, rows: Sequence[Row], sign: int = 1) -> list[Trial]:
    """Return a trial for each kind of net: whether the deepest has a higher training error than the shallowest.

    sign: 1 for a higher error, −1 for a lower one.
    """
    trials = []
    for group in by(_with_depth(sides(claim, rows)[0]), SAME_NETS):
        depths = {row.depth or 0: row for row in group}
        if len(depths) > 1:
            every = [depths[depth] for depth in sorted(depths)]
            trials.append(_errors(every[-1], every[0], every, sign))
    return trials


def training_error_falls(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """Return trials of whether a has a lower training error than b, at the greatest depth that both have."""
    trials = []
    of_claim = [_with_depth(side) for side in sides(claim, rows)]
    for of_a, of_b in places(of_claim[0], of_claim[1], SAME_NETS):
        a, b = ({row.depth or 0: row for row in side} for side in (of_a, of_b))
        if depths := a.keys() & b.keys():
            every = [net[depth] for depth in sorted(depths) for net in (a, b)]
            trials.append(_errors(every[-2], every[-1], every, -1))
    return trials


def _with_depth(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of nets with a depth and a training error, each with its `width`, 'wide' or 'thin'.

    Wide and thin nets are not compared by depth. Rows with several labels an image are left out.
    """
    nets = [row for row in rows if row.depth and row.metric("accuracy", "train") is not None and not row.several_labels]
    return [row.having(width=width(row)) for row in nets]


def _errors(a: Row, b: Row, every: Sequence[Row], sign: int) -> Trial:
    """Return a trial of a's training error minus b's, times `sign`.

    It is sure with two seeds of each if the difference exceeds two pooled standard deviations, or with three if
    Welch's t test shows it. every: the rows that the sentence and the evidence list.
    """
    difference = sign * (b.value("accuracy", "train") - a.value("accuracy", "train"))
    stats_of = [(row.value("accuracy", "train"), row.deviation("accuracy", "train"), len(row.seeds)) for row in (a, b)]
    n, sds = min(stats_of[0][2], stats_of[1][2]), [sd or 0.0 for _, sd, _ in stats_of]
    pooled = math.sqrt((sds[0] ** 2 + sds[1] ** 2) / 2)
    welch = compare_over_seeds(stats_of[0], stats_of[1], "train_accuracy")
    sure = n > 1 and (abs(difference) > DEVIATIONS * pooled or bool(welch and welch.p <= ALPHA))
    errors = ", ".join(f"{briefly(row)} {percent(1 - row['train_accuracy'])}" for row in every)
    few = {"needs": f"{2 - n} more seed of each, two are the least that tell how errors vary", "seeds": 2}
    told = {
        "said": f"training error: {errors}; {a['method']} − {b['method']}: {points(sign * difference)}"
        + f", {abs(difference) / (pooled or 1):.1f} pooled standard deviations" * bool(n > 1 and pooled)
        + seeds_said(a, b),
        "evidence": both_shown_train(every),
        **(few if n < 2 else settling_seeds(difference, sds, n)),
    }
    return trial(a, difference=difference, p=None, sure=bool(sure), **told)


def both_shown_train(rows: Sequence[Row]) -> tuple[Evidence, ...]:
    return tuple(
        {**shown(row, "train_accuracy"), "figure": "training error", "value": 1 - row.value("accuracy", "train")}
        for row in rows
    )
