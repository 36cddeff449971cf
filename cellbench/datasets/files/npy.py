"""Decoding any number of images into one .npy file, by threads or processes; memory stays small."""

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...core.environment import cores
from ...core.errors import DataError
from ...core.words import counted
from . import parallel
from .names import first_few
from .pixels import Picture

T = TypeVar("T")
Item = tuple[int, str, T]  # place in the array, name, and what loads it

MANY = 20_000  # images from which on processes gain clearly more than they cost to start (measured: 27,000 cells of
# 78 px on two cores in 1.6 s, a loop takes 1.8; 81,000 in 4.1, a loop takes 6.4, threads 6.5)
WRITTEN_AT_ONCE = 2**20  # bytes, of images that stand one after the other


@dataclass(frozen=True)
class Look:
    """What became of an item: shape (before it was resized), type, channel names, or why it cannot be read."""

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
    """Load all items and write each at its place in an .npy file; the array memory-mapped, and remarks.

    shape, dtype: of the whole array. Places 0, 1, … count what `load` returns, an image or one channel of it, in the
    array's order. processes: as `fill` has it. Every item that raises DataError is counted, the first ones named, and
    `advice` given.
    """
    looks = sorted(fill(target, shape, dtype, items, load, processes=processes), key=lambda look: look.place)
    refuse_unreadable(looks, advice)
    written = {look.place: look.bytes for look in looks}
    if sum(written.values()) != math.prod(shape) * np.dtype(dtype).itemsize:
        raise DataError(f"the images changed while they were read, {len(looks)} are there now; run the command again")
    return np.load(target, mmap_mode="r"), remarks(looks)


def fill(
    target: Path,
    shape: tuple[int, ...],
    dtype: np.dtype,
    items: Iterable[Item[T]],
    load: Callable[[T], Picture],
    *,
    processes: bool = False,
) -> Generator[Look]:
    """Write each item's pixels at its place in an .npy file and yield what became of it.

    Those of another type, height or width than the file are told and not written. Of items for one place the later one
    counts. processes: use several when there are thousands of images; `load` must then be a function of an importable
    module, with its settings by functools.partial if need be.
    Written as a file, not through a map: on a full disk a write fails with an error, a map kills the process.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        write_header(out, shape, dtype)
        start = out.tell()
        out.truncate(start + math.prod(shape) * np.dtype(dtype).itemsize)
    work = partial(_fill, target, start, shape[-2:], np.dtype(dtype), load)
    many = processes and shape[0] >= MANY and cores() > 1
    again: dict[int, Item[T]] = {}
    yield from parallel.in_batches(work, _first(items, again), processes=many)
    yield from parallel.in_batches(work, again.values())


def keep(target: Path, places: Sequence[int]) -> None:
    """Keep only these images of an .npy file."""
    old = np.load(target, mmap_mode="r")
    part = target.with_suffix(".part")
    with part.open("wb") as out:
        write_header(out, (len(places), *old.shape[1:]), old.dtype)
        for place in places:
            out.write(old[place].data)
    part.replace(target)


def write_header(out: BinaryIO, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """The head of an .npy file; the array's bytes follow."""
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, header)


def refuse_unreadable(looks: Sequence[Look], advice: str) -> None:
    """Raise DataError naming the images that could not be read, each with its reason; nothing when there are none."""
    if problems := [f"{look.name} ({look.problem})" for look in looks if look.problem]:
        raise DataError(f"{len(problems)} of {len(looks)} images cannot be read: {first_few(problems)}; {advice}")


def remarks(looks: Iterable[Look]) -> list[str]:
    """Each remark with the number of images and the first one's name."""
    seen: dict[str, list[str]] = {}
    for look in looks:
        if look.remark:
            seen.setdefault(look.remark, []).append(look.name)
    return [f"{remark}: {counted(len(names), 'image')}, the first is {names[0]}" for remark, names in seen.items()]


def _first(items: Iterable[Item[T]], again: dict[int, Item[T]]) -> Iterator[Item[T]]:
    """The first item for each place; later ones go to `again`, to be written when no other can come after them."""
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
) -> list[Look]:
    """Load a batch and write what has the right type, height and width, from byte `start` of the file on."""
    looks = []
    with target.open("r+b", WRITTEN_AT_ONCE) as out:
        end = -1
        for place, name, what in batch:
            try:
                picture = load(what)
            except DataError as error:
                looks.append(Look(name, place, problem=str(error)))
                continue
            pixels, written = np.ascontiguousarray(picture.pixels), 0
            if pixels.dtype == dtype and pixels.shape[1:] == sides:
                if (begin := start + place * pixels.nbytes) != end:
                    out.seek(begin)
                written = out.write(pixels.data)
                end = begin + written
            shape, kind = picture.shape or picture.pixels.shape, picture.pixels.dtype.name
            looks.append(Look(name, place, shape, kind, written, picture.channels, picture.remark))
    return looks
