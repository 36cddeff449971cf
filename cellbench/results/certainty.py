"""How sure the figures of rows are, and which rows tie with the best: read off the predictions beside the records."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace

from . import stats
from .bootstrap import CELLS_ONLY, RESAMPLES, Interval
from .rows import Row
from .runs import Predicted, same_images
from .stats import Comparison

MOST_FILES = 100  # of predictions are read for a table
ALPHA = 0.05
FIGURES = ("accuracy", "macro_f1")


def seeds_of_row(row: Row) -> list[Predicted] | None:
    """What each seed of a row said of test; None unless all are there and of the same images.

    None as well where there are more than MOST_FILES: the seeds say enough.
    """
    if not 0 < len(row["runs"]) <= MOST_FILES:
        return None
    told = [run.predicted() for run in row["runs"]]
    return told if same_images(told) else None


def intervals_of_row(row: Row, figures: Sequence[str] = FIGURES) -> dict[str, Interval]:
    """The interval of each figure of a row on test, as far as there is one: over seeds or over images or groups,
    whichever is wider for the first figure.

    figures: as `stats.intervals` names them; only those that are columns ('accuracy') have one over seeds.
    """
    over_seeds = {name: _over_seeds(row, name) for name in figures}
    seeds = {name: span for name, span in over_seeds.items() if span}
    told = seeds_of_row(row)
    if told is None:
        return seeds
    names = [name for name in figures if ":" in name or row.get(f"test_{name}") is not None]
    truth, predicted, scores = told[0].truth, [one.predicted for one in told], [one.scores for one in told]
    images = stats.intervals(truth, predicted, names, told[0].groups, scores=scores, classes=scores[0].shape[1])
    first = next((name for name in names if name in seeds), None)
    return {**images, **seeds} if first and seeds[first].half > images[first].half else {**seeds, **images}


def _over_seeds(row: Row, figure: str) -> Interval | None:
    mean = row.get(f"test_{figure}")
    return None if mean is None else stats.interval_over_seeds(mean, row.get(f"test_{figure}_sd"), len(row["seeds"]))


def compare_rows(a: Row, b: Row, figure: str = "accuracy", resamples: int = RESAMPLES) -> Comparison | None:
    """Row b against row a on test; None where they have neither predictions of the same images nor three seeds each
    (of an SVM on features that are not learnt one is as good as any number).

    Where both can be had, a difference has to show over images (or groups) and over seeds: the larger p and the wider
    interval hold.
    """
    seeds = stats.compare_over_seeds(_summary(a, figure), _summary(b, figure), figure)
    pair = _pair(a, b)
    if pair is None:
        return seeds
    (first, *_), (told_a, told_b) = pair[0], [[one.predicted for one in side] for side in pair]
    classes = first.scores.shape[1]
    images = stats.compare(first.truth, told_a, told_b, figure, first.groups, classes=classes, resamples=resamples)
    return _stricter(images, seeds) if seeds else images


def _stricter(images: Comparison, seeds: Comparison) -> Comparison:
    p = max(images, seeds, key=lambda one: one.p)
    wide = max((images, seeds), key=lambda one: one.interval.half if one.interval else 0)
    return replace(p, difference=images.difference, interval=wide.interval, test=f"{images.test} and {seeds.test}")


def _p(a: Row, b: Row, figure: str) -> float | None:
    """p of no difference, as `compare_rows`, without the interval."""
    if figure != "accuracy":
        found = compare_rows(a, b, figure, resamples=500)  # a standard error needs no more
        return found.p if found else None
    seeds = stats.compare_over_seeds(_summary(a, figure), _summary(b, figure), figure)
    pair = _pair(a, b)
    ps = [seeds.p] if seeds else []
    if pair:
        told_a, told_b = ([one.predicted for one in side] for side in pair)
        ps.append(stats.paired_test(pair[0][0].truth, told_a, told_b, pair[0][0].groups)[0])
    return max(ps, default=None)


def _pair(a: Row, b: Row) -> tuple[list[Predicted], list[Predicted]] | None:
    told = seeds_of_row(a), seeds_of_row(b)
    return told if told[0] and told[1] and same_images([*told[0], *told[1]]) else None  # type: ignore[return-value]


def _summary(row: Row, figure: str) -> tuple[float, float | None, float]:
    """Mean, deviation and number of seeds; what no seed changes is the same with any number of them."""
    value = row.get(f"test_{figure}")
    if value is None:
        return 0.0, None, 0
    if not _seeded(row):
        return value, 0.0, math.inf
    return value, row.get(f"test_{figure}_sd"), len(row["seeds"])


def _seeded(row: Row) -> bool:
    """Whether seeds change a row. Older records do not say so: of theirs, SVMs on features that no net learnt."""
    if row.get("seeded") is not None:
        return bool(row["seeded"])
    return row["family"] != "svm" or "net" in json.loads(row["params"])


def with_certainty(rows: Sequence[Row], figure: str) -> list[Row]:
    """Rows, the best first, with `<test figure>_low` and `_high`, `interval_over`, `interval_n` and `tied`.

    tied: whether the row is the best in `figure` or was not shown to differ from it, Holm over the table; None where
    that cannot be told, and of a row that was not trained enough. Predictions of at most MOST_FILES runs are read,
    those of the first rows.
    """
    ties = _ties(_near(rows), figure)
    return [{**row, "tied": tie} for row, tie in zip(with_intervals(rows, figure), ties, strict=True)]


def with_intervals(rows: Sequence[Row], figure: str) -> list[Row]:
    """`with_certainty` without `tied`."""
    return [{**row, **_told(near, figure)} for row, near in zip(rows, _near(rows), strict=True)]


def _near(rows: Sequence[Row]) -> list[Row]:
    """Rows, those that would take the files read beyond MOST_FILES without theirs."""
    near, left = [], MOST_FILES
    for row in rows:
        fits = len(row["runs"]) <= left
        left -= len(row["runs"]) * fits
        near.append(row if fits else {**row, "runs": ()})
    return near


def _told(row: Row, figure: str) -> Row:
    spans = intervals_of_row(row)
    told: dict[str, object] = {}
    for name in FIGURES:
        span = spans.get(name)
        told |= {f"test_{name}_low": span.low if span else None, f"test_{name}_high": span.high if span else None}
    main = spans.get(figure)
    return {**told, "interval_over": over_of(row, main), "interval_n": main.n if main else None}


def over_of(row: Row, span: Interval | None) -> str | None:
    """What an interval was drawn over, in words, with the classes of which only cells could be drawn."""
    if span is None:
        return None
    if not span.few_groups:
        return span.over
    classes = row["runs"][0].classes
    return f"{span.over} ({', '.join(classes[k] for k in span.few_groups)}: {CELLS_ONLY})"


def _ties(rows: Sequence[Row], figure: str) -> list[bool | None]:
    scored = [i for i, row in enumerate(rows) if row.get(f"test_{figure}") is not None and not row.get("undertrained")]
    if len(scored) < 2:
        return [None] * len(rows)
    best, *others = sorted(scored, key=lambda i: -rows[i][f"test_{figure}"])
    p = {i: value for i in others if (value := _p(rows[best], rows[i], figure)) is not None}
    pairs = len(p) * (len(p) + 1) // 2
    adjusted = dict(zip(p, stats.holm(list(p.values()), pairs), strict=True))
    return [True if i == best else bool(adjusted[i] > ALPHA) if i in adjusted else None for i in range(len(rows))]


def log_time(row: Row) -> tuple[float, float | None, int]:
    """Mean and deviation over seeds of the logarithm, to first order."""
    mean, sd = row["train_seconds"], row["train_seconds_sd"]
    return math.log(mean), None if sd is None else sd / mean, len(row["seeds"])
