"""Reading new images as those of a model's data set were read, a batch at a time."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.data import Images
from ...core.errors import DataError, UsageError
from ...core.machine.environment import cores
from ...core.text.words import counted
from ...datasets.files.images.decoding import resized
from ...datasets.files.images.npy import Decoded
from ...datasets.files.images.pixels import Picture
from ...datasets.folder.channels import unnamed_channels
from ...datasets.folder.cutting import cut_out, read_mask
from ...datasets.folder.decoding import read_picture
from .finding import FoundImages
from .models import Model

BATCH = 512  # images at a time; fewer of large ones
BATCH_BYTES = 2**27

Read = tuple[Decoded, Images | None]


@dataclass(frozen=True, eq=False)
class Reader:
    """How to read new images for a model: as its own, with other names for the channels where some are given."""

    model: Model
    found: FoundImages
    channel_names: tuple[str, ...] = ()

    def batches(self) -> Iterator[list[Read]]:
        """Yield batches of images, each image as its outcome and its pixels; see `read`.

        Threads read the next batch while the caller works on one.
        """
        names, model = list(self.found.files), self.model
        image_bytes = len(model.channels) * model.height * model.width * np.dtype(model.dtype).itemsize
        size = max(1, min(BATCH, BATCH_BYTES // image_bytes))
        with ThreadPoolExecutor(cores()) as pool:
            try:
                coming = [pool.submit(self.read, name) for name in names[:size]]
                for start in range(0, len(names), size):
                    later = names[start + size : start + 2 * size]
                    batch, coming = coming, [pool.submit(self.read, name) for name in later]
                    yield [future.result() for future in batch]
            finally:
                pool.shutdown(cancel_futures=True)

    def read(self, name: str) -> Read:
        """Return the outcome of reading an image, and its pixels as in the model's data set, (channels, height, width).

        The pixels are None if the image cannot be used; the outcome then has the reason.
        """
        try:
            apart = bool(self.model.reading.get("side_by_side"))
            picture = self._cut(name, read_picture(self.found.files[name], apart))
            pixels = _in_order(self.model, picture, self.channel_names or self.found.channels or picture.channels)
            pixels = _of_size(self.model, pixels)
        except DataError as error:
            return Decoded(name, 0, problem=str(error)), None
        return Decoded(name, 0, shape=picture.pixels.shape, remark=picture.remark), pixels

    def _cut(self, name: str, picture: Picture) -> Picture:
        """Return the picture, or only its cell where the model learnt from cells that masks had cut out."""
        reading = self.model.reading
        if not reading.get("masks"):
            return picture
        if name not in self.found.masks:
            raise DataError(f"has no mask, such as {_mask_name(name)} beside it; the model learnt from cells cut out")
        return cut_out(picture, read_mask(self.found.masks[name]), reading["side"])


def check_channel_names(model: Model, given: str) -> tuple[str, ...]:
    """Return the names in a list such as 'GFP,DAPI'. Raises UsageError unless they are those that the model reads."""
    names = tuple(name.strip() for name in given.split(",")) if given else ()
    if names and sorted(names) != sorted(model.channels):
        raise UsageError(
            f"--channel-names got {given!r}; the model reads {', '.join(model.channels)}: give these names in the "
            "order that the new images have"
        )
    return names


def resizing(model: Model, outcome: Decoded) -> str:
    """What was done to the size of an image, in words; '' if nothing was."""
    if not outcome.shape or outcome.shape[1:] == (model.height, model.width):
        return ""
    return f"resized to {model.height}×{model.width}"


def sides(shape: Sequence[int]) -> str:
    """Height and width of an image of this shape, (channels, height, width), in words."""
    return f"{shape[1]}×{shape[2]} px"


def _in_order(model: Model, picture: Picture, names: Sequence[str]) -> Images:
    """Return the pixels with channels in the model's order. Raises DataError for other channels or another dtype.

    names: of the picture's channels, empty where nobody knows them.
    """
    pixels, known = picture.pixels, list(model.channels)
    if len(pixels) != len(known):
        raise DataError(f"{counted(len(pixels), 'channel')}, the model reads {len(known)}: {', '.join(known)}")
    if pixels.dtype != model.dtype:
        raise DataError(f"{pixels.dtype}, the model learnt from {model.dtype}")
    in_files = list(model.reading.get("file_channels") or known)  # before they were given other names
    for order in (known, in_files):
        if sorted(names) == sorted(order):
            return pixels[[list(names).index(name) for name in order]]
    if names and in_files != list(unnamed_channels(len(known))):
        raise DataError(f"channels {', '.join(names)}, the model reads {', '.join(in_files)}")
    return pixels


def _of_size(model: Model, pixels: Images) -> Images:
    """Return the pixels resized to the size of the model's images, as for a folder of mixed sizes.

    Raises DataError if the size differs and the model's images are not square.
    """
    if pixels.shape[1:] == (model.height, model.width):
        return pixels
    if model.height != model.width:
        raise DataError(f"{sides(pixels.shape)}, the model reads {model.height}×{model.width} alone")
    return resized(pixels, model.height)


def _mask_name(name: str) -> str:
    path = Path(name)
    return f"{path.stem}_mask{path.suffix}"
