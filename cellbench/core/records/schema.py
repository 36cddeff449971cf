"""What the file of a record may hold: each field's type and range. Records may come from anywhere.

Fields that nothing reads, and facts that a method of its own adds, may be anything that JSON can say, within reason.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from pydantic_core import ErrorDetails, from_json
from typing_extensions import TypeAliasType, TypedDict

LONGEST = 10_000  # characters of a text; those that we write are cut long before
SHOWN = 40  # characters of a wrong value in a message

YesNo = Annotated[bool, Field(strict=True)]
WholeNumber = Annotated[int, Field(ge=-(2**63), lt=2**63, strict=True)]
Number = Annotated[int, Field(ge=0, lt=2**63, strict=True)]  # how many of something
Real = Annotated[float, Field(allow_inf_nan=False, strict=True)]
StrictShare = Annotated[float, Field(ge=0, le=1, strict=True)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
FigureValue = Annotated[Number | NotNegative, Field(union_mode="left_to_right")]
Text = Annotated[str, Field(max_length=LONGEST, strict=True)]
PartName = Literal["train", "val", "test"]
# Plain data: whatever a setting may be. Deeper nesting than 200 is refused when the text is parsed.
Plain = TypeAliasType(
    "Plain",
    Annotated[
        "YesNo | WholeNumber | Real | Text | list[Plain] | dict[str, Plain] | None", Field(union_mode="left_to_right")
    ],
)
PlainMap = dict[str, Plain]

_known = ConfigDict(strict=True, extra="forbid")
_with_others = ConfigDict(strict=True, extra="allow")


@with_config(_known)
class SpecFields(TypedDict):
    dataset: Text
    fingerprint: Text
    split: Text
    preprocessing: PlainMap
    method: Text
    revision: Number
    params: PlainMap
    limit: NotRequired[Number | None]
    seed: NotRequired[Number]
    device: NotRequired[Text]
    deterministic: NotRequired[bool]
    decision: NotRequired[PlainMap]
    val_limit: NotRequired[Number | None]


@with_config(_known)
class PerClass(TypedDict, total=False):
    precision: list[StrictShare | None]
    recall: list[StrictShare | None]
    f1: list[StrictShare | None]
    n: list[Number]


@with_config(_with_others)
class RecordFacts(TypedDict, total=False):
    """Those that tables, charts and findings read; every one may be absent."""

    family: Text
    depth: Number | None
    shortcuts: bool | None
    standard: bool
    seeded: bool
    pretrained: bool
    follows: list[Text]
    entries: list[Text]
    undertrained: Text
    shared: Number
    seconds_stopped: NotNegative
    parameters: Number | None
    input: Annotated[list[Number], Field(min_length=3, max_length=3)]
    enlarged_from: Annotated[list[Number], Field(min_length=2, max_length=2)]
    synthetic: bool
    licence: Text
    notes: list[Text]
    classes: list[Text]
    multilabel: bool
    n: dict[PartName, Number]
    counts: dict[PartName, list[Number]]
    absent_classes: dict[PartName, list[Text]]
    groups: dict[PartName, Number]
    groups_are: Text
    support_vectors: Number
    dual_objective: Real
    backend_reason: Text
    encoder: Text
    licence_of_encoder: Text


@with_config(_with_others)
class Chosen(TypedDict, total=False):
    epoch: Number
    thresholds: list[Real]


@with_config(_with_others)
class Environment(TypedDict, total=False):
    processor: Text
    cores: Number
    threads: Number
    device: Text
    system: Text
    python: Text
    gpu: Text
    devices: list[Text]
    packages: dict[Text, Text]


@with_config(_known)
class RecordFile(TypedDict):
    """The file of a record."""

    key: Text
    spec: SpecFields
    status: Literal["ok", "failed", "timeout", "skipped"]
    reason: NotRequired[Text]
    metrics: NotRequired[dict[PartName, dict[Text, FigureValue]]]  # shares, and n; see _check_metrics
    per_class: NotRequired[dict[PartName, PerClass]]
    seconds: NotRequired[dict[Text, NotNegative]]
    others: NotRequired[StrictShare | None]
    memory: NotRequired[dict[Text, Number]]
    history: NotRequired[list[dict[Text, Real]]]
    backend: NotRequired[Text]
    chosen: NotRequired[Chosen]
    facts: NotRequired[RecordFacts]
    overrides: NotRequired[PlainMap]
    environment: NotRequired[Environment]
    version: NotRequired[Text]
    schema_version: Number


def checked(text: str, version: int) -> RecordFile:
    """Return the content of a record's file, in the format `version`.

    Raises ValueError with the first fault, in one line.
    """
    try:
        document = _adapter().validate_json(text)
    except ValidationError as error:
        raise ValueError(_other_format(text, version) or _fault(error)) from None
    if document["schema_version"] != version:
        raise ValueError(_other_format(text, version))
    _check_metrics(document)
    _check_lengths(document)
    return document


@cache
def _adapter() -> TypeAdapter[RecordFile]:
    return TypeAdapter(RecordFile)


def _check_metrics(document: RecordFile) -> None:
    """Raise ValueError if a metric is no share, or the number of images no whole one."""
    for part, metrics in document.get("metrics", {}).items():
        for name, value in metrics.items():
            if name == "n" and not isinstance(value, int):
                raise ValueError(f"its metrics.{part}.n is {value}; it should be a whole number")
            if name != "n" and value > 1:
                raise ValueError(f"its metrics.{part}.{name} is {value:g}; it should be a share, at most 1")


def _check_lengths(document: Mapping[str, Any]) -> None:
    """Raise ValueError if a list of figures by class has another length than the list of classes."""
    facts, chosen = document.get("facts", {}), document.get("chosen", {})
    lengths = {"facts.classes": len(facts["classes"])} if facts.get("classes") else {}
    for part, figures in document.get("per_class", {}).items():
        lengths |= {f"per_class.{part}.{name}": len(values) for name, values in figures.items()}
    lengths |= {f"facts.counts.{part}": len(counts) for part, counts in facts.get("counts", {}).items()}
    if chosen.get("thresholds"):
        lengths["chosen.thresholds"] = len(chosen["thresholds"])
    if len(set(lengths.values())) > 1:
        (first, n), *others = lengths.items()
        other, m = next((name, length) for name, length in others if length != n)
        raise ValueError(f"its {first} has {n} values and its {other} has {m}; both have one for each class")


def _other_format(text: str, version: int) -> str:
    """Return why a text is no record of this format, as far as that is so; else an empty text."""
    try:
        document = from_json(text)
    except ValueError:
        return ""
    if not isinstance(document, dict) or "schema_version" not in document:
        return "not a cellbench record (no schema_version)"
    if document["schema_version"] != version:
        return f"written in format {shortened(document['schema_version'])}; this version reads format {version}"
    return ""


def _fault(error: ValidationError) -> str:
    """Return the first fault that was found: where it is, what is there and what is allowed."""
    faults = error.errors(include_url=False, include_context=False)
    place = _place(faults[0])
    found = [fault for fault in faults if _place(fault) == place][-1]  # of a choice of types the last is the widest
    if found["type"] == "json_invalid":
        return f"not whole JSON ({found['msg'].removeprefix('Invalid JSON: ')})"
    if found["type"] == "missing":
        return f"its {place} is missing"
    if found["type"] == "extra_forbidden":
        return f"this version knows no {place}"
    return f"its {place} is {shortened(found['input'])}; {found['msg'].replace('Input', 'it', 1)}"


def _place(fault: ErrorDetails) -> str:
    """Return where a fault is, without the names that pydantic gives to the types of a choice."""
    return ".".join(str(step) for step in fault["loc"] if not str(step).startswith("constrained-"))


def shortened(value: object) -> str:
    """Return a value as a message shows it."""
    text = ascii(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
