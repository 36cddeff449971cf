"""Trained models as files: a run writes what it trained, `cellbench predict` and `weights=` read it. No pickle."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from ... import __version__
from ...core.data import IMAGE_DTYPES, Dataset, Images, Labels
from ...core.errors import DataError, UsageError, did_you_mean
from ...core.machine.files import check_tensors
from ...core.mixed_values import Facts, SettingValues, State
from ...core.records.runs import RunRecord, canonical
from ...core.records.store import write_whole
from ...core.scoring.calibration import Calibration
from ...core.scoring.metrics import decide
from ...core.settings import replace
from ...core.text.shown_text import visible
from ...datasets.preprocessing import Preprocessing, Range
from ...methods.registry import Method, Scorer, methods

FORMAT = "cellbench model"
FORMAT_VERSION = 1
SUFFIX = ".model"
LATER_FIELDS = {"reading", "calibration"}  # which models of earlier versions do not have


@dataclass(frozen=True, eq=False)
class Model:
    """Everything needed to label images as a run did: tensors, numbers, text, and lists and mappings of these.

    params, preprocessing: as in the run's spec. measured: tensors that preprocessing measured on the training images,
    or None. channels, height, width, dtype: those of the data set's images, before preprocessing. thresholds: those of
    the scores where images have several labels, else empty. scores, state: what the method's `state` returned, see
    methods.registry.Method. metrics: the run's metrics on val and test. reading: how the images were read, see
    core.data.Info; empty in models of versions that did not keep it. calibration: the rule from scores to
    probabilities that was fitted on val, see core.scoring.calibration; likewise.
    """

    method: str
    revision: int
    params: SettingValues
    seed: int
    preprocessing: SettingValues
    measured: Any
    dataset: str
    fingerprint: str
    split: str
    limit: int | None
    synthetic: bool
    classes: list[str]
    channels: list[str]
    height: int
    width: int
    dtype: str
    multilabel: bool
    thresholds: list[float]
    scores: str
    metrics: Mapping[str, Mapping[str, float]]
    version: str
    state: State
    reading: Facts = field(default_factory=dict)
    calibration: Facts = field(default_factory=dict)

    @property
    def has_probabilities(self) -> bool:
        return bool(self.calibration or self.scores)

    def prepared(self, images: Images) -> Images:
        """Return images of the data set's kind preprocessed as in training."""
        measured = None if self.measured is None else tuple(part.numpy() for part in self.measured)
        return Preprocessing.of_steps(self.preprocessing).apply_measured(images, self.channels, measured)

    def decided(self, scores: NDArray[np.float32]) -> Labels:
        """Return labels by the rule of the run: (n,) int64, or (n, classes) bool where images have several labels."""
        return decide(scores, self.multilabel, np.array(self.thresholds, np.float32) if self.multilabel else 0.0)

    def figures(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities if the method's scores can be made into these, else the scores (decision values).

        They are calibrated unless the model is of a version that did not keep the rule.
        """
        from scipy.special import expit, softmax

        if self.calibration:
            return Calibration.of_data(self.calibration)(scores).astype(np.float32)
        if self.scores == "softmax":
            softened: NDArray[np.float64] = softmax(scores.astype(np.float64), axis=1)
            return softened.astype(np.float32)
        if self.scores == "sigmoid":
            scores = expit(scores)
        return scores


def of_run(record: RunRecord, data: Dataset, measured: Range | None, method: Method, calibration: Calibration) -> Model:
    """Return the model of a run.

    record: the run's record. data: its whole data set. measured: the range that preprocessing measured, or None.
    method: the trained method. calibration: fitted on val.
    """
    import torch

    spec, state = record.spec, dict(method.state())  # type: ignore[attr-defined]
    return Model(
        method=spec.method,
        revision=spec.revision,
        params=canonical(spec.params),
        seed=spec.seed,
        preprocessing=canonical(spec.preprocessing),
        measured=None if measured is None else [torch.from_numpy(part) for part in measured],
        dataset=spec.dataset,
        fingerprint=spec.fingerprint,
        split=spec.split,
        limit=spec.limit,
        synthetic=data.info.synthetic,
        classes=list(data.classes),
        channels=list(data.channels),
        height=int(data.images.shape[2]),
        width=int(data.images.shape[3]),
        dtype=data.images.dtype.name,
        multilabel=data.multilabel,
        thresholds=list(record.chosen.get("thresholds", [])),
        scores=state.pop("scores", ""),
        metrics={part: canonical(record.metrics[part]) for part in ("val", "test")},
        version=__version__,
        state=state,
        reading=canonical(data.info.reading),
        calibration=calibration.to_data(),
    )


def save(path: Path, model: Model) -> None:
    """Write the model to a file, completely or not at all; an OSError passes through."""
    from ...core.tensors import save_tensors

    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"format": FORMAT, "format_version": FORMAT_VERSION, **vars(model)}
    write_whole(path, lambda file: save_tensors(kept, file))


def load(path: Path) -> Model:
    """Return the model in a file, without executing any code in it.

    Raises UsageError if there is no such file, and DataError if it is no model of this format.
    """
    from ...core.tensors import NoTensorsError, load_tensors

    if path.is_dir() or not path.exists():
        raise UsageError(_absent(path))
    try:
        check_tensors(path)
        kept = load_tensors(path)
    except OSError as error:
        raise DataError(_no_model(path, error.strerror or str(error))) from None
    except NoTensorsError as error:
        raise DataError(_no_model(path, str(error))) from None
    if not isinstance(kept, dict) or kept.get("format") != FORMAT:
        raise DataError(_no_model(path, "it holds something else"))
    if kept.get("format_version") != FORMAT_VERSION:
        raise DataError(
            f"{path} is in model format {kept.get('format_version')}, written by cellbench {kept.get('version', '?')}; "
            f"this is cellbench {__version__}, which reads format {FORMAT_VERSION}: use that version"
        )
    fields = {each.name for each in dataclasses.fields(Model)}
    if missing := sorted(fields - LATER_FIELDS - kept.keys()):
        raise DataError(_no_model(path, f"{', '.join(missing)} is missing"))
    try:
        return _checked(Model(**{name: kept[name] for name in fields & kept.keys()}))
    except (ValidationError, UsageError, DataError) as error:
        why = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else str(error)
        raise DataError(_no_model(path, f"it was changed ({why})")) from None


def _checked(model: Model) -> Model:
    """Return the model; raises an error if its fields are not of their types, or do not fit each other."""
    import torch

    types: Any = TypedDict("types", {each.name: each.type for each in dataclasses.fields(Model)})  # type: ignore
    TypeAdapter(with_config(ConfigDict(strict=True))(types)).validate_python(vars(model))
    Preprocessing.of_steps(model.preprocessing)
    if len(model.classes) < 2 or not model.channels or min(model.height, model.width) < 1:
        raise DataError("its classes, channels or sides")
    if model.multilabel and len(model.thresholds) != len(model.classes):
        raise DataError("its thresholds")
    if model.dtype not in {str(one) for one in IMAGE_DTYPES}:
        raise DataError("its dtype")
    shape = (1, -1, 1, 1)
    measured = [] if model.measured is None else model.measured
    if not isinstance(measured, list) or any(
        not isinstance(part, torch.Tensor) or part.shape != part.reshape(shape).shape for part in measured
    ):
        raise DataError("its measured")
    return dataclasses.replace(
        model,
        dataset=visible(model.dataset),
        classes=[visible(name) for name in model.classes],
        channels=[visible(name) for name in model.channels],
    )


def restore(model: Model, device: str) -> Scorer:
    """Return a scorer that scores images as the saved method did. Raises DataError if it cannot be restored."""
    entry = methods[model.method]
    if entry.restore is None:
        raise DataError(f"method {model.method!r} restores no models here; use the version that saved this one")
    try:
        return entry.restore(replace(entry.defaults, **model.params), model.state, device)
    except Exception as error:  # of a state that was changed, or that another version wrote
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{model.method} of cellbench {model.version}, revision {model.revision}, cannot be restored by cellbench "
            f"{__version__}, revision {entry.revision} ({reason}); use that version, or run it again"
        ) from error


def restore_in_float32(model: Model, device: str) -> Scorer:
    """Return a scorer that computes in float32, as an exported model does, even where training and test were in bf16.

    Scores then are the same on every machine to about the third digit. Raises DataError as `restore`.
    """
    from ...methods.probes.probe import FittedProbe

    if "precision" in model.params:
        model = dataclasses.replace(model, params={**model.params, "precision": "fp32"})
    scorer = restore(model, device)
    return scorer.in_float32() if isinstance(scorer, FittedProbe) else scorer


def _absent(path: Path) -> str:
    if path.is_dir():
        near = sorted(path.rglob(f"*{SUFFIX}"))
        hint = f"such as {near[0]}" if near else "as `cellbench run --save-models` writes beside each record"
        return f"{path} is a folder; give one model, {hint}"
    near = sorted(path.parent.glob(f"*{SUFFIX}")) if path.parent.is_dir() else []
    hint = did_you_mean(str(path), map(str, near)) if near else "`cellbench run --save-models` writes them"
    return f"there is no model {path}; {hint}"


def _no_model(path: Path, why: str) -> str:
    return f"{path} is no model that `cellbench run --save-models` wrote: {why}"
