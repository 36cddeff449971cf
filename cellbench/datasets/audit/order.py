"""Leakage by order: neighbours in file order that are alike while the split cuts between them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.data import Dataset
from ...core.words import counted
from .finding import Finding, Index, part_codes, percent
from .likeness import ALPHA, FEWEST_IMAGES, Likeness, autocorrelation, lag_curve, neighbours, reach
from .pixels import Scan

PERMUTATIONS = 999
CUT = 0.1  # a split cuts when it separates neighbours at least this often, as a share of what a random one does
FEWEST_PAIRS = 20  # that the split separates: below, a class has no say on what it tears apart
LONGEST_RUN, RUNS = 20_000, 10  # of a larger class the test reads this many images, in so many stretches
COMPONENTS = 3  # of the thumbnails


def order_features(scan: Scan) -> dict[str, NDArray[np.float64]]:
    """A few numbers (n,) an image by which neighbours may be alike."""
    thumbs = scan.thumbs.reshape(len(scan.thumbs), -1)
    centred = thumbs - thumbs.mean(1, keepdims=True)
    shape = centred / np.maximum(np.sqrt((centred**2).sum(1, keepdims=True)), 1e-6)
    shape -= shape.mean(0)
    _, axes = np.linalg.eigh(shape.T @ shape)
    found = {"mean brightness": scan.means.mean(1), "standard deviation": scan.deviation}
    found |= {f"thumbnail component {k + 1}": shape @ axes[:, -1 - k] for k in range(COMPONENTS)}
    return {name: values.astype(np.float64) for name, values in found.items()}


def order_leakage(data: Dataset, features: Mapping[str, NDArray], permutations: int = PERMUTATIONS) -> Finding:
    """Neighbours of one class in file order that are alike while the split lays them in different parts.

    features: (n,) values by name; the first is the one whose correlations are listed by lag.
    """
    codes, values = part_codes(data), np.stack(list(features.values()))
    runs = _runs(data, codes)
    if not runs:
        text = f"No class has {FEWEST_IMAGES} images, too few to tell whether neighbours are alike."
        return Finding("leakage", "order", "skipped", text)
    cut, random_cut = _cut_shares([codes[run] for run in runs.values()])
    short = {name: _shortened(run) for name, run in runs.items()}
    every = neighbours(values, [(run, np.arange(len(run) - 1)) for run in short.values()], permutations)
    p = float(every.p.min())
    figures: dict[str, Any] = {"permutations": permutations, "cut": cut, "cut_by_random_split": random_cut, "p": p}
    tested = f"p = {p:.2g} by {permutations} permutations"
    if not every.alike.any():
        text = (
            f"Neighbours in file order are {'hardly' if p <= ALPHA else 'no'} more alike than random images of their "
            f"class ({tested}, correlations up to {every.strongest.max():.2f})."
        )
        return Finding("leakage", "order", "ok", text, figures)
    figures |= _how_far(features, runs, every)
    span = " to ".join(dict.fromkeys(f"{value:.2f}" for value in np.sort(every.strongest[every.alike])[[0, -1]]))
    likeness = (
        f"Neighbours in file order are alike in {every.alike.sum()} of {len(runs)} classes (correlation {span}, "
        f"{tested}), up to {counted(figures['reach'], 'image')} apart"
    )
    apart = f"{percent(cut)} of neighbours lie in different parts, {percent(random_cut)} would by a random split"
    if cut < CUT * random_cut:
        text = f"{likeness}, but the split keeps them together: {apart}."
        return Finding("leakage", "order", "ok", text, figures)
    severed = {name: (run, np.flatnonzero(np.diff(codes[run]))) for name, run in short.items()}
    severed = {name: pairs for name, pairs in severed.items() if len(pairs[1]) >= FEWEST_PAIRS}
    across = neighbours(values, list(severed.values()), permutations) if severed else None
    if across is not None:
        figures["p_across"] = float(across.p.min())
        figures["across"] = dict(zip(severed, across.strongest.tolist(), strict=True))
    if across is None or not across.alike.any():
        text = f"{likeness}, but not those that the split separates: {apart}."
        return Finding("leakage", "order", "ok", text, figures)
    text = (
        f"{likeness}, and the split cuts between them: {apart}. Test images probably have relatives in train, which "
        "flatters every method; a split by blocks of consecutive images is the honester test."
    )
    return Finding("leakage", "order", "found", text, figures)


def _runs(data: Dataset, codes: NDArray[np.int8]) -> dict[str, Index]:
    """By class its images that the split uses, in file order; classes with too few are left out."""
    found = {}
    for k, name in enumerate(data.classes):
        own = data.labels[:, k] if data.multilabel else data.labels == k
        run = np.flatnonzero(own & (codes >= 0))
        if len(run) >= FEWEST_IMAGES:
            found[name] = run
    return found


def _shortened(run: Index) -> Index:
    """A long run as a few even stretches of it; the joints between them are few enough not to matter."""
    if len(run) <= LONGEST_RUN:
        return run
    length = LONGEST_RUN // RUNS
    starts = np.linspace(0, len(run) - length, RUNS).astype(int)
    return np.concatenate([run[start : start + length] for start in starts])


def _cut_shares(codes: Sequence[NDArray[np.int8]]) -> tuple[float, float]:
    """Share of neighbours of one class in different parts, and what a random order of the same parts would give."""
    pairs = sum(len(own) - 1 for own in codes)
    cut = sum(int(np.count_nonzero(np.diff(own))) for own in codes)
    expected = 0.0
    for own in codes:
        counts = np.bincount(own)
        expected += (len(own) - 1) * (1 - float((counts * (counts - 1)).sum()) / (len(own) * (len(own) - 1)))
    return cut / pairs, expected / pairs


def _how_far(features: Mapping[str, NDArray], runs: Mapping[str, Index], every: Likeness) -> dict[str, Any]:
    """How far the likeness reaches, over the classes that show one and by class, with each class's correlations."""
    names, by_class, curves = list(features), {}, []
    for k, (name, run) in enumerate(runs.items()):
        strongest = names[int(every.observed[k].argmax())]
        curve = autocorrelation(features[strongest][run])
        if every.alike[k]:
            curves.append(curve)
        by_class[name] = {
            "alike": bool(every.alike[k]),
            "p": float(every.p[k]),
            "correlation": float(every.strongest[k]),
            "feature": strongest,
            "reach": reach([curve]) if every.alike[k] else 0,
            f"{names[0]} by lag": lag_curve(features[names[0]], run),
        }
    return {"reach": reach(curves), "by_class": by_class}
