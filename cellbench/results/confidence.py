"""How far the probabilities of a row can be trusted, from its predictions: calibration, abstention, sets of classes.

Scores become probabilities by a rule that is fitted on val (`calibration`); the figures are those of test. Rules
and sources: docs/trust.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.data import Labels
from ..core.scoring.calibration import Calibration, calibrate
from .rows.row import Row
from .runs import Predicted, Run
from .statistics.bootstrap import IMAGES, LEVEL, RESAMPLES, Interval, bounds, design_of, weights_of
from .statistics.jackknife import Scale, has_few_groups, jackknifed

BINS = 15  # of confidence, each with as many images, as in Guo et al. 2017
SIMULATIONS = 1000
SET_LEVEL = 0.95  # the share of images whose set of classes is to hold the right one
FEWEST_IN_GROUP = 10  # images of a group, for a coverage of its own


@dataclass(frozen=True, eq=False)
class Trusted:
    """The probabilities of one run. rule: from scores to probabilities. val, test: its predictions.

    of_val, of_test: probabilities, (n, classes).
    """

    rule: Calibration
    val: Predicted
    test: Predicted
    of_val: NDArray[np.float64]
    of_test: NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure, the mean over the seeds of a row, with its 95 % interval or None."""

    value: float
    interval: Interval | None = None

    def ends(self, name: str) -> dict[str, float | None]:
        """Return the figure and the ends of its interval as columns `name`, `name_low` and `name_high`."""
        span = self.interval
        return {
            name: self.value,
            f"{name}_low": span.low if span else None,
            f"{name}_high": span.high if span else None,
        }


@dataclass(frozen=True)
class CalibrationFigures:
    """Figures of probabilities on test.

    nll: mean negative log likelihood, in nats. brier: mean squared error, summed over the classes. error: the expected
    calibration error, see `calibration_error`. unfitted_error: the same for the softmax or sigmoid of the scores as
    they came. noise: what 95 % of the calibration errors of perfectly calibrated probabilities lie below; None where
    images have groups, as their answers are not independent. temperature: mean over seeds; None where images have
    several labels.

    The error has no interval where images have groups: as the cells of a group err together, it is above that of the
    population, which 95 % intervals of a bootstrap then hold in as few as 34 % of cases.
    """

    nll: Estimate
    brier: Estimate
    error: Estimate
    unfitted_error: float
    noise: float | None
    temperature: float | None


@dataclass(frozen=True)
class SetFigures:
    """Figures of sets of classes on test: coverage is the share that hold the right class.

    size: mean number of classes in a set. single: share of sets with exactly one class. worst_group: coverage of the
    group with the lowest, among those with FEWEST_IN_GROUP images; None where images have no groups.
    """

    coverage: Estimate
    size: float
    single: float
    worst_group: float | None


def trusted(row: Row) -> list[Trusted]:
    """Return the probabilities of each run of a row; [] unless all have predictions on val and on test."""
    found = [_trusted(run) for run in row.runs]
    return [one for one in found if one is not None] if all(found) else []


def _trusted(run: Run) -> Trusted | None:
    val, test = run.predicted("val"), run.predicted()
    if val is None or test is None or not len(val.truth) or not len(test.truth):
        return None
    rule = calibrate(val.scores, val.truth)
    return Trusted(rule, val, test, rule(val.scores), rule(test.scores))


def calibration_figures(row: Row, runs: Sequence[Trusted]) -> CalibrationFigures:
    """Return the figures of a row's probabilities. runs: as `trusted` returned them, at least one."""
    answers = [confidences(one.of_test, one.test.truth) for one in runs]
    draw = _Resampling(row, runs)
    independent = runs[0].test.groups is None and not row.groups_unknown
    temperatures = [one.rule.temperature for one in runs if one.rule.temperature is not None]
    return CalibrationFigures(
        draw.mean([_nll(one.of_test, one.test.truth) for one in runs]),
        draw.mean([_brier(one.of_test, one.test.truth) for one in runs]),
        draw.mean_calibration_error(answers),
        float(np.mean([_error_as_trained(one) for one in runs])),
        float(np.mean([calibrated_noise(confidence) for confidence, _ in answers])) if independent else None,
        float(np.mean(temperatures)) if temperatures else None,
    )


def _error_as_trained(one: Trusted) -> float:
    unfitted = Calibration((1.0,), (0.0,), one.rule.several_labels)
    return calibration_error(*confidences(unfitted(one.test.scores), one.test.truth))


