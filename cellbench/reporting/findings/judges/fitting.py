"""Judges of how nets fit what they train on: the gap to test by number of images, training error by depth."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from ....core.suites import titled
from ....core.text.words import percent
from ....results.certainty import compare_over_images
from ....results.rows.row import DATA, HARDWARE, SCOPE, SETTINGS_OF_ALL_SIZES, Row, grouped_by
from ....results.rows.val_policy import main_policy
from ....results.statistics.bootstrap import LEVEL, Interval
from ....results.statistics.comparisons import compare_over_seeds, welch_error
from ....results.statistics.intervals import FEWEST_SEEDS
from ....results.statistics.joint import p_over_images_and_seeds
from ...tables.views.depth import width
from ..claim import Claim
from ..evidence import Evidence, brief_name, evidence_of, figure_of, places, sides
from ..power import IN_HALF, VAL_IMAGES, Lack
from ..trial import (
    Settling,
    Trial,
    p_text,
    points,
    seeds_text,
    settling_seeds,
    trial,
)

Gap = tuple[float, float | None, int]  # mean and standard deviation over seeds, and the number of seeds
FEW_SEEDS_OF_ERRORS: Settling = {
    "needs": "three seeds of each, from which on Welch's t is taken",
    "seeds": FEWEST_SEEDS,
}
SAME_NETS = ("width", *DATA, *HARDWARE, "preprocessing", "overrides")


def gap_by_n(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """Return trials for each net: whether its gap is narrower with the most training images than with the fewest."""
    trials = []
    for group in grouped_by(sides(claim, rows)[0], (*SCOPE, *SETTINGS_OF_ALL_SIZES, *HARDWARE)):
        measured = [row for row in group if row.n_train and row.gap(figure_of(claim, row)) is not None]
        sizes = {row.n_train or 0: row for row in main_policy(measured)}
        if len(sizes) < 2:
            continue
        trials += _narrowing(claim, [sizes[n] for n in sorted(sizes)])
    return trials


def _narrowing(claim: Claim, every: Sequence[Row]) -> list[Trial]:
    """Return trials of one net: of the model that val chose, from train to test; of the last epoch, from train to val.

    The last epoch counts too, since choosing on val hides much of the overfitting that is asked for. There are the
    figures of the epoch's own batches, with their augmentation, on record.
    """
    few, many, figure = every[0], every[-1], figure_of(claim, every[0])
    images = compare_over_images(few, many, figure)  # of the figures on test; those on train are exact for these models
    gaps = [(row, row.gap_summary(figure)) for row in every]
    trials = [_narrows(gaps, figure, "gap from train to test", images.interval if images else None)]
    at_end = [(row, found) for row in every if (found := _gap_at_the_end(row, figure))]
    if at_end and at_end[0][0] is few and at_end[-1][0] is many:
        trials.append(_narrows(at_end, figure, "gap from train to val at the last epoch", _over_val(few, many, figure)))
    return trials


def _over_val(few: Row, many: Row, figure: str) -> Interval | None:
    """Return an interval as wide as that of the difference of two rows' figures on val, around 0.

    Predictions of the last epoch are not on record, so it is that of test for as many images as val has.
    """
    spans = [(row.intervals_over_images([figure]) or {}).get(figure) for row in (few, many)]
    if None in spans or not all(row.n_val and row.n_test for row in (few, many)):
        return None
    halves = [
        span.half_width * math.sqrt((row.n_test or 0) / row.n_val)
        for row, span in zip((few, many), spans, strict=True)
        if span and row.n_val
    ]
    return Interval(-math.hypot(*halves), math.hypot(*halves), LEVEL, VAL_IMAGES, few.n_val or 0)


def _gap_at_the_end(row: Row, figure: str) -> Gap | None:
    """Return the gap from train to val at the last epoch, as `Row.gap_summary` does; None if it is not on record."""
    last = [record.history[-1] if record.history else {} for record in row.records]
    if not last or any(f"{part}_{figure}" not in epoch for epoch in last for part in ("train", "val")):
        return None
    gaps = [epoch[f"train_{figure}"] - epoch[f"val_{figure}"] for epoch in last]
    return fmean(gaps), stdev(gaps) if len(gaps) > 1 else None, len(gaps)


def _narrows(gaps: Sequence[tuple[Row, Gap]], figure: str, what: str, images: Interval | None) -> Trial:
    """Return the trial of whether a gap is narrower with the most images than with the fewest.

    gaps: rows and their gaps, the fewest images first. images: the interval of the difference over images.
    """
    (few, of_few), (many, of_many) = gaps[0], gaps[-1]
    difference = of_few[0] - of_many[0]
    p = _p_of_gap(difference, images, of_few, of_many)
    said = ", ".join(f"{_unsigned(gap)} at {_a_class(row)}" for row, (gap, *_) in gaps)
    course = f"it {'narrows' if difference >= 0 else 'widens'} by {_unsigned(abs(difference))}"
    facts = {
        "said": f"{brief_name(few)}, {what} in {titled(figure)}: {said}; {course}, {p_text(p)}{seeds_text(few, many)}",
        "evidence": tuple(
            {**evidence_of(row, f"gap_{figure}"), "figure": f"{what}, {titled(figure)}", "value": gap, "sd": sd}
            for row, (gap, sd, _) in gaps
        ),
        **_settling_gap(difference, images, of_few, of_many, many.unit),
    }
    return trial(many, (few, many), difference=difference, p=p, **facts)  # at the most images, often all of the data


def _unsigned(difference: float) -> str:
    """Return a number of points without a plus: 12.3 points, −0.4 points."""
    return points(difference).removeprefix("+")


def _p_of_gap(difference: float, images: Interval | None, few: Gap, many: Gap) -> float:
    """Return p of no difference of two gaps over images and seeds, or over what there is of either; 1 without both."""
    seeds = compare_over_seeds(many, few)
    if images is None:
        return seeds.p if seeds else 1.0
    error, freedom = welch_error(many, few) if seeds else (0.0, 1.0)
    return p_over_images_and_seeds(difference, images, error, freedom)


def _settling_gap(difference: float, images: Interval | None, few: Gap, many: Gap, unit: str) -> Settling:
    n, sds = min(few[2], many[2]), [few[1] or 0.0, many[1] or 0.0]
    over_images = images.half_width / IN_HALF if images else 0.0
    if images is None or math.hypot(*sds) / math.sqrt(n) > over_images:
        return settling_seeds(difference, sds, n)
    return {"lack": Lack(difference, over_images, images.n, images.over, unit)}


def _a_class(row: Row) -> str:
    return f"{row['n_train'] / row['n_classes']:,.0f} images a class" if row.n_classes else f"n={row['n_train']:,}"


def training_error_rises(claim: Claim, rows: Sequence[Row], sign: int = 1) -> list[Trial]:
    """Return a trial for each kind of net: whether the deepest has a higher training error than the shallowest.

    sign: 1 for a higher error, −1 for a lower one.
    """
    trials = []
    for group in grouped_by(_with_depth(sides(claim, rows)[0]), SAME_NETS):
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
    """Return a trial of a's training error minus b's, times `sign`, by Welch's t over seeds, from three of each on.

    every: the rows that the sentence and the evidence list.
    """
    difference = sign * (b.value("accuracy", "train") - a.value("accuracy", "train"))
    of_seeds = [(row.value("accuracy", "train"), row.deviation("accuracy", "train"), len(row.seeds)) for row in (a, b)]
    n, sds = min(of_seeds[0][2], of_seeds[1][2]), [sd or 0.0 for _, sd, _ in of_seeds]
    welch = compare_over_seeds(of_seeds[0], of_seeds[1], "train_accuracy")
    errors = ", ".join(f"{brief_name(row)} {percent(1 - row['train_accuracy'])}" for row in every)
    shown_by = f", {welch.test}, {p_text(welch.p)}" if welch else ""
    said = f"training error: {errors}; {a['method']} − {b['method']}: {points(sign * difference)}{shown_by}"
    return trial(
        a,
        (a, b),
        difference=difference,
        p=welch.p if welch else 1.0,
        said=said + seeds_text(a, b),
        evidence=both_shown_train(every),
        **(FEW_SEEDS_OF_ERRORS if n < FEWEST_SEEDS else settling_seeds(difference, sds, n)),
    )


def both_shown_train(rows: Sequence[Row]) -> tuple[Evidence, ...]:
    return tuple(
        {**evidence_of(row, "train_accuracy"), "figure": "training error", "value": 1 - row.value("accuracy", "train")}
        for row in rows
    )
