"""What a stress test of a trained model found: its figures on test images that another microscope might have taken."""

import dataclasses
import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..mixed_values import Facts, SettingValues
from ..scoring.metrics import NAMED
from ..settings import is_number
from .runs import canonical
from .store import write_whole

FORMAT = "cellbench stress"
SCHEMA_VERSION = 1
SUFFIX = ".stress"  # of the file beside a model and its record
LARGEST = 2**22  # bytes of such a file; one of all perturbations has some ten thousand
NO_NUMBERS = "{} is {!r}; a list of numbers is needed"


@dataclass(frozen=True)
class Curve:
    """The figures of a model under one perturbation, by strength.

    name, unit: of the perturbation. strengths: ascending from 0, which stands for the images as they are. figures: for
    each metric (see core.scoring.metrics) its value at each strength, a share. seen: settings by which the method saw
    something like the perturbation while it was trained, such as {'rotate': 180}; empty if it did not.
    """

    name: str
    unit: str
    strengths: tuple[float, ...]
    figures: Mapping[str, tuple[float, ...]]
    seen: SettingValues = field(default_factory=dict)


@dataclass(frozen=True)
class StressRecord:
    """The result of a stress test of one model.

    model: 12 hexadecimal digits of the SHA-256 of the model's file. method, dataset, fingerprint, split, seed: those of
    the run that trained it. n: number of test images. draws: seed of the perturbations that draw at random. curves: one
    for each perturbation. left_out: why a perturbation was not done, by its name. trained: the run's figures on
    test, by which a model that was trained anew is known; empty in records of older versions. drawing: 2 if what was
    drawn for an image depends on the image alone; 1, in records of older versions, if on its place in a batch, too.
    """

    model: str
    method: str
    dataset: str
    fingerprint: str
    split: str
    seed: int
    n: int
    draws: int
    curves: tuple[Curve, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    trained: Mapping[str, float] = field(default_factory=dict)
    device: str = "cpu"
    version: str = ""
    drawing: int = 1

    def save(self, path: Path) -> None:
        """Write the record as JSON to a file, whole or not at all. Raises OSError."""
        document = {"format": FORMAT, "schema_version": SCHEMA_VERSION, **canonical(dataclasses.asdict(self))}
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        write_whole(path, lambda file: file.write(text.encode()))


def read(path: Path) -> StressRecord | None:
    """Return the stress record in a file, or None if there is no such file.

    Raises ValueError, with the reason, if the file is anything else or cannot be read.
    """
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > LARGEST:
            raise ValueError(f"larger than {LARGEST:,} bytes")
        return _record(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, RecursionError, json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"not a whole stress record ({error})") from error


def _record(document: object) -> StressRecord:
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise ValueError("not a stress record")
    if (version := document.pop("schema_version", None)) != SCHEMA_VERSION:
        raise ValueError(f"written in format {version}; this version reads format {SCHEMA_VERSION}")
    curves = tuple(_curve(one) for one in document.pop("curves"))
    record = StressRecord(**document, curves=curves)
    for one in dataclasses.fields(StressRecord):
        value = getattr(record, one.name)
        if one.type in (str, int) and (not isinstance(value, one.type) or isinstance(value, bool)):
            raise ValueError(f"{one.name} is {value!r}")
    if not isinstance(record.left_out, dict) or not isinstance(record.trained, dict) or record.n < 1:
        raise ValueError("left_out, trained or n is wrong")
    return record


def _curve(given: Facts) -> Curve:
    strengths = _numbers("strengths", given["strengths"])
    if strengths[:1] != (0,) or any(a >= b for a, b in itertools.pairwise(strengths)):
        raise ValueError(f"strengths are {list(strengths)}; they ascend from 0")
    figures = {name: _numbers(name, values) for name, values in given["figures"].items()}
    for name, values in figures.items():
        if name not in NAMED or len(values) != len(strengths) or not all(0 <= value <= 1 for value in values):
            raise ValueError(f"{name} of {given['name']} is no metric with a share from 0 to 1 for each strength")
    if not all(isinstance(given[name], str) for name in ("name", "unit")) or not isinstance(given["seen"], dict):
        raise ValueError("name, unit or seen of a curve is wrong")
    return Curve(given["name"], given["unit"], strengths, figures, given["seen"])


def _numbers(name: str, values: object) -> tuple[float, ...]:
    if not isinstance(values, list) or not all(is_number(value) and math.isfinite(value) for value in values):
        raise ValueError(NO_NUMBERS.format(name, values))
    return tuple(values)
