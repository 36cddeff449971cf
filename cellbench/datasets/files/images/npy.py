"""Decoding any number of images into one .npy file, in threads or processes and with little memory."""

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from ....core.errors import DataError
from ....core.machine.environment import cores
from ....core.text.words import counted
from .. import parallel
from ..names import first_few
from .pixels import Picture

T = TypeVar("T")
Item = tuple[int, str, T]  # the image's place in the array, its name, and what `load` makes it from

# From so many images on, processes gain clearly more than they cost to start. Measured with cells of 78 px, two cores:
# 27,000 take 1.6 s, in a loop 1.8 s; 81,000 take 4.1 s, in a loop 6.4 s, with threads 6.5 s.
MANY = 20_000
WRITE_BUFFER = 2**20  # bytes: images next to each other are written together


@dataclass(frozen=True)
class Decoded:
    """What became of an item: shape (before it was resized), type and channel names, or why it cannot be read."""

    name: str
    place: int
    shape: tuple[int, ...] = ()
    dtype: str = ""
    bytes: int = 0  # written
    channels: tuple[str, ...] = ()
    remark: str = ""
    problem: str = ""


def write(
    target: Path,
    shape: tuple[int, ...],
    dtype: np.dtype,
    items: Iterable[Item[T]],
    load: Callable[[T], Picture],
    advice: str,
    *,
    processes: bool = False,
) -> tuple[NDArray, list[str]]:
    """Load all items and write each at its place in an .npy file. Returns the array, memory-mapped, and remarks.

    shape, dtype: of the whole array. What `load` returns is an image or one channel of it; places 0, 1, … are in the
    array's order. processes: see `fill`. When items cannot be read, raises one DataError that counts them, names the
    first ones and ends in `advice`.
    """
    outcomes = sorted(fill(target, shape, dtype, items, load, processes=processes), key=lambda outcome: outcome.place)
    refuse_unreadable(outcomes, advice)
    written = {outcome.place: outcome.bytes for outcome in outcomes}
    if sum(written.values()) != math.prod(shape) * np.dtype(dtype).itemsize:
        raise DataError(
            f"the images changed while they were read, {len(outcomes)} are there now; run the command again"
        )
    return np.load(target, mmap_mode="r"), remarks(outcomes)


def fill(
    target: Path,
    shape: tuple[int, ...],
    dtype: np.dtype,
    items: Iterable[Item[T]],
    load: Callable[[T], Picture],
    *,
    processes: bool = False,
) -> Generator[Decoded]:
    """Write each item's pixels at its place in an .npy file and yield what became of it.

    Pixels of another type, height or width than the file's are not written; the outcome has their shape and type. Of
    several items for one place the last one counts. processes: use several processes from MANY (20,000) images on;
    `load` must then be a function of an importable module, or a functools.partial of one.

    The file is written, not mapped: on a full disk a write fails with an error, while a map kills the process.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        write_header(out, shape, dtype)
        start = out.tell()
        out.truncate(start + math.prod(shape) * np.dtype(dtype).itemsize)
    work = partial(_fill, target, start, shape[-2:], np.dtype(dtype), load)
    many = processes and shape[0] >= MANY and cores() > 1
    again: dict[int, Item[T]] = {}
    yield from parallel.in_batches(work, _first_for_each_place(items, again), processes=many)
    yield from parallel.in_batches(work, again.values())


def keep(target: Path, places: Sequence[int]) -> None:
    """Rewrite an .npy file with only the images at these places."""
    old = np.load(target, mmap_mode="r")
    part = target.with_suffix(".part")
    with part.open("wb") as out:
        write_header(out, (len(places), *old.shape[1:]), old.dtype)
        for place in places:
            out.write(old[place].data)
    part.replace(target)


def write_header(out: BinaryIO, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Write the head of an .npy file, after which the array's bytes come."""
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, header)


def refuse_unreadable(outcomes: Sequence[Decoded], advice: str) -> None:
    """Raise DataError that names the first images which could not be read, by reason, if there are any."""
    by_reason: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.problem:
            by_reason.setdefault(outcome.problem, []).append(outcome.name)
    if by_reason:
        n = sum(map(len, by_reason.values()))
        problems = [f"{first_few(names, 3)} ({reason})" for reason, names in by_reason.items()]
        raise DataError(f"{n} of {len(outcomes)} images cannot be read: {first_few(problems)}; {advice}")


def remarks(outcomes: Iterable[Decoded]) -> list[str]:
    """Each different remark, with the number of images that it is about and the first one's name."""
    seen: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.remark:
            seen.setdefault(outcome.remark, []).append(outcome.name)
    return [f"{remark}: {counted(len(names), 'image')}, the first is {names[0]}" for remark, names in seen.items()]


def _first_for_each_place(items: Iterable[Item[T]], again: dict[int, Item[T]]) -> Iterator[Item[T]]:
    """Yield the first item for each place; put the last of any later ones into `again`, to be written at the end."""
    seen: set[int] = set()
    for item in items:
        if item[0] in seen:
            again[item[0]] = item
        else:
            seen.add(item[0])
            yield item


def _fill(
    target: Path,
    start: int,
    sides: tuple[int, ...],
    dtype: np.dtype,
    load: Callable[[T], Picture],
    batch: list[Item[T]],
) -> list[Decoded]:
    """Load a batch of items and write what has the right type, height and width; the array starts at byte `start`."""
    outcomes = []
    with target.open("r+b", WRITE_BUFFER) as out:
        end = -1
        for place, name, what in batch:
            try:
                picture = load(what)
            except DataError as error:
                outcomes.append(Decoded(name, place, problem=str(error)))
                continue
            pixels, written = np.ascontiguousarray(picture.pixels), 0
            if pixels.dtype == dtype and pixels.shape[1:] == sides:
                if (begin := start + place * pixels.nbytes) != end:
                    out.seek(begin)
                written = out.write(pixels.data)
                end = begin + written
            shape, kind = picture.shape or picture.pixels.shape, picture.pixels.dtype.name
            outcomes.append(Decoded(name, place, shape, kind, written, picture.channels, picture.remark))
    return outcomes
