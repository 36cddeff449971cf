"""What the simulated data sets share: how one is put together from its parts."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset, Info, Split


def assemble(
    name: str,
    sizes: Mapping[str, int],
    shape: tuple[int, ...],
    simulate: Callable[[str, NDArray[np.uint8]], tuple[NDArray, NDArray[np.int64]]],
    *,
    classes: tuple[str, ...],
    channels: tuple[str, ...],
    split: str,
    info: Info,
    images_file: Path | None = None,
) -> Dataset:
    """A data set of train, then val, then test; its images are in memory, or in a memory map at `images_file`.

    sizes: the number of images in each part. shape: of one image. simulate: fills the images of a part, (n, *shape),
    and returns their labels and groups. It counts groups from 0 in each part; here they are renumbered, so that no
    group is in two parts.
    """
    whole = (sum(sizes[part] for part in PARTS), *shape)
    images: NDArray[np.uint8]
    if images_file is None:
        images = np.empty(whole, np.uint8)
    else:
        images = np.lib.format.open_memmap(images_file, mode="w+", dtype=np.uint8, shape=whole)
    labels, groups, index = [], [], {}
    first_image = first_group = 0
    for part in PARTS:
        end = first_image + sizes[part]
        part_labels, part_groups = simulate(part, images[first_image:end])
        labels.append(part_labels)
        groups.append(part_groups + first_group)
        index[part] = np.arange(first_image, end)
        first_image = end
        first_group += int(part_groups.max()) + 1
    return Dataset(
        name=name,
        images=images,
        labels=np.concatenate(labels),
        classes=classes,
        channels=channels,
        split=Split(split, **index),
        groups=np.concatenate(groups),
        info=info,
    )
