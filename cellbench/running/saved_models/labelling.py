"""Labelling new images with a saved model: they are found, read and scored a batch at a time."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.environment import cores
from ...core.errors import BackendError, DataError, UsageError
from ...core.words import counted
from ...datasets.files import npy
from ...datasets.files.decoding import resized
from ...datasets.files.find import find_files
from ...datasets.files.names import IMAGE_SUFFIXES, is_image
from ...datasets.files.npy import Outcome
from ...datasets.files.pixels import Picture
from ...datasets.folder.channels import join_channels, unnamed_channels
from ...datasets.folder.decoding import read_picture
from ...methods.registry import Scorer
from .models import Model

BATCH = 512  # images at a time; fewer of large ones
BATCH_BYTES = 2**27


@dataclass(frozen=True)
class Found:
    """Images that were found.

    files: the files of each image, by its name: one for each of `channels`, or a single one with all channels.
    channels: names of the channels; empty if each image is a single file.
    """

    files: Mapping[str, tuple[Path, ...]]
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images and their scores.

    files: names of the images that could be read. scores: of these, (n, classes). unreadable: (name, reason) of each
    other image. remarks: lines about how some images were read or resized.
    """

    files: list[str]
    scores: NDArray[np.float32]
    unreadable: list[tuple[str, str]]
    remarks: list[str]


def find(given: Sequence[Path], pattern: str = "") -> Found:
    """Return the images in files and folders, each file once, named by the path that was given.

    pattern: the pattern of the names of files with one channel each, as for a folder data set. Raises UsageError if a
    path does not exist, or if there is no image.
    """
    files: dict[str, Path] = {}
    seen: set[str] = set()
    for path in given:
        if not path.exists():
            raise UsageError(f"{path} does not exist; give images, or folders of them")
        for name, file in _within(path):
            if (place := os.path.realpath(file)) not in seen:
                seen.add(place)
                files[name] = file
    if not files:
        raise UsageError(f"no images in {', '.join(map(str, given))}; {', '.join(IMAGE_SUFFIXES)} are read")
    return Found(*join_channels(files, pattern)) if pattern else Found({name: (file,) for name, file in files.items()})


def label(
    model: Model, scorer: Scorer, found: Found, progress: Callable[[int], object] = lambda done: None
) -> Labelled:
    """Return the scores of all images, and the reason for each image that was left out.

    An image is left out if it cannot be read, or if it is of another kind than the images of the model. progress:
    called with the number of images done. Raises DataError if no image can be read.
    """
    outcomes: list[Outcome] = []
    scores: list[NDArray[np.float32]] = []
    for batch in _read(model, found):
        outcomes += [outcome for outcome, _ in batch]
        if images := [pixels for _, pixels in batch if pixels is not None]:
            scores.append(scorer.predict(model.prepared(np.stack(images))))
        progress(len(outcomes))
    if not scores:
        npy.refuse_unreadable(outcomes, "give images like those that the model learnt from")
    return Labelled(
        files=[outcome.name for outcome in outcomes if not outcome.problem],
        scores=np.concatenate(scores),
        unreadable=[(outcome.name, outcome.problem) for outcome in outcomes if outcome.problem],
        remarks=[*npy.remarks(outcomes), *_resizing(model, outcomes)],
    )


def choose_device(wanted: str) -> str:
    """Return the device to use, 'cpu' or 'cuda'; 'auto' is CUDA if torch finds a device.

    Raises BackendError if 'cuda' is wanted and there is none.
    """
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise BackendError(
            "--device cuda: torch sees no CUDA device here; `cellbench doctor` says more, or use --device cpu"
        )
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def _within(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name to show and the path of a file, whatever its suffix, or of each image in a folder."""
    if not path.is_dir():
        yield str(path), path
        return
    for name, file in find_files(path).items():
        if is_image(name):
            yield str(path / name), file


def _read(model: Model, found: Found) -> Iterator[list[tuple[Outcome, NDArray | None]]]:
    """Yield batches of images, each image as its outcome and its pixels; see `_read_one`.

    Threads read the next batch while the caller works on one.
    """
    items = list(found.files.items())
    image_bytes = len(model.channels) * model.height * model.width * np.dtype(model.dtype).itemsize
    size = max(1, min(BATCH, BATCH_BYTES // image_bytes))
    read = partial(_read_one, model, found.channels)
    with ThreadPoolExecutor(cores()) as pool:
        try:
            coming = [pool.submit(read, *item) for item in items[:size]]
            for start in range(0, len(items), size):
                batch, coming = coming, [pool.submit(read, *item) for item in items[start + size : start + 2 * size]]
                yield [future.result() for future in batch]
        finally:
            pool.shutdown(cancel_futures=True)


def _read_one(
    model: Model, channels: tuple[str, ...], name: str, planes: tuple[Path, ...]
) -> tuple[Outcome, NDArray | None]:
    """Return the outcome of reading an image, and its pixels as in the model's data set, (channels, height, width).

    The pixels are None if the image cannot be used; the outcome then has the reason.
    """
    try:
        picture = read_picture(planes)
        pixels = _in_order(model, replace(picture, channels=channels or picture.channels))
        pixels = _of_size(model, pixels)
    except DataError as error:
        return Outcome(name, 0, problem=str(error)), None
    return Outcome(name, 0, shape=picture.pixels.shape, remark=picture.remark), pixels


def _in_order(model: Model, picture: Picture) -> NDArray:
    """Return the pixels with channels in the model's order. Raises DataError for other channels or another dtype."""
    pixels, known = picture.pixels, list(model.channels)
    if len(pixels) != len(known):
        raise DataError(f"{counted(len(pixels), 'channel')}, the model reads {len(known)}: {', '.join(known)}")
    if pixels.dtype != model.dtype:
        raise DataError(f"{pixels.dtype}, the model learnt from {model.dtype}")
    if picture.channels and known != list(unnamed_channels(len(known))):
        if sorted(picture.channels) != sorted(known):
            raise DataError(f"channels {', '.join(picture.channels)}, the model reads {', '.join(known)}")
        return pixels[[picture.channels.index(name) for name in known]]
    return pixels


def _of_size(model: Model, pixels: NDArray) -> NDArray:
    """Return the pixels resized to the size of the model's images, as for a folder of mixed sizes.

    Raises DataError if the size differs and the model's images are not square.
    """
    if pixels.shape[1:] == (model.height, model.width):
        return pixels
    if model.height != model.width:
        raise DataError(f"{_sides(pixels.shape)}, the model reads {model.height}×{model.width} alone")
    return resized(pixels, model.height)


def _resizing(model: Model, outcomes: Sequence[Outcome]) -> list[str]:
    others = [outcome for outcome in outcomes if outcome.shape and outcome.shape[1:] != (model.height, model.width)]
    if not others:
        return []
    first = f"{others[0].name} of {_sides(others[0].shape)}"
    return [f"resized to {model.height}×{model.width}: {counted(len(others), 'image')}, the first is {first}"]


def _sides(shape: Sequence[int]) -> str:
    return f"{shape[1]}×{shape[2]} px"
