"""One run, from its spec to its record, in the process that calls it."""

import dataclasses
import os
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..core.data import PARTS, Dataset, Labels, Samples, absent_classes, count_classes
from ..core.errors import CellbenchError
from ..core.machine import contention
from ..core.machine.environment import describe
from ..core.mixed_values import Document, Facts
from ..core.records.runs import RunLog, RunRecord, RunSpec
from ..core.records.store import Predictions
from ..core.scoring.calibration import calibrate
from ..core.scoring.decision import Decision
from ..core.scoring.metrics import evaluate, per_class, validation_figure
from ..core.settings import replace
from ..core.training_budget import steps
from ..core.undertraining import undertrained
from ..datasets.files import cache
from ..datasets.named_splits import with_split
from ..datasets.preprocessing import Preprocessing, Range
from ..datasets.splits import limited_parts
from ..methods.registry import Method, methods
from .job import Job
from .saved_models import models
from .scores import checked_scores
from .smaller_batches import fitted

TRAIN_METRIC_LIMIT = 12_500

A = TypeVar("A", bound=NDArray[np.generic])
RunListener = Callable[[str, Facts], None]


def execute(
    job: Job,
    listener: RunListener = lambda kind, facts: None,
    checkpoint: Path | None = None,
    model: Path | None = None,
) -> tuple[RunRecord, Predictions]:
    """Do the run and return its record, and its scores and labels on val and test (see `Store.save`).

    Any error of the method passes through. checkpoint: the file where the method may keep its progress, see RunLog.
    model: the file to write the trained model to, if the method can be restored; None for none.
    """
    spec = job.spec
    _settle_device(spec)
    log = RunLog(listener, checkpoint)
    with log.phase("load"):
        data = cache.read(job.data)
        if data.info.fingerprint != spec.fingerprint:
            raise CellbenchError(f"data set {spec.dataset!r} changed since the run was planned; start again")
        data = with_split(data, spec.split)
        parts, index, measured = _parts(data, spec)
    own = spec.params.get("batch")
    method, smaller = fitted(lambda batch: make_method(job, batch), own, parts["train"], parts["val"], log)
    answers = _answers(method, data, parts, index, spec, log)
    memory = peak_memory(spec.device)  # before the method's facts, which may take some of their own
    facts = {
        **getattr(method, "facts", {}),
        **method_facts(spec),
        **data_facts(data, parts, spec),
        **_plan_facts(job),
        **_undertrained(job, log),
        "parameters": method.parameters,
        **({"batch_instead": smaller} if smaller else {}),
        **({"shared": contention.at_once} if contention.at_once > 1 else {}),
    }
    record = _record(job, method, answers, log, memory, facts)
    _check(record)
    if model is not None and methods[spec.method].restore is not None:
        rule = calibrate(answers.scores["val"], answers.truth["val"])
        try:
            models.save(model, models.of_run(record, data, measured, method, rule))
        except OSError as error:  # the record is worth more, and needs less room
            record = without_model(record, error)
    return record, _predictions(answers, data, index)


@dataclass(frozen=True, eq=False)
class _Answers:
    """What a trained method answers, by part.

    scores: (n, classes), of train those of a sample alone. truth: the labels of the same images. thresholds: (classes,)
    where images have several labels, else 0. sweeps: for the record, what the thresholds were chosen from.
    """

    scores: Mapping[str, NDArray[np.float32]]
    truth: Mapping[str, Labels]
    thresholds: NDArray[np.float32] | float
    sweeps: Facts


def _answers(
    method: Method,
    data: Dataset,
    parts: Mapping[str, Samples],
    index: Mapping[str, NDArray[np.int64]],
    spec: RunSpec,
    log: RunLog,
) -> _Answers:
    """Score test, which is timed, then train and val, and choose the thresholds on val."""
    with log.phase("predict"):
        returned = method.predict(parts["test"].images)
    classes = len(data.classes)
    scores = {"test": checked_scores(returned, "test", len(parts["test"]), classes)}
    drawn = _subsample(len(parts["train"]))
    for part, images in (("train", parts["train"].images[drawn]), ("val", parts["val"].images)):
        scores[part] = checked_scores(method.predict(_read_only(images)), part, len(images), classes)
    # Of the data set, and not of what the method was given: it may have changed that, wherever it is kept.
    truth = {part: data.labels[index[part]] for part in PARTS}
    truth["train"] = truth["train"][drawn]
    if not data.multilabel:
        return _Answers(scores, truth, 0.0, {})
    return _Answers(scores, truth, *Decision(**spec.decision).fit(truth["val"], scores["val"]))


