"""A trained model on perturbed test images, and the record of it beside the model."""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from ...core.data import Dataset
from ...core.errors import DataError, UsageError
from ...core.records.stress import SUFFIX, Curve, StressRecord, read
from ...core.records.stress_answers import Answers, read_answers
from ...core.scoring.metrics import evaluate
from ...core.text.words import counted
from ...datasets.files import cache
from ...datasets.folder.cutting import on_black
from ...datasets.named_splits import with_split
from ...datasets.splits import limited
from ..saved_models import models
from ..saved_models.models import Model
from .perturbations import PERTURBATIONS, Perturbation, perturbed

DRAWING = 2  # see StressRecord; raise it when other images come of the same draws
BATCH_PIXELS = 2**21  # of all channels, that are perturbed at a time
StressProgress = Callable[[int], object]


@dataclass(frozen=True)
class Plan:
    """What a stress test does to each model.

    perturbations: in the order of the record. draws: seed of what they draw at random. limit: number of test images,
    stratified and the same for every model; None is all. device: 'cpu' or 'cuda'. force: whether perturbations that
    were done in the same way before are done again, and a record of other images or draws is replaced.
    """

    perturbations: Sequence[Perturbation]
    draws: int = 0
    limit: int | None = None
    device: str = "cpu"
    force: bool = False


def find_models(given: Sequence[Path]) -> list[Path]:
    """Return the files of models: those given, and all in the folders given, each once.

    Raises UsageError for a path that does not exist, and for a folder without any model.
    """
    found: dict[Path, Path] = {}
    for path in given:
        if not path.exists():
            raise UsageError(f"{path} does not exist; give models, or the folder of results that has them")
        inside = sorted(path.rglob(f"*{models.SUFFIX}")) if path.is_dir() else [path]
        if not inside:
            raise UsageError(f"no model in {path}; keep them with: cellbench run --save-models, and the same again")
        found |= {one.resolve(): one for one in reversed(inside) if one.resolve() not in found}
    return sorted(found.values())


def find_data(path: Path, model: Model) -> Dataset:
    """Return the prepared data set that the model of a file learnt from, with its split.

    Raises DataError if it is not here.
    """
    for folder in sorted(cache.location("").glob("*")):
        if cache.meta(folder.name).get("info", {}).get("fingerprint") == model.fingerprint:
            return with_split(cache.read(folder), model.split)
    raise DataError(
        f"{path}: {model.dataset!r} with content {model.fingerprint[:8]}, which it learnt from, is not prepared "
        "here; prepare it with `cellbench prepare`, or `cellbench run -d FOLDER --dry-run` for a folder of your own"
    )


def images_of(path: Path, plan: Plan) -> int:
    """Return how many images a stress test of the model has to score; 0 if it was tested in the same way before.

    Raises UsageError or DataError for no model, data that are not here, or an earlier test with other images or draws.
    """
    case = _open(path, plan)
    return 0 if case.is_done else len(case.chosen) * (1 + sum(len(one.strengths) for one in case.perturbations))


def costs_of(paths: Sequence[Path], plan: Plan, pass_over: Callable[[str], object]) -> dict[Path, int]:
    """Return `images_of` each model that can be tested here.

    pass_over: called with why a model cannot be, as its data are not here or its file is none. Raises the DataError of
    the last one if none can.
    """
    costs: dict[Path, int] = {}
    problems: list[DataError] = []
    for path in paths:
        try:
            costs[path] = images_of(path, plan)
        except DataError as error:
            problems.append(error)
    if problems and not costs:
        raise problems[-1]
    for problem in problems:
        pass_over(f"passed over {problem}")
    return costs


def stress(path: Path, plan: Plan, progress: StressProgress = lambda done: None) -> StressRecord:
    """Test the model in the file `path` as planned, write the record of the test beside the model, and return it.

    Curves of an earlier test with the same images and draws are kept; only those that are missing are made. progress:
    called with the number of images that are done, out of the number that `images_of` gives.

    Raises UsageError or DataError where there is no such model, where its data set is not here, where an earlier test
    had other images or draws, and where the record cannot be written.
    """
    case = _open(path, plan)
    if case.before and case.is_done:
        return case.before
    model, scores = case.model, _scores(case, plan, progress)
    truth = case.data.labels[case.chosen]
    before = case.before
    thresholds = np.array(model.thresholds, np.float32) if model.multilabel else 0.0
    figures = {name: [evaluate(truth, one, thresholds) for one in by_strength] for name, by_strength in scores.items()}
    curves = {one.name: one for one in before.curves} if before else {}
    curves |= {one.name: _curve(model, one, figures[one.name]) for one in case.perturbations}
    record = StressRecord(
        model=digest(path),
        method=model.method,
        dataset=model.dataset,
        fingerprint=model.fingerprint,
        split=model.split,
        seed=model.seed,
        n=len(case.chosen),
        draws=plan.draws,
        curves=tuple(sorted(curves.values(), key=_place)),
        left_out={**(before.left_out if before else {}), **case.left_out},
        trained=model.metrics["test"],
        device=plan.device,
        version=__version__,
        drawing=DRAWING,
    )
    kept = read_answers(path, before) if before else None
    predicted = {**(kept.predicted if kept else {}), **{name: _labels(model, scores[name]) for name in scores}}
    groups = None if case.data.units is None else case.data.units[case.chosen]
    file = path.with_suffix(SUFFIX)
    try:
        Answers(case.chosen, truth, groups, len(case.data.classes), predicted).save(path)
        record.save(file)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror or error}; copy the model to another folder") from error
    return record


