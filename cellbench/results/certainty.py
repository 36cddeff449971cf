"""Whether two rows differ, and which rows are not shown to differ from the best."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..core.split_names import GROUP
from ..core.text.words import counted, plural
from .rows.row import FIGURES, MOST_FILES, Row
from .runs import Predicted, same_images
from .statistics import comparisons
from .statistics.bootstrap import CELLS_ONLY, GROUPS, IMAGES, RESAMPLES, Interval
from .statistics.comparisons import Comparison
from .statistics.draws import compare_over_draws
from .statistics.joint import over_images_and_seeds, p_over_images_and_seeds
from .statistics.rare import OVER_CLASSES

ALPHA = 0.05
POINT = 1e-9  # an interval no wider than rounding is a point
GROUPS_UNKNOWN = "groups unknown"
OVER_BOTH = "over images and seeds"


def compare_rows(a: Row, b: Row, figure: str = "accuracy", resamples: int = RESAMPLES) -> Comparison | None:
    """Return the comparison of row b with row a on test: the figure of b minus that of a.

    It is None if they have neither predictions of the same images nor three seeds each. A row that no seed changes,
    such as an SVM on features that are not learnt, needs one seed only.

    If a comparison over images (or groups) and one over seeds are both possible, the interval is over both, see
    `joint`, and p is the larger of that over both and that over images. An average over classes of which one has too
    few test images, see `rare`, has the same p, and no interval to show.
    """
    if len(a.draws) > 1:
        return compare_over_draws(a, b, figure)
    seeds = comparisons.compare_over_seeds(a.summary(figure), b.summary(figure), figure)
    images = compare_over_images(a, b, figure, resamples)
    if images is None:
        return seeds
    if seeds and images.interval:
        error = comparisons.welch_error(a.summary(figure), b.summary(figure))
        images = replace(
            images,
            interval=over_images_and_seeds(images.difference, images.interval, *error),
            p=max(images.p, p_over_images_and_seeds(images.difference, images.interval, *error)),
            test=f"{images.test}, and t {OVER_BOTH}",
        )
    return replace(images, interval=None) if figure in OVER_CLASSES and a.images_of_rare_classes else images


def difference_shown(low: float | None, high: float | None, p: float | None, unchanged: float = 0.0) -> bool | None:
    """Return whether a difference is shown; None with neither interval nor p.

    low, high: the ends of its interval, which has to leave out `unchanged`. Without one p has to be at most 5 %, and so
    it has where the interval is a point: of one to three test images each resample can give the same.
    """
    by_p = None if p is None else bool(p <= ALPHA)
    if low is None or high is None:
        return by_p
    return not low <= unchanged <= high and (high - low > POINT or bool(by_p))


def compare_over_images(a: Row, b: Row, figure: str = "accuracy", resamples: int = RESAMPLES) -> Comparison | None:
    """Return the comparison of b with a over test images, or groups of them, of the models as they were trained.

    It is None without predictions of the same images, see `_pair`. Where test has too few images of a class, see
    `rare`, the interval of an average over classes serves as a standard error and is not to be shown; p is exact there.
    """
    pair = _pair(a, b)
    if pair is None:
        return None
    (first, *_), (of_a, of_b) = pair[0], [[one.predicted for one in side] for side in pair]
    classes, groups = first.scores.shape[1], _groups_of(pair)
    return comparisons.compare(first.truth, of_a, of_b, figure, groups, classes=classes, resamples=resamples)


def _p(a: Row, b: Row, figure: str) -> float | None:
    """Return the p value of `compare_rows` without the cost of its interval; None if the rows cannot be compared."""
    several = len(a.draws) > 1 or comparisons.compare_over_seeds(a.summary(figure), b.summary(figure), figure)
    if figure != "accuracy" or several:
        found = compare_rows(a, b, figure, resamples=500)  # a standard error needs no more
        return found.p if found else None
    pair = _pair(a, b)
    if pair is None:
        return None
    of_a, of_b = ([one.predicted for one in side] for side in pair)
    return comparisons.paired_test(pair[0][0].truth, of_a, of_b, _groups_of(pair))[0]


def _pair(a: Row, b: Row) -> tuple[list[Predicted], list[Predicted]] | None:
    """Return the predictions of both rows, or None unless both have predictions of the same images.

    None as well where the split keeps groups together that neither has on record: over images, whatever the groups are,
    a test would find differences where there are none.
    """
    first, second = a.predictions, b.predictions
    if not (first and second and same_images([*first, *second])):
        return None
    unknown = a.groups_unknown or b.groups_unknown
    return None if unknown and _groups_of((first, second)) is None else (first, second)


def _groups_of(pair: tuple[list[Predicted], list[Predicted]]) -> NDArray[np.int64] | None:
    """Return the groups of the images, which are the same for all predictions, from the first that has them."""
    return next((one.groups for side in pair for one in side if one.groups is not None), None)


def with_certainty(rows: Sequence[Row], figure: str) -> list[Row]:
    """Return the rows with the columns of `with_intervals`, and `best` and `tied`; give the best rows first.

    best: whether no row has a higher `figure`, of those that were trained enough. tied: whether the row is that one, or
    not shown to differ from it (Holm over the table). It is None where that is unknown: for a row that was not trained
    enough, and for one of too few seeds, or all rows beside a best one of too few seeds, as these tell of trained
    models and not of methods. Predictions of at most MOST_FILES runs are read, those of the first rows.
    """
    best, ties = _ties(_near(rows), figure)
    return [row.having(best=i == best, tied=ties[i]) for i, row in enumerate(with_intervals(rows, figure))]


def with_intervals(rows: Sequence[Row], figure: str) -> list[Row]:
    """Return the rows with the ends of their intervals as columns.

    The columns are `test_<metric>_low` and `test_<metric>_high` for each metric of FIGURES, and `interval_over` and
    `interval_n`, which say what was resampled for the interval of `figure`, and how many of these there are; and
    `no_interval`: the classes that test has too few images of for an interval of macro-F1, in words, or None.
    """
    return [row.having(**_ends(near, figure)) for row, near in zip(rows, _near(rows), strict=True)]


def _near(rows: Sequence[Row]) -> list[Row]:
    """Return the rows, with `runs` emptied in those that would bring the number of files to read above MOST_FILES."""
    near, left = [], MOST_FILES
    for row in rows:
        fits = len(row.runs) <= left
        left -= len(row.runs) * fits
        near.append(row if fits else row.having(runs=()))
    return near


def _ends(row: Row, figure: str) -> dict[str, object]:
    """Return the columns that `with_intervals` adds to a row."""
    spans = row.intervals()
    ends: dict[str, object] = {}
    for name in FIGURES:
        span = spans.get(name)
        ends |= {f"test_{name}_low": span.low if span else None, f"test_{name}_high": span.high if span else None}
    main = spans.get(figure)
    few = ", ".join(f"{counted(n, 'test image')} of {name}" for name, n in row.images_of_rare_classes.items())
    return {
        **ends,
        "interval_over": over_of(row, main),
        "interval_n": main.n if main else None,
        "no_interval": few or None,
    }


def over_of(row: Row, span: Interval | None) -> str | None:
    """Return in words what was resampled for an interval, with the classes of which only images could be drawn.

    It says where groups are unknown, as the interval is too narrow then. Return None without an interval.
    """
    if span is None:
        return None
    if span.over == IMAGES and row.groups_unknown:
        return f"{IMAGES} ({GROUPS_UNKNOWN})"
    over = in_words(span.over, row)
    if not span.few_groups:
        return over
    classes = row.runs[0].classes
    return f"{over} ({', '.join(classes[k] for k in span.few_groups)}: {in_words(CELLS_ONLY, row)})"


def in_words(over: str, row: Row) -> str:
    """Return what was resampled, a name in `bootstrap`, with groups called what the row's are: 'blocks and seeds'."""
    if row.unit == GROUP:
        return over
    if over.startswith(CELLS_ONLY):
        return over.replace(CELLS_ONLY, f"cells, all from these {plural(row.unit)}")
    return plural(row.unit) + over.removeprefix(GROUPS) if over.startswith(GROUPS) else over


