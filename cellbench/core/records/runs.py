"""The specification of a run (RunSpec), its result (RunRecord), and the log that a method writes (RunLog)."""

import contextlib
import dataclasses
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import UsageError
from ..machine.contention import NOTHING, Spent
from ..mixed_values import Document, Facts, SettingValues
from ..text.shown_text import may_need_it, visible_in
from .schema import checked

SCHEMA_VERSION = 1
# Fields of a spec that came after the first records were written, and what those records have in their place.
LATER_FIELDS: Mapping[str, object] = {"decision": {}, "val_limit": None}
PHASES = ("load", "features", "transfer", "warmup", "fit", "validate", "predict")
TRAINING_PHASES = ("features", "transfer", "fit")
Status = Literal["ok", "failed", "timeout", "skipped"]


# Made once: a folder has tens of thousands of records, and each is written as text several times.
_PLAIN = (bool, int, str)
_TEXT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_KEY = json.JSONEncoder(separators=(",", ":"), sort_keys=True)


def canonical(value: Any) -> Any:
    """Return the canonical JSON form of a value: 1.0 becomes 1, tuples become lists, numbers of numpy plain ones.

    Keys are sorted. Raises UsageError for NaN, infinity, and types other than numbers, text, lists and mappings.
    """
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        return {str(k): canonical(value[k]) for k in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UsageError(f"{value} is no setting; give a finite number")
        return int(value) if value.is_integer() else value
    if getattr(value, "ndim", None) == 0 and isinstance(plain := value.item(), (*_PLAIN, float)):  # numpy's, torch's
        return canonical(plain)
    raise UsageError(f"{value!r} of type {type(value).__name__} cannot be a setting; use numbers, text, lists")


def canonical_text(value: object) -> str:
    """Return the canonical form of a value as JSON text, so that equal settings have equal texts."""
    return _TEXT.encode(canonical(value))


@dataclass(frozen=True)
class RunSpec:
    """The complete specification of one run: whatever may change its result is a field, with defaults resolved.

    limit, val_limit: the number of training and of val images used; None is all of them.
    decision: what differs from the default of core.scoring.decision, which is for several labels an image.
    """

    dataset: str
    fingerprint: str
    split: str
    preprocessing: SettingValues
    method: str
    revision: int
    params: SettingValues
    limit: int | None = None
    seed: int = 0
    device: str = "cpu"
    deterministic: bool = False
    decision: SettingValues = field(default_factory=dict)
    val_limit: int | None = None

    @property
    def form(self) -> Document:
        """The one JSON form of the spec.

        A field of LATER_FIELDS is left out where it has the value given there, so that records from before it keep
        their keys; add every new field to it, with the value that means what was done until then.
        """
        fields = {k: v for k, v in vars(self).items() if k not in LATER_FIELDS or v != LATER_FIELDS[k]}
        form: Document = canonical(fields)
        return form

    @property
    def key(self) -> str:
        """The key of the spec: 12 hexadecimal digits that two specs share only if they specify the same run."""
        text = _KEY.encode(self.form)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def __str__(self) -> str:
        return f"{self.method} on {self.dataset}, seed {self.seed}"


@dataclass(frozen=True)
class RunRecord:
    """The result of one run; it is written once, completely. A figure that could not be computed is absent.

    metrics: {'train'|'val'|'test': {metric name: value, 'n': images scored}}; fractions, not percent.
    per_class: {part: {'precision'|'recall'|'f1'|'n': a list in the order of facts['classes']}}, see metrics.per_class;
    None where there is no such figure. Empty in records of versions that did not keep it.
    seconds: by phase, see PHASES; others: the share of the processors' time that other programs had while it trained,
    None where it was not measured; memory: peak bytes by 'host' (the whole process) and 'device'.
    history: one mapping an epoch. facts: what tables need to know of method and data without loading either.
    overrides: the settings that the user or a suite changed from the defaults.
    """

    spec: RunSpec
    status: Status
    reason: str = ""
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    per_class: Mapping[str, Mapping[str, list[float | None]]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    others: float | None = None
    memory: Mapping[str, int] = field(default_factory=dict)
    history: tuple[Mapping[str, float], ...] = ()
    backend: str = ""
    chosen: Facts = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    overrides: SettingValues = field(default_factory=dict)
    environment: Facts = field(default_factory=dict)
    version: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def training_seconds(self) -> float:
        """The training time as tables show it, in seconds: the sum of the phases features, transfer and fit."""
        return sum(self.seconds.get(phase, 0.0) for phase in TRAINING_PHASES)

    def to_json(self) -> str:
        document = canonical({**dataclasses.asdict(self), "spec": self.spec.form})
        return json.dumps({"key": self.spec.key, **document}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "RunRecord":
        """Return the record that `to_json` wrote. Raises ValueError, with the reason, if the text is no record."""
        document: Document = {**checked(text, SCHEMA_VERSION)}
        key, spec = document.pop("key"), RunSpec(**document.pop("spec"))
        if key != spec.key:
            raise ValueError(f"its key {key} is not that of its spec, {spec.key}; it was edited by hand")
        document["reason"] = " ".join(document.get("reason", "").split())
        if may_need_it(text):
            shown: Any = visible_in({**document, "spec": vars(spec)})
            spec, document = RunSpec(**shown.pop("spec")), shown
        return cls(spec=spec, **{**document, "history": tuple(document.get("history", ()))})


class RunLog:
    """The log of one run: the time of each phase, and the history of epochs.

    listener: called as listener(kind, facts) at the start of each phase and after each epoch. checkpoint: a file in
    which a method may keep its progress, so that an interrupted run can go on from there.
    """

    def __init__(
        self,
        listener: Callable[[str, Facts], None] = lambda kind, facts: None,
        checkpoint: Path | None = None,
    ) -> None:
        self.checkpoint = checkpoint
        self.seconds: dict[str, float] = {}
        self.spent = NOTHING
        self.history: list[Mapping[str, float]] = []
        self.chosen: Document = {}
        self._listener = listener
        self._open: str | None = None

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent in the `with` block to phase `name`.

        For a training phase, the processor time is also added to `spent`. Raises ValueError for an unknown phase, or
        inside another phase.
        """
        if name not in PHASES:
            raise ValueError(f"no phase {name!r}; phases are {', '.join(PHASES)}")
        if self._open is not None:
            raise ValueError(f"phase {name!r} opened inside {self._open!r}")
        self._open = name
        self._listener("phase", {"name": name})
        spent, start = Spent.now(), time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
            if name in TRAINING_PHASES:
                self.spent += Spent.now() - spent
            self._open = None

    def carry(self, seconds: Mapping[str, float], spent: Spent = NOTHING) -> None:
        """Add the seconds of each phase, and the processor time, that reused work took when it was first done."""
        for name, cost in seconds.items():
            if name not in PHASES:
                raise ValueError(f"no phase {name!r}; phases are {', '.join(PHASES)}")
            self.seconds[name] = self.seconds.get(name, 0.0) + cost
        self.spent += spent

    def chose(self, **settings: object) -> None:
        """Record settings that were chosen on val, such as chose(C=10)."""
        self.chosen |= settings

    def epoch(self, **figures: float) -> None:
        """Add one epoch to the history; give `epoch` (from 1) and `epochs`, the number there will be.

        A figure that is no finite number is left out: absent, never faked.
        """
        numbers = {name: value if isinstance(value, int) else float(value) for name, value in figures.items()}
        finite = {name: value for name, value in numbers.items() if math.isfinite(value)}
        self.history.append(finite)
        self._listener("epoch", finite)
