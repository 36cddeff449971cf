"""Decoding the images of a folder into one array on disk, brought to one size if need be."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ...core.errors import DataError
from ...core.text.words import counted
from ..files.images import npy
from ..files.images.decoding import decode, resized
from ..files.images.npy import Decoded
from ..files.images.pixels import Picture
from .cutting import CellMask, cut_out

NO_MASKS: Mapping[str, CellMask] = {}
DEFAULT_SIZE = 64  # pixels: the side of images whose sizes are mixed


def decode_images(
    target: Path,
    planes: Mapping[str, Sequence[Path]],
    size: int | None,
    masks: Mapping[str, CellMask] = NO_MASKS,
    side: int = 0,
    side_by_side: bool = False,
) -> list[Decoded]:
    """Write all images, (n, channels, height, width), to an .npy file. Returns what became of each.

    planes: each image's files. size: the side to bring images to; None keeps them as they are, unless their sizes are
    mixed. masks: the mask of each image, when cells are to be cut out by them, into squares of `side` pixels.
    side_by_side: whether channels are squares side by side in each image.
    """
    first = next((picture for files in planes.values() if (picture := _read_if_possible(files, side_by_side))), None)
    pixels = np.zeros((1, 1, 1), np.uint8) if first is None else first.pixels
    channels, height, width = pixels.shape
    if masks:
        height = width = side
    items = ((place, name, (files, masks.get(name))) for place, (name, files) in enumerate(planes.items()))
    shape = (len(planes), channels, size or height, size or width)
    outcomes: list[Decoded] = []
    load = partial(_read_sized, size=size, side=side, side_by_side=side_by_side)
    with contextlib.closing(npy.fill(target, shape, pixels.dtype, items, load, processes=True)) as found:
        for outcome in found:
            outcomes.append(outcome)
            if not size and not outcome.problem and outcome.shape[1:] != (height, width):
                break  # sizes are mixed: begin again below, once nothing writes to the file any more
        else:
            return outcomes
    return decode_images(target, planes, DEFAULT_SIZE, side_by_side=side_by_side)


def read_picture(planes: Sequence[Path], side_by_side: bool = False) -> Picture:
    """An image from its file, or from several files with one channel each.

    side_by_side: its channels are squares side by side, which are taken apart.
    """
    if len(planes) == 1:
        return taken_apart(decode(planes[0])) if side_by_side else decode(planes[0])
    pictures = [decode(plane) for plane in planes]
    first = pictures[0].pixels
    for plane, picture in zip(planes, pictures, strict=True):
        pixels = picture.pixels
        if len(pixels) != 1:
            raise DataError(
                f"{plane.name} holds {len(pixels)} channels; with a pattern one grey plane a file is expected"
            )
        if pixels.shape != first.shape or pixels.dtype != first.dtype:
            raise DataError(
                f"{plane.name} is {pixels.dtype} {pixels.shape}, {planes[0].name} {first.dtype} {first.shape}; "
                "one grey plane a file, all alike, is expected"
            )
    remarks = dict.fromkeys(picture.remark for picture in pictures if picture.remark)
    channels = tuple(dict.fromkeys(name for picture in pictures for name in picture.channels))
    return Picture(
        np.concatenate([picture.pixels for picture in pictures]),
        ", ".join(remarks),
        channels if len(channels) == len(pictures) else (),
    )


def taken_apart(picture: Picture) -> Picture:
    """Return a grey image of squares side by side as one with a channel a square. Raises DataError for another one."""
    channels, height, width = picture.pixels.shape
    if channels != 1 or width % height:
        raise DataError(
            f"{height}×{width} pixels with {counted(channels, 'channel')} are no grey squares side by side; leave "
            "--side-by-side out"
        )
    squares = picture.pixels.reshape(height, -1, height).swapaxes(0, 1)
    return replace(picture, pixels=np.ascontiguousarray(squares))


def check_alike(outcomes: Sequence[Decoded]) -> None:
    """Raise DataError when images differ in type, number of channels or their names; it names one image of each."""
    kinds = _by_kind(outcomes)
    if len(kinds) > 1:
        found = ", ".join(f"{names[0]} is {kind} ({len(names)} of {len(outcomes)})" for kind, names in kinds.items())
        raise DataError(
            f"images differ in kind: {found}; save them all alike, or pass --skip-unreadable to keep only the "
            "commonest kind"
        )


def of_other_kinds(outcomes: Sequence[Decoded]) -> list[Decoded]:
    """Return the images that could be read and are not of the commonest kind; see `check_alike`."""
    kinds = _by_kind([outcome for outcome in outcomes if not outcome.problem])
    commonest = max(kinds, key=lambda kind: len(kinds[kind]), default="")
    return [outcome for outcome in outcomes if not outcome.problem and _kind(outcome) != commonest]


def _by_kind(outcomes: Sequence[Decoded]) -> dict[str, list[str]]:
    """Return the names of the images of each kind."""
    kinds: dict[str, list[str]] = {}
    for outcome in outcomes:
        kinds.setdefault(_kind(outcome), []).append(outcome.name)
    return kinds


def _kind(outcome: Decoded) -> str:
    """Type and channels in words: 'uint16 with 2 channels (DAPI, actin)'."""
    n = outcome.shape[0]
    names = f" ({', '.join(outcome.channels)})" if outcome.channels else ""
    return f"{outcome.dtype} with {n} {'channel' if n == 1 else 'channels'}{names}"


def _read_if_possible(planes: Sequence[Path], side_by_side: bool) -> Picture | None:
    """An image, or None when it cannot be read."""
    try:
        return read_picture(planes, side_by_side)
    except DataError:
        return None


def _read_sized(
    files: tuple[Sequence[Path], CellMask | None], size: int | None, side: int, side_by_side: bool
) -> Picture:
    """Read an image and resize it to `size` unless that is None or 0; `shape` is then the one that it had before.

    files: those of the image, and its mask if the cell is to be cut out into a square of `side` pixels.
    """
    planes, mask = files
    picture = read_picture(planes, side_by_side)
    if mask is not None:
        picture = cut_out(picture, mask, side)
    if not size:
        return picture
    return replace(picture, pixels=resized(picture.pixels, size), shape=picture.pixels.shape)
