"""Shortcuts: what tells the class without a look at the cell."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.data import Dataset
from ...core.environment import cores
from ...core.metrics import balanced_accuracy
from .finding import SEED, Finding, Index, Status, percent
from .pixels import FRAME, Scan

MOST_IMAGES = 10_000  # of train, and of test
TREES = 100
HALF_WAY, NEAR_BEST = 0.5, 0.8  # from chance to perfect, and from chance to the best method


@dataclass(frozen=True)
class Best:
    """The best method's figure on the same data and split, for shortcuts to be compared with."""

    method: str
    balanced_accuracy: float


def all_shortcuts(
    data: Dataset, scan: Scan, sizes: NDArray | None = None, best: Best | None = None
) -> Iterator[Finding]:
    """What tells the class without a look at the cell."""
    yield shortcut(data, "mean-intensity", "Mean intensity", scan.means, best)
    yield _size_shortcut(data, sizes, best)
    yield shortcut(data, "border", f"The outermost {FRAME} pixels", scan.frame, best)


def shortcut(data: Dataset, check: str, title: str, features: NDArray, best: Best | None) -> Finding:
    """How well a random forest that sees `features` (n, k) alone tells the classes, trained on train, scored on test.

    One label an image: balanced accuracy, chance is 1 / classes. Several: area under the ROC curve, mean over
    classes, chance is 0.5. The forest's settings are fixed, so scoring on test tunes nothing.
    """
    rng = np.random.default_rng(SEED)
    train, test = (_sample(data.split[part], MOST_IMAGES, rng) for part in ("train", "test"))
    truth = data.labels[test]
    if data.multilabel:
        measure, chance, value = "mean ROC area", 0.5, _roc(_forest(data, features, train), features[test], truth)
    else:
        predicted = _forest(data, features, train).predict(features[test])
        measure, chance = "balanced accuracy", 1 / len(np.unique(truth))
        value = balanced_accuracy(truth, predicted)
    aim, share, against = 1.0, HALF_WAY, "half-way to 100 %"
    if best is not None and not data.multilabel:
        aim, share = best.balanced_accuracy, NEAR_BEST
        against = f"{100 * NEAR_BEST:.0f} % of the way to {best.method}, the best method, at {percent(aim)}"
    limit = chance + share * (aim - chance)
    status: Status = "found" if value >= limit and value > chance else "ok"
    text = (
        f"{title} alone: {percent(value)} {measure} on {len(test):,} test images (chance {percent(chance)}; a "
        f"warning from {percent(limit)}, {against})."
    )
    figures = {"measure": measure, "value": value, "chance": chance, "limit": limit, "n": len(test)}
    return Finding("shortcuts", check, status, text, figures | ({"best": best.method} if best else {}))


def _size_shortcut(data: Dataset, sizes: NDArray | None, best: Best | None) -> Finding:
    if sizes is not None and len(np.unique(sizes, axis=0)) > 1:
        return shortcut(data, "image-size", "Image size", sizes.astype(np.float32), best)
    height, width = data.images.shape[2:]
    known = f"all images are {height}×{width} px" if sizes is None else "all images had one size"
    if sizes is None and any("resized" in note for note in data.info.notes):
        known = "the images were resized, and their own sizes are not known"
    return Finding("shortcuts", "image-size", "skipped", f"Image size: {known}.")


def _sample(index: Index, most: int, rng: np.random.Generator) -> Index:
    return index if len(index) <= most else np.sort(rng.choice(index, most, replace=False))


def _forest(data: Dataset, features: NDArray, train: Index) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    weight = None if data.multilabel else "balanced_subsample"
    forest = RandomForestClassifier(
        TREES, min_samples_leaf=5, class_weight=weight, n_jobs=min(cores(), 8), random_state=SEED
    )
    return forest.fit(features[train], data.labels[train])


def _roc(forest: Any, features: NDArray, truth: NDArray[np.bool_]) -> float:
    """Mean over the classes that test has both kinds of; a class that train lacks says nothing, 0.5."""
    from sklearn.metrics import roc_auc_score

    areas = []
    for k, scores in enumerate(forest.predict_proba(features)):
        if truth[:, k].any() and not truth[:, k].all():
            areas.append(roc_auc_score(truth[:, k], scores[:, -1]) if scores.shape[1] > 1 else 0.5)
    return float(np.mean(areas)) if areas else 0.5
