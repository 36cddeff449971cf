"""Whether predictions belong to their record. Those that do not are named, and no figure rests on them."""

import numpy as np
from numpy.typing import NDArray

from ..core.data import Labels
from ..core.records.runs import RunRecord
from ..core.records.store import SAME_FIGURE, Predictions
from ..core.scoring.metrics import evaluate

SCORED_PARTS = ("val", "test")  # whose scores a run keeps


def misfit(arrays: Predictions, record: RunRecord) -> str:
    """Return why predictions do not belong to a record, or '' if they do.

    arrays: as `Store.save` takes them. Shapes, types, classes and labels have to fit, and the figures that follow from
    the scores have to be those of the record.
    """
    parts = [part for part in SCORED_PARTS if f"{part}_scores" in arrays]
    return next((why for part in parts if (why := _misfit_of(part, arrays, record))), "")


def thresholds_of(record: RunRecord, labels: Labels) -> NDArray[np.float64] | float:
    """Return what scores had to exceed: (classes,) where images have several labels, else 0."""
    return np.array(record.chosen.get("thresholds", 0.0)) if labels.ndim == 2 else 0.0


def _misfit_of(part: str, arrays: Predictions, record: RunRecord) -> str:
    missing = [name for name in (f"{part}_labels", f"{part}_index") if name not in arrays]
    if missing:
        return f"{missing[0]} is missing"
    scores, labels, index = (arrays[f"{part}_{name}"] for name in ("scores", "labels", "index"))
    groups = arrays.get(f"{part}_groups")
    if scores.ndim != 2 or scores.dtype.kind != "f" or not np.isfinite(scores).all():
        return f"the {part} scores are no finite real numbers (n, classes)"
    n, classes = scores.shape
    if (known := record.facts.get("classes")) and classes != len(known):
        return f"the {part} scores are of {classes} classes, and the record is of {len(known)}"
    if not _are_labels(labels, n, classes):
        return f"the {part} labels are none of {n} images in {classes} classes"
    if any(one.shape != (n,) or one.dtype.kind not in "iu" for one in (index, groups) if one is not None):
        return f"the positions or groups of the {part} images are not {n} whole numbers"
    if n and index.min() < 0:
        return f"the positions of the {part} images are not from 0"
    if record.facts.get("multilabel", labels.ndim == 2) != (labels.ndim == 2):
        return f"the {part} labels are one an image where the record has several, or several where it has one"
    if np.shape(thresholds_of(record, labels)) not in ((), (classes,)):
        return f"the record has not one threshold for each of the {classes} classes"
    return _other_figures(part, labels, scores, record)


def _are_labels(labels: Labels, n: int, classes: int) -> bool:
    if labels.ndim == 2:
        return labels.dtype == bool and labels.shape == (n, classes)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        return False
    return not n or bool(labels.min() >= 0 and labels.max() < classes)


def _other_figures(part: str, labels: Labels, scores: NDArray[np.floating], record: RunRecord) -> str:
    """Return which figure of the record does not follow from the scores, or ''."""
    kept = record.metrics.get(part)
    if not kept:
        return ""
    found = evaluate(labels, scores, thresholds_of(record, labels))
    for name in ("n", *found):
        if name in kept and abs(kept[name] - found[name]) > SAME_FIGURE:
            return f"they give {part} {name} {found[name]:.6g}, and the record has {kept[name]:.6g}"
    return ""