def digest(path: Path) -> str:
    """Return 12 hexadecimal digits of the SHA-256 of a model's file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


@dataclass(frozen=True, eq=False)
class _Case:
    """A model to test: its data, the positions of the test images, what is to be done to them, and the earlier record.

    perturbations: those that are still missing. left_out: why others cannot be done, by name. before: the record of a
    test of this model with the same images and draws, or None.
    """

    model: Model
    data: Dataset
    chosen: NDArray[np.int64]
    perturbations: Sequence[Perturbation]
    left_out: Mapping[str, str]
    before: StressRecord | None

    @property
    def is_done(self) -> bool:
        return self.before is not None and not self.perturbations


def _open(path: Path, plan: Plan) -> _Case:
    model = models.load(path)
    data = find_data(path, model)
    chosen = limited(data.split.test, data.labels, plan.limit, what="test images")
    missing = [one for one in plan.perturbations if one.channels <= len(model.channels)]
    left_out = {one.name: f"needs {one.channels} channels" for one in plan.perturbations if one not in missing}
    before = _earlier(path, len(chosen), plan)
    if before is not None and before.drawing != DRAWING:  # by a version that drew otherwise
        kept = [one for one in before.curves if one.name in PERTURBATIONS and not PERTURBATIONS[one.name].draws]
        before = replace(before, curves=tuple(kept))
    if before is not None and not plan.force:
        strengths = {curve.name: curve.strengths[1:] for curve in before.curves}
        missing = [one for one in missing if strengths.get(one.name) != one.strengths]
    return _Case(model, data, chosen, missing, left_out, before)


def _earlier(path: Path, n: int, plan: Plan) -> StressRecord | None:
    """Return the record of an earlier test of this model with n images and the plan's draws, or None without any.

    Raises UsageError for one with other images or draws, unless the plan replaces it.
    """
    file = path.with_suffix(SUFFIX)
    try:
        before = read(file)
    except ValueError:  # damaged: it is made again
        return None
    if before is None or before.model != digest(path):
        return None
    if (before.n, before.draws) == (n, plan.draws):
        return before
    if plan.force:
        return None
    raise UsageError(
        f"{file} has a test with {counted(before.n, 'image')} and --seed {before.draws}, and this one takes {n:,} and "
        f"--seed {plan.draws}; give the same --limit and --seed, or --force to replace it"
    )


def _place(curve: Curve) -> int:
    """Return the place of a curve in a record: that of its perturbation, the end for one that is unknown."""
    return list(PERTURBATIONS).index(curve.name) if curve.name in PERTURBATIONS else len(PERTURBATIONS)


def _scores(case: _Case, plan: Plan, progress: StressProgress) -> dict[str, list[NDArray[np.float32]]]:
    """Return for each perturbation the scores (n, classes) at each of its strengths, 0 first."""
    model, data = case.model, case.data
    scorer = models.restore(model, plan.device)
    found: dict[str, list[list[NDArray[np.float32]]]] = {
        one.name: [[] for _ in range(1 + len(one.strengths))] for one in case.perturbations
    }
    done = 0
    for positions in _batches(case.chosen, data.images.shape[1:]):
        images = np.array(data.images[positions])
        cell = (images != 0).any(1, keepdims=True) if model.reading.get("masks") else None
        unchanged = scorer.predict(model.prepared(images))
        progress(done := done + len(images))
        for one in case.perturbations:
            found[one.name][0].append(unchanged)
            for at, strength in enumerate(one.strengths, 1):
                rngs = _generators(one, plan.draws, positions) if one.draws else ()
                changed = perturbed(images, one, strength, rngs)
                if cell is not None and not one.moves:  # the microscope changes, and the masks stay
                    changed = on_black(changed, cell)
                scores = scorer.predict(model.prepared(changed))
                found[one.name][at].append(scores)
                progress(done := done + len(images))
    return {name: [np.concatenate(parts) for parts in strengths] for name, strengths in found.items()}


def _generators(one: Perturbation, draws: int, positions: NDArray[np.int64]) -> list[np.random.Generator]:
    """Return a generator for each image, by its position in the data set, whichever others are tested with it."""
    name = zlib.crc32(one.name.encode())
    return [np.random.default_rng([draws, name, at]) for at in positions.tolist()]


def _labels(model: Model, by_strength: Sequence[NDArray[np.float32]]) -> NDArray[np.generic]:
    """Return the labels that follow from scores, (strengths, n), or (strengths, n, classes) bool; small numbers."""
    labels = np.stack([model.decided(scores) for scores in by_strength])
    return labels if labels.dtype == bool else labels.astype(np.min_scalar_type(len(model.classes)))


def _batches(chosen: NDArray[np.int64], shape: Sequence[int]) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of each batch."""
    size = max(1, BATCH_PIXELS // int(np.prod(shape)))
    for start in range(0, len(chosen), size):
        yield chosen[start : start + size]


def _curve(model: Model, perturbation: Perturbation, figures: Sequence[dict[str, float]]) -> Curve:
    """Return the curve of a perturbation; a metric that is missing at any strength is left out."""
    names = [name for name in figures[0] if name != "n" and all(name in one for one in figures)]
    return Curve(
        perturbation.name,
        perturbation.unit,
        (0, *perturbation.strengths),
        {name: tuple(one[name] for one in figures) for name in names},
        {name: model.params[name] for name in perturbation.resembles if model.params.get(name)},
    )
