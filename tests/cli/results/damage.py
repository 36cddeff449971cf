"""Damaged copies of records and predictions, by a seed: what disks, editors and strangers leave in a results folder."""

import contextlib
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cellbench.core.errors import UsageError
from cellbench.core.records.runs import RunSpec

ODD = [
    *(None, True, False, 0, -1, 1, 57, 2**63, -(2**63) - 1, 10**400, 1.5, -0.1, 1e308, float("nan"), float("inf")),
    *(
        "",
        "0.9",
        "nan",
        "auto",
        "x" * 20_000,
        "\x1b[31mred\x1b[0m",
        "a\nb\r\tc",
        "=1+1",
        "\u202eabc",
        "../../etc/passwd",
    ),
    *([], {}, [1, 2], ["a"], {"a": 1}, [None], [[]], {"": {}}, "\ud800"),
]


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """The path of every value in a document, but its own."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in ((*path, key), *places(inner, (*path, key)))]


def damaged_record(text: str, rng: random.Random) -> bytes:
    """The text of a record with one to three faults."""
    if rng.random() < 0.1:
        return damaged_bytes(text.encode(), rng)
    document = json.loads(text)
    for _ in range(rng.randint(1, 3)):
        *way, last = rng.choice(places(document))
        inner = document
        for key in way:
            inner = inner[key]
        change = rng.choice(("odd", "odd", "odd", "delete", "nest", "number"))
        if change == "delete":
            del inner[last]
        elif change == "nest":
            inner[last] = json.loads("[" * 150 + "]" * 150)
        elif change == "number" and isinstance(inner[last], int | float) and not isinstance(inner[last], bool):
            inner[last] = inner[last] * rng.choice((-1, 0, 0.5, 2, 1e6))
        else:
            inner[last] = rng.choice(ODD)
    if rng.random() < 0.7 and isinstance(document.get("spec"), dict):  # as somebody who knows how keys are made
        with contextlib.suppress(TypeError, UsageError, ValueError, RecursionError):
            document["key"] = RunSpec(**document["spec"]).key
    return json.dumps(document, ensure_ascii=True).encode()


def damaged_bytes(whole: bytes, rng: random.Random) -> bytes:
    """A file that is cut short, or has other bytes in places."""
    if rng.random() < 0.5:
        return whole[: rng.randrange(len(whole))]
    changed = bytearray(whole)
    for _ in range(rng.randint(1, 20)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def damaged_predictions(whole: bytes, rng: random.Random) -> bytes:
    """Predictions that are no longer those of their record."""
    if rng.random() < 0.3:
        return damaged_bytes(whole, rng)
    with np.load(io.BytesIO(whole)) as kept:
        arrays: dict[str, Any] = dict(kept)
    name = rng.choice(sorted(arrays))
    arrays[name] = rng.choice(CHANGES)(arrays[name])
    out = io.BytesIO()
    np.savez(out, **{name: array for name, array in arrays.items() if array is not None})
    return out.getvalue()


CHANGES: list[Callable[[np.ndarray], Any]] = [
    lambda array: array[:-1],
    lambda array: array[:0],
    lambda array: array[..., None],
    lambda array: array.astype(str),
    lambda array: array.astype(complex),
    lambda array: array.astype(object),
    lambda array: array.astype(np.float64) * np.nan,
    lambda array: -array.astype(np.int64) - 1,
    lambda array: array + 1000,
    lambda array: np.roll(array, 1, 0),
    lambda array: np.zeros_like(array),
    lambda array: np.array(0),
    lambda array: None,
]


def damage(folder: Path, copies: int, seed: int) -> list[Path]:
    """Add so many damaged copies of the records of a folder, or of their predictions, on a machine of their own.

    Returns the damaged files.
    """
    rng = random.Random(seed)
    whole = sorted(folder.rglob("s*.json"))
    damaged = []
    for number in range(copies):
        source = rng.choice(whole)
        target = folder / f"copy-{number}" / source.relative_to(folder / source.relative_to(folder).parts[0])
        target.parent.mkdir(parents=True)
        text, arrays = source.read_text(encoding="utf-8"), source.with_suffix(".npz")
        of_predictions = arrays.is_file() and rng.random() < 0.5
        target.write_bytes(text.encode() if of_predictions else damaged_record(text, rng))
        if arrays.is_file():
            kept = arrays.read_bytes()
            target.with_suffix(".npz").write_bytes(damaged_predictions(kept, rng) if of_predictions else kept)
        damaged.append(target.with_suffix(".npz") if of_predictions else target)
    return damaged