def _record(
    job: Job, method: Method, answers: _Answers, log: RunLog, memory: Mapping[str, int], facts: Facts
) -> RunRecord:
    """Return the record of a run that has ended well."""
    truth, scores, thresholds = answers.truth, answers.scores, answers.thresholds
    chosen = dict(method.chosen)
    if isinstance(thresholds, np.ndarray):
        chosen |= {"thresholds": thresholds.tolist(), **answers.sweeps}
    return RunRecord(
        spec=job.spec,
        status="ok",
        metrics={part: evaluate(truth[part], scores[part], thresholds) for part in PARTS},
        per_class={part: per_class(truth[part], scores[part], thresholds) for part in PARTS},
        seconds=log.seconds,
        others=log.spent.of_others,
        memory=memory,
        history=tuple(log.history),
        backend=method.backend,
        chosen=chosen,
        facts=facts,
        overrides=job.overrides,
        environment=environment(job.spec.device),
        version=__version__,
    )


def _predictions(answers: _Answers, data: Dataset, index: Mapping[str, NDArray[np.int64]]) -> Predictions:
    """Return what is kept beside the record; train's scores are large, and nothing is read off them."""
    kept = ("val", "test")
    arrays: dict[str, NDArray[np.generic]] = {f"{part}_scores": answers.scores[part] for part in kept}
    arrays |= {f"{part}_labels": answers.truth[part] for part in kept} | {f"{part}_index": index[part] for part in kept}
    if data.units is not None:  # intervals are wider where images of a group, or of a block, resemble each other
        arrays |= {f"{part}_groups": data.units[index[part]] for part in kept}
    return arrays


def without_model(record: RunRecord, error: OSError) -> RunRecord:
    """Return the record of a run whose model could not be written, with the reason."""
    why = error.strerror or type(error).__name__
    return dataclasses.replace(record, facts={**record.facts, "model_not_saved": why})


def validate(job: Job, listener: RunListener = lambda kind, facts: None) -> Facts:
    """Train the method of a run and score it on val alone: test images are not even read.

    Returns `figure`, the name of the figure that is chosen by, see `metrics.validation_figure`, its `value`, and
    what the method `chose`. Any error of the method passes through.
    """
    spec = job.spec
    _settle_device(spec)
    data = with_split(cache.read(job.data), spec.split)
    parts, index, _ = _parts(data, spec, ("train", "val"))
    method = make_method(job)
    method.fit(parts["train"], parts["val"], RunLog(listener))
    returned = method.predict(parts["val"].images)
    scores = checked_scores(returned, "val", len(parts["val"]), len(data.classes))
    name, value = validation_figure(data.labels[index["val"]], scores)
    return {"figure": name, "value": value, "chose": dict(method.chosen)}


def _check(record: RunRecord) -> None:
    """Raise CellbenchError if a method put something into its record that readers would refuse."""
    try:
        RunRecord.from_json(record.to_json())
    except ValueError as error:
        raise CellbenchError(f"{record.spec.method} gave what no record can hold: {error}") from None


def make_method(job: Job, batch: int | None = None) -> Method:
    """Return the untrained method of a run. Raises BackendError if a library or device that it needs is missing.

    batch: its batch size, if it is not the one of the job.
    """
    entry, spec = methods[job.spec.method], job.spec
    changed: dict[str, object] = {"weights": str(job.weights)} if job.weights else {}
    changed |= {"batch": batch} if batch else {}
    return entry.factory(replace(entry.defaults, **{**spec.params, **changed}), spec.seed, spec.device)


def unfinished(job: Job, status: str, reason: str, environment: Facts) -> RunRecord:
    """Return the record of a run without results: what was to be done, how it ended and why. Needs no torch."""
    data = with_split(cache.read(job.data), job.spec.split)
    return RunRecord(
        spec=job.spec,
        status=status,  # type: ignore[arg-type]
        reason=reason,
        facts={
            **method_facts(job.spec),
            **data_facts(data, _labels(data, job.spec), job.spec),
            **_plan_facts(job),
        },
        overrides=job.overrides,
        environment=environment,
        version=__version__,
    )


def environment(device: str) -> Facts:
    """Return the environment of a run (see `describe`), with the threads and the card that torch uses."""
    import torch

    gpu = torch.cuda.get_device_name() if device == "cuda" and torch.cuda.is_available() else ""
    return describe(device, torch.get_num_threads(), gpu)


def method_facts(spec: RunSpec) -> Facts:
    entry = methods[spec.method]
    facts = {key: getattr(entry, key) for key in ("family", "depth", "shortcuts", "standard")}
    facts["seeded"] = entry.is_seeded(spec.params)
    return {**facts, "pretrained": entry.pretrained or bool(spec.params.get("weights"))}