def _ties(rows: Sequence[Row], figure: str) -> tuple[int | None, list[bool | None]]:
    """Return the position of the best row, None without any, and for each row whether it ties with that one."""
    values = {i: value for i, row in enumerate(rows) if (value := row.metric(figure)) is not None}
    scored = [i for i in values if not rows[i].undertrained]
    best = max(scored, key=lambda i: values[i], default=None)
    if best is None or len(scored) < 2 or rows[best].too_few_seeds:
        return best, [None] * len(rows)
    others = [i for i in scored if i != best and not rows[i].too_few_seeds]
    p = {i: value for i in others if (value := _p(rows[best], rows[i], figure)) is not None}
    if not p:
        return best, [None] * len(rows)
    pairs = len(scored) * (len(scored) - 1) // 2  # the best was picked from all
    adjusted = dict(zip(p, comparisons.holm(list(p.values()), pairs), strict=True))
    ties = [True if i == best else bool(adjusted[i] > ALPHA) if i in adjusted else None for i in range(len(rows))]
    return best, ties


def log_time(row: Row) -> tuple[float, float | None, int]:
    """Return mean and standard deviation over seeds of the logarithm of the training time, and the number of seeds.

    Both are first-order approximations. The deviation is None where the row has none. The row must have a training
    time.
    """
    mean, sd = float(row["train_seconds"]), row["train_seconds_sd"]
    return math.log(mean), None if sd is None else sd / mean, len(row.seeds)
