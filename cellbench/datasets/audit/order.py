"""Leaks by order: neighbours in file order that are alike, while the split puts them into different parts."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...core.data import Dataset
from ...core.mixed_values import Document
from ...core.text.words import counted, percent
from .likeness import ALPHA, FEWEST_FOR_ORDER, Likeness, autocorrelation, lag_curve, neighbours, reach_of_likeness
from .pixels import Scan
from .result import CheckResult, Index, part_codes

PERMUTATIONS = 999
CUT = 0.1  # a split keeps neighbours together when it separates them less often than this share of a random split's
FEWEST_PAIRS = 20  # a class with fewer separated pairs says nothing about them
LONGEST_RUN, RUNS = 20_000, 10  # from a larger class the test uses so many images, in so many stretches
COMPONENTS = 3  # principal components of the thumbnails that serve as features


def order_features(scan: Scan) -> dict[str, NDArray[np.float64]]:
    """Return features in which neighbours may be alike, (n,) by name: brightness, deviation, thumbnail components."""
    thumbs = scan.thumbs.reshape(len(scan.thumbs), -1)
    centred = thumbs - thumbs.mean(1, keepdims=True)
    shape = centred / np.maximum(np.sqrt((centred**2).sum(1, keepdims=True)), 1e-6)
    shape -= shape.mean(0)
    _, axes = np.linalg.eigh(shape.T @ shape)
    found = {"mean brightness": scan.means.mean(1), "standard deviation": scan.deviation}
    found |= {f"thumbnail component {k + 1}": shape @ axes[:, -1 - k] for k in range(COMPONENTS)}
    return {name: values.astype(np.float64) for name, values in found.items()}


def order_leakage(data: Dataset, features: Mapping[str, NDArray], permutations: int = PERMUTATIONS) -> CheckResult:
    """Check whether neighbours of one class in file order are alike while the split puts them into different parts.

    features: (n,) values by name. The first is the one whose correlations are listed by lag.
    """
    codes, values = part_codes(data), np.stack(list(features.values()))
    runs = _runs(data, codes)
    if not runs:
        text = f"No class has {FEWEST_FOR_ORDER} images, too few to tell whether neighbours are alike."
        return CheckResult("leakage", "order", "skipped", text)
    cut, random_cut = _cut_shares([codes[run] for run in runs.values()])
    short = {name: _shortened(run) for name, run in runs.items()}
    likeness = neighbours(values, [(run, np.arange(len(run) - 1)) for run in short.values()], permutations)
    p = float(likeness.p.min())
    figures: Document = {"permutations": permutations, "cut": cut, "cut_by_random_split": random_cut, "p": p}
    tested = f"p = {p:.2g} by {permutations} permutations"
    if not likeness.are_alike.any():
        text = (
            f"Neighbours in file order are {'hardly' if p <= ALPHA else 'no'} more alike than random images of their "
            f"class ({tested}, correlations up to {likeness.strongest.max():.2f})."
        )
        return CheckResult("leakage", "order", "ok", text, figures)
    figures |= _reach_of_likeness(features, runs, likeness)
    found = (
        f"Neighbours in file order are alike in {likeness.are_alike.sum()} of {len(runs)} classes "
        f"(correlation {_span(likeness)}, {tested}), up to {counted(figures['reach'], 'image')} apart"
    )
    apart = f"{percent(cut)} of neighbours lie in different parts, {percent(random_cut)} would by a random split"
    if cut < CUT * random_cut:
        text = f"{found}, but the split keeps them together: {apart}."
        return CheckResult("leakage", "order", "ok", text, figures)
    separated = _separated_pairs(short, codes)
    across = neighbours(values, list(separated.values()), permutations) if separated else None
    if across is not None:
        figures["p_across"] = float(across.p.min())
        figures["across"] = dict(zip(separated, across.strongest.tolist(), strict=True))
    if across is None or not across.are_alike.any():
        text = f"{found}, but not those that the split separates: {apart}."
        return CheckResult("leakage", "order", "ok", text, figures)
    text = (
        f"{found}, and the split cuts between them: {apart}. Test images probably have relatives in train, which "
        "flatters every method; several draws by blocks of consecutive images tell more: --split id-block@0-4."
    )
    return CheckResult("leakage", "order", "found", text, figures)


def _span(likeness: Likeness) -> str:
    """The range of the correlations of the classes whose neighbours are alike: '0.31 to 0.58'."""
    ends = np.sort(likeness.strongest[likeness.are_alike])[[0, -1]]
    return " to ".join(dict.fromkeys(f"{value:.2f}" for value in ends))


def _separated_pairs(runs: Mapping[str, Index], codes: NDArray[np.int8]) -> dict[str, tuple[Index, Index]]:
    """Return, by class, its images and the places among them of the left image of each pair that the split separates.

    Classes with fewer than FEWEST_PAIRS such pairs are left out.
    """
    pairs = {name: (run, np.flatnonzero(np.diff(codes[run]))) for name, run in runs.items()}
    return {name: (run, left) for name, (run, left) in pairs.items() if len(left) >= FEWEST_PAIRS}


def _runs(data: Dataset, codes: NDArray[np.int8]) -> dict[str, Index]:
    """Return the positions of each class's images that the split uses, in file order; small classes are left out."""
    found = {}
    for k, name in enumerate(data.classes):
        of_class = data.labels[:, k] if data.multilabel else data.labels == k
        run = np.flatnonzero(of_class & (codes >= 0))
        if len(run) >= FEWEST_FOR_ORDER:
            found[name] = run
    return found


def _shortened(run: Index) -> Index:
    """Return a long run cut down to a few evenly spaced stretches. The joints between them are too few to matter."""
    if len(run) <= LONGEST_RUN:
        return run
    length = LONGEST_RUN // RUNS
    starts = np.linspace(0, len(run) - length, RUNS).astype(int)
    return np.concatenate([run[start : start + length] for start in starts])


def _cut_shares(codes: Sequence[NDArray[np.int8]]) -> tuple[float, float]:
    """Return the share of neighbours of one class that lie in different parts, and that share for a random split."""
    pairs = sum(len(run) - 1 for run in codes)
    cut = sum(int(np.count_nonzero(np.diff(run))) for run in codes)
    expected = 0.0
    for run in codes:
        counts = np.bincount(run)
        expected += (len(run) - 1) * (1 - float((counts * (counts - 1)).sum()) / (len(run) * (len(run) - 1)))
    return cut / pairs, expected / pairs


def _reach_of_likeness(features: Mapping[str, NDArray], runs: Mapping[str, Index], likeness: Likeness) -> Document:
    """Return how many images apart likeness still shows, over all alike classes and by class, with correlations."""
    names, by_class, curves = list(features), {}, []
    for k, (name, run) in enumerate(runs.items()):
        strongest = names[int(likeness.observed[k].argmax())]
        curve = autocorrelation(features[strongest][run])
        if likeness.are_alike[k]:
            curves.append(curve)
        by_class[name] = {
            "alike": bool(likeness.are_alike[k]),
            "p": float(likeness.p[k]),
            "correlation": float(likeness.strongest[k]),
            "feature": strongest,
            "reach": reach_of_likeness([curve]) if likeness.are_alike[k] else 0,
            f"{names[0]} by lag": lag_curve(features[names[0]], run),
        }
    return {"reach": reach_of_likeness(curves), "by_class": by_class}