def _undertrained(job: Job, log: RunLog) -> dict[str, str]:
    """Return the fact `undertrained`: why a net was trained too little; no fact if nothing says that it was."""
    if "epochs" not in job.spec.params:
        return {}
    reason = undertrained(log.history, steps(job.n["train"], job.spec.params), job.least_steps, job.n["val"])
    return {"undertrained": reason} if reason else {}


def _plan_facts(job: Job) -> Facts:
    """Return the facts `follows` and, if there are any, `entries` and `tuning` of a run.

    follows: names of the settings that follow from the number of training images. entries: the entries of suites that
    the run was made for, by which tables recognise its variants. tuning: what it cost to find the settings.
    """
    entries = {"entries": list(job.titles)} if job.titles else {}
    tuning = {"tuning": dict(job.tuning)} if job.tuning else {}
    return {"follows": list(job.follows), **entries, **tuning}


def data_facts(data: Dataset, parts: Mapping[str, Samples], spec: RunSpec) -> Facts:
    """Return the facts about the data that a record keeps: the images' shape, classes, counts, groups, licence, notes.

    Numbers of images are of the images used, after the limits; `groups` has the numbers of groups, or of the blocks
    that the split keeps together, before the limits, and `groups_are` the column that names the groups.
    """
    counts = {part: count_classes(parts[part].labels, len(data.classes)) for part in PARTS}
    absent = {part: absent_classes(data.classes, counts[part]) for part in PARTS}
    facts: Document = {
        **_input_facts(data, Preprocessing.of_steps(spec.preprocessing)),
        "synthetic": data.info.synthetic,
        "licence": data.info.licence,
        "notes": list(data.info.notes),
        "classes": list(data.classes),
        "multilabel": data.multilabel,
        "n": {part: len(parts[part].labels) for part in PARTS},
        "counts": counts,
        "absent_classes": {part: names for part, names in absent.items() if names},
    }
    if groups := data.unit_counts():
        facts["groups"] = groups
    if data.units_are:
        facts["groups_are"] = data.units_are
    return facts


def _input_facts(data: Dataset, preprocessing: Preprocessing) -> Facts:
    """Return the shape of the images that a method gets, [channels, height, width], and the size before enlargement.

    The latter is [height, width], after any crop; it is absent if images were not enlarged.
    """
    shape = preprocessing.shape(data.images, data.channels)
    native = [min(side, preprocessing.crop or side) for side in data.images.shape[2:]]
    return {"input": shape, **({"enlarged_from": native} if min(shape[1:]) > min(native) else {})}


def _parts(
    data: Dataset, spec: RunSpec, names: Sequence[str] = PARTS
) -> tuple[dict[str, Samples], dict[str, NDArray[np.int64]], Range | None]:
    """Return the parts of these names, limited and preprocessed, the positions of their images, and the measured range.

    The positions are those in the data set. The range is what preprocessing measured, or None.
    """
    preprocessing = Preprocessing.of_steps(spec.preprocessing)
    index = limited_parts(data.split, data.labels, spec.limit, spec.val_limit)
    index = {name: index[name] for name in names}
    done, measured = preprocessing.apply(data.images, index, data.channels)
    channels = preprocessing.channel_names(data.channels)
    parts = {
        part: Samples(_read_only(images), _read_only(data.labels[index[part]]), data.classes, channels)
        for part, images in done.items()
    }
    return parts, index, measured


def _read_only(array: A) -> A:
    """Return a view through which a method cannot change images or labels that others rely on."""
    view = array.view()
    view.flags.writeable = False
    return view


def _labels(data: Dataset, spec: RunSpec) -> dict[str, Samples]:
    """Return the three parts with their labels but no images, for the record of a run without results."""
    index = limited_parts(data.split, data.labels, spec.limit, spec.val_limit)
    return {part: Samples(data.images[:0], data.labels[at], data.classes) for part, at in index.items()}


def _settle_device(spec: RunSpec) -> None:
    if spec.deterministic:  # cuBLAS reads this when it starts
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    if spec.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        torch.backends.cudnn.benchmark = not spec.deterministic
    torch.use_deterministic_algorithms(spec.deterministic)


def _subsample(n: int) -> slice | NDArray[np.int64]:
    """Return which of n training images are scored: all, or a fixed random 12,500, as train metrics need no more."""
    if n <= TRAIN_METRIC_LIMIT:
        return slice(None)
    return np.sort(np.random.default_rng(0).choice(n, TRAIN_METRIC_LIMIT, replace=False))


def peak_memory(device: str) -> dict[str, int]:
    """Return the peak memory in bytes of this process and, on CUDA, of torch's allocations."""
    import torch

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    memory = {"host": peak}
    if device == "cuda":
        memory["device"] = torch.cuda.max_memory_allocated()
    return memory
