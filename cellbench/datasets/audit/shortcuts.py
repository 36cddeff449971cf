"""Shortcuts: whether the class can be guessed without looking at the cell."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...core.data import Dataset
from ...core.machine.environment import cores
from ...core.scoring.metrics import balanced_accuracy, mean_average_precision
from ...core.text.words import percent
from . import kept
from .pixels import FRAME, Scan
from .result import SEED, CheckResult, CheckStatus, Index

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

MOST_IMAGES = 10_000  # largest number of images used of train, and of test
TREES = 100
REVISION = 1  # raise it when another forest is fitted: scores that are kept are then computed anew
HALF_WAY, NEAR_BEST = 0.5, 0.8  # where a warning begins: from chance to perfect, or from chance to the best method


MEASURES = {False: "balanced_accuracy", True: "mean_average_precision"}  # by whether images have several labels


@dataclass(frozen=True)
class BestResult:
    """The best method on the same data and split, with its value on test of the measure that suits the labels."""

    method: str
    value: float


def all_shortcuts(
    data: Dataset, scan: Scan, sizes: NDArray | None = None, best: BestResult | None = None
) -> Iterator[CheckResult]:
    """Yield the results of the checks for shortcuts by mean intensity, by image size and by the border.

    sizes: (n, 2) height and width that images had before they were resized, where that is known. best: see `shortcut`.
    """
    yield shortcut(data, "mean-intensity", "Mean intensity", scan.means, best)
    yield _size_shortcut(data, sizes, best)
    yield shortcut(data, "border", f"The outermost {FRAME} pixels", scan.frame, best)


def shortcut(data: Dataset, check: str, title: str, features: NDArray, best: BestResult | None) -> CheckResult:
    """Check how well a random forest tells the classes apart when it sees only `features` (n, k).

    It is trained on train and scored on test; its settings are fixed, so this tunes nothing. With one label an image
    the measure is balanced accuracy and chance is 1 / classes; with several it is mean average precision and chance is
    the mean share of images that have a label. best: when given, the warning begins near this method's value.
    """
    rng = np.random.default_rng(SEED)
    train, test = (_sample(data.split[part], MOST_IMAGES, rng) for part in ("train", "test"))
    if data.multilabel and not data.labels[test].any():
        return CheckResult("shortcuts", check, "skipped", f"{title} alone: no test image has a label to tell.")
    value, chance = _kept_score(data, features, train, test)
    limit, against = chance + HALF_WAY * (1 - chance), "half-way to 100 %"
    if best is not None:
        limit = chance + NEAR_BEST * (best.value - chance)
        against = f"{100 * NEAR_BEST:.0f} % of the way to {best.method}, the best method, at {percent(best.value)}"
    measure = MEASURES[data.multilabel]
    text = (
        f"{title} alone: {percent(value)} {measure.replace('_', ' ')} on {len(test):,} test images (chance "
        f"{percent(chance)}; a warning from {percent(limit)}, {against})."
    )
    figures = {"measure": measure, "value": value, "chance": chance, "limit": limit, "n": len(test)}
    status: CheckStatus = "found" if reached(value, limit, chance) else "ok"
    return CheckResult("shortcuts", check, status, text, figures | ({"best": best.method} if best else {}))


def reached(value: float, limit: float, chance: float) -> bool:
    """Whether a value has reached its limit and is above chance, all rounded to tenths of a per cent as printed.

    So the page never says that 58.3 % is fine where the warning begins at 58.3 %, and the last bits of a float, which
    differ between machines, decide nothing.
    """
    value, limit, chance = (round(100 * share, 1) for share in (value, limit, chance))
    return value >= limit and value > chance


def _size_shortcut(data: Dataset, sizes: NDArray | None, best: BestResult | None) -> CheckResult:
    """Check whether the images' original sizes give the class away; skipped where they are all alike or not known."""
    if sizes is not None and len(np.unique(sizes, axis=0)) > 1:
        return shortcut(data, "image-size", "Image size", sizes.astype(np.float32), best)
    height, width = data.images.shape[2:]
    known = f"all images are {height}×{width} px" if sizes is None else "all images had one size"
    if sizes is None and any("resized" in note for note in data.info.notes):
        known = "the images were resized, and their own sizes are not known"
    return CheckResult("shortcuts", "image-size", "skipped", f"Image size: {known}.")


def _sample(index: Index, most: int, rng: np.random.Generator) -> Index:
    return index if len(index) <= most else np.sort(rng.choice(index, most, replace=False))


def _forest(data: Dataset, features: NDArray, train: Index) -> "RandomForestClassifier":
    """A random forest of fixed settings, fitted on the images at `train`."""
    from sklearn.ensemble import RandomForestClassifier

    weight = None if data.multilabel else "balanced_subsample"
    forest = RandomForestClassifier(
        TREES, min_samples_leaf=5, class_weight=weight, n_jobs=min(cores(), 8), random_state=SEED
    )
    return forest.fit(features[train], data.labels[train])


def _kept_score(data: Dataset, features: NDArray, train: Index, test: Index) -> tuple[float, float]:
    """Return the score on `test` of a forest fitted on `train`, and the score by chance.

    Fitting takes seconds, so both are kept in the cache folder and read from there the next time.
    """
    labels = (data.labels[train], data.labels[test])
    file = kept.place("shortcuts", (REVISION, TREES, SEED), features[train], features[test], *labels)
    known = kept.read(file) or {}
    if isinstance(value := known.get("value"), float) and isinstance(chance := known.get("chance"), float):
        return value, chance
    value, chance = _score(_forest(data, features, train), features[test], data.labels[test])
    kept.write(file, {"value": value, "chance": chance})
    return value, chance


def _score(forest: "RandomForestClassifier", features: NDArray, truth: NDArray) -> tuple[float, float]:
    """Return the measure's value for the forest's predictions from `features`, and the value by chance."""
    if truth.ndim == 1:
        return balanced_accuracy(truth, forest.predict(features)), 1 / len(np.unique(truth))
    shares = zip(forest.predict_proba(features), forest.classes_, strict=True)
    scores = np.stack([share[:, -1] if classes[-1] else np.zeros(len(share)) for share, classes in shares], 1)
    return mean_average_precision(truth, scores), float(truth[:, truth.any(0)].mean())