def confidences(probabilities: NDArray[np.float64], truth: Labels) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return how sure each answer is, and whether it is right, both (n, 1), or (n, classes) with several labels.

    With one label an answer is the likeliest class; with several it is each class, and its probability the confidence.
    """
    if truth.ndim == 2:
        return probabilities, np.asarray(truth, bool)
    return probabilities.max(1, keepdims=True), (probabilities.argmax(1) == truth)[:, None]


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error: the mean distance of confidence from the share that is right.

    It is over BINS bins with as many answers each. Source: Guo et al., "On Calibration of Modern Neural Networks",
    2017, with bins of equal mass (Nixon et al., "Measuring Calibration in Deep Learning", 2019).
    """
    gaps = np.bincount(bin_of(confidence).ravel(), (confidence - right).ravel())
    return float(np.abs(gaps).sum() / confidence.size)


def bin_of(confidence: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return which of the BINS bins each answer is in, from 0 for the least sure; equal confidences share a bin."""
    edges = np.quantile(confidence, np.linspace(0, 1, BINS + 1)[1:-1])
    return np.searchsorted(np.unique(edges), confidence, side="left")


def calibrated_noise(confidence: NDArray[np.float64]) -> float:
    """Return what 95 % of the calibration errors lie below if each answer is right as often as its confidence says.

    An error below it does not show that probabilities are wrong. Images are taken as independent. Source: consistency
    resampling, Bröcker & Smith, "Increasing the Reliability of Reliability Diagrams", 2007.
    """
    rng = np.random.default_rng(0)
    of_bin, flat = bin_of(confidence).ravel(), confidence.ravel()
    bins = int(of_bin.max()) + 1
    errors = []
    for _ in range(SIMULATIONS):
        gaps = np.bincount(of_bin, flat - (rng.random(flat.size) < flat), minlength=bins)
        errors.append(np.abs(gaps).sum() / flat.size)
    return float(np.quantile(errors, LEVEL))


def accuracy_of_surest(probabilities: NDArray[np.float64], truth: Labels, share: float) -> float:
    """Return the accuracy of the surest `share` of the answers, at least one of them.

    Where equal confidences stand on both sides of the cut, it is what a random choice among them gives on average.
    """
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    n = max(1, round(share * len(truth)))
    cut = np.partition(confidence, len(truth) - n)[len(truth) - n]
    surer, level = confidence > cut, confidence == cut
    return float((right[surer].sum() + (n - surer.sum()) * right[level].mean()) / n)


def sets_of(one: Trusted, level: float = SET_LEVEL) -> NDArray[np.bool_]:
    """Return for each test image its set of classes, (n, classes): split conformal prediction, calibrated on val.

    If val and test images are interchangeable, a set holds the right class with probability `level` or more. A class
    belongs to the set if its probability is not among the lowest that right classes of val get. Source: Sadinle, Lei &
    Wasserman, "Least Ambiguous Set-Valued Classifiers With Bounded Error Levels", 2019.
    """
    from crepes import ConformalClassifier

    of_right = one.of_val[np.arange(len(one.val.truth)), one.val.truth]
    sets = ConformalClassifier().fit(1 - of_right).predict_set(1 - one.of_test, confidence=level, smoothing=False)
    found: NDArray[np.bool_] = np.asarray(sets).astype(bool)
    return found


def set_figures(row: Row, runs: Sequence[Trusted]) -> SetFigures:
    """Return the figures of a row's sets of classes. runs: as `trusted` returned them, of images with one label."""
    sets = [sets_of(one) for one in runs]
    held = [found[np.arange(len(found)), one.test.truth].astype(float) for found, one in zip(sets, runs, strict=True)]
    sizes = [found.sum(1) for found in sets]
    same = row.predictions is not None  # if seeds have the same images, the worst group is that of their mean
    means = [np.mean(held, 0)] if same else held
    worst = [_worst_group(mean, one.test.groups) for mean, one in zip(means, runs, strict=False)]
    return SetFigures(
        _Resampling(row, runs).mean(held, "logit"),
        float(np.mean([size.mean() for size in sizes])),
        float(np.mean([(size == 1).mean() for size in sizes])),
        None if None in worst else float(np.mean([share for share in worst if share is not None])),
    )


def _worst_group(held: NDArray[np.float64], groups: NDArray[np.int64] | None) -> float | None:
    if groups is None:
        return None
    shares = [held[groups == g].mean() for g in np.unique(groups) if (groups == g).sum() >= FEWEST_IN_GROUP]
    return float(min(shares)) if shares else None


def _nll(probabilities: NDArray[np.float64], truth: Labels) -> NDArray[np.float64]:
    """Return the negative log likelihood of each image's labels, (n,); of several labels the mean over the classes."""
    safe = np.clip(probabilities, 1e-15, 1 - 1e-15)
    if truth.ndim == 1:
        of_right: NDArray[np.float64] = -np.log(safe[np.arange(len(truth)), truth])
        return of_right
    of_images: NDArray[np.float64] = -np.where(truth, np.log(safe), np.log1p(-safe)).mean(1)
    return of_images


def _brier(probabilities: NDArray[np.float64], truth: Labels) -> NDArray[np.float64]:
    """Return the squared error of each image's probabilities, (n,).

    It is summed over the classes; where images have several labels, it is the mean over them.
    """
    target = truth if truth.ndim == 2 else np.eye(probabilities.shape[1])[truth]
    squared = (probabilities - target) ** 2
    of_images: NDArray[np.float64] = squared.mean(1) if truth.ndim == 2 else squared.sum(1)
    return of_images


class _Resampling:
    """Figures that are means over the runs of a row, with intervals over test images or groups of them.

    There are no intervals for a row whose runs have different test images, or whose groups are unknown.
    """

    def __init__(self, row: Row, runs: Sequence[Trusted]) -> None:
        test = runs[0].test
        known = row.predictions is not None and len(row.draws) == 1 and not row.groups_unknown
        self._design = design_of(test.truth, test.groups, np.arange(len(test.truth))) if known else None

    def mean(self, of_images: Sequence[NDArray[np.float64]], scale: Scale = "log") -> Estimate:
        """Return the mean over images of a number for each image, (n,), given for each run; scale: as `_interval`."""
        value = float(np.mean([each.mean() for each in of_images]))
        columns = [each[:, None] for each in of_images]
        return Estimate(value, self._interval(columns, lambda sums: sums[:, 0], scale))

    def mean_calibration_error(self, answers: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]]) -> Estimate:
        """Return the mean calibration error of the runs, with its interval over images.

        Resampling makes the error larger on average, so the resamples are shifted down by their mean excess over it.
        Where images have groups there is no interval. answers: of each run, as `confidences` returned them.
        """
        value = float(np.mean([calibration_error(*each) for each in answers]))
        if self._design is None or self._design.over != IMAGES:
            return Estimate(value)
        gaps = [_gaps(*each) for each in answers]
        return Estimate(value, self._interval(gaps, lambda sums: np.abs(sums).sum(1), "log", value))

    def _interval(
        self,
        of_images: Sequence[NDArray[np.float64]],
        figure: Callable[[NDArray[np.float64]], NDArray[np.float64]],
        scale: Scale,
        centre: float | None = None,
    ) -> Interval | None:
        """Return the interval of a figure of weighted means over images.

        of_images: for each run, (n, columns). figure: from means in each resample, (resamples, columns), to the figure,
        (resamples,). scale: as for `jackknifed`, 'logit' for a share of the images, whose 0 and 1 have the bounds of
        Clopper and Pearson, else 'log'. centre: what the figure's mean over the resamples is moved to, if not None; 0
        is the least then.
        """
        if self._design is None:
            return None
        kind, kinds = self._design.kind, len(self._design.copies)
        size = _summed(kind, np.ones((len(kind), 1)), kinds)
        sums = [_summed(kind, each, kinds) for each in of_images]

        def weighted(weights: NDArray[np.float64]) -> NDArray[np.float64]:
            found: NDArray[np.float64] = np.mean([figure(weights @ each / (weights @ size)) for each in sums], 0)
            return found

        if has_few_groups(self._design) and (span := jackknifed(weighted, self._design, LEVEL, scale)):
            return span
        values = np.concatenate([weighted(weights) for weights in weights_of(self._design, RESAMPLES)])
        if centre is not None:
            values = np.maximum(values - (values.mean() - centre), 0)
        return bounds(values, self._design, LEVEL, whole_range=scale == "logit")


def _gaps(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the sum of confidence minus right of each image in each bin, (n, bins), over the image's answers."""
    of_bin = bin_of(confidence)
    found = np.zeros((len(confidence), int(of_bin.max()) + 1))
    rows = np.broadcast_to(np.arange(len(confidence))[:, None], confidence.shape)
    np.add.at(found, (rows, of_bin), (confidence - right) / confidence.shape[1])
    return found


def _summed(kind: NDArray[np.int64], of_images: NDArray[np.float64], kinds: int) -> NDArray[np.float64]:
    found = np.zeros((kinds, of_images.shape[1]))
    np.add.at(found, kind, of_images)
    return found
