"""Which copies `cellbench inspect` finds: plants some in a data set's test part and counts them.

python benchmarks/inspect_copies.py [DATASET]

For each kind of copy, 40 images of train are put in place of 40 test images, moved, a little darker and with noise, and
`near-duplicates` is asked again. "Others" are pairs that were not planted: real ones of the data, or mistakes. The rows
of the data set in results/inspect_copies.csv are replaced; `python docs/tools/tables.py copies` shows them.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from cellbench import open_dataset
from cellbench.core.data import Dataset
from cellbench.datasets.audit import duplicates, pixels

TABLE = Path(__file__).parents[1] / "results" / "inspect_copies.csv"
COPIES, MOST = 40, 1500  # copies of each kind; images of each part that are taken


def moved(image: NDArray, across: float = 0, down: float = 0, zoom: float = 1, degrees: float = 0) -> NDArray:
    """Return an image (channels, height, width) shifted by pixels, cropped to `zoom` of its size, and turned."""
    angle = np.deg2rad(degrees)
    matrix = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = (np.array(image.shape[1:]) - 1) / 2
    offset = centre - matrix @ centre + [down, across]
    planes = [ndimage.affine_transform(plane, matrix, offset, order=1, mode="nearest") for plane in image.astype(float)]
    return np.stack(planes)


KINDS: Mapping[str, Callable[[NDArray], NDArray]] = {
    "as it is": moved,
    "mirrored": lambda image: image[..., ::-1].astype(float),
    "shift by 1 px": lambda image: moved(image, across=1),
    "shift by 2 px": lambda image: moved(image, across=2),
    "shift by 3 px": lambda image: moved(image, across=3),
    "shift by 3 px, both ways": lambda image: moved(image, across=3, down=-3),
    "crop to 90 %": lambda image: moved(image, zoom=0.9),
    "turn by 8°": lambda image: moved(image, degrees=8),
    "turn by 8°, mirrored": lambda image: moved(image[..., ::-1], degrees=8),
}


def smaller(data: Dataset) -> Dataset:
    """Return the data set with at most MOST images in each part, in memory."""
    rng = np.random.default_rng(0)
    parts = {p: np.sort(rng.permutation(data.split[p])[:MOST]) for p in ("train", "val", "test")}
    split = replace(data.split, **parts)
    return replace(data, images=np.array(data.images), split=split)


def planted(data: Dataset, make: Callable[[NDArray], NDArray]) -> tuple[Dataset, set[int]]:
    """Return the data set with copies in test, and the positions of these."""
    rng = np.random.default_rng(1)
    originals, places = (rng.permutation(data.split[part])[:COPIES] for part in ("train", "test"))
    images = np.array(data.images)
    highest = np.iinfo(images.dtype).max if images.dtype.kind == "u" else np.inf
    for i, j in zip(originals, places, strict=True):
        noisy = 0.9 * make(images[i]) + rng.normal(0, 0.02 * images[i].std(), images[i].shape)
        images[j] = noisy.clip(0, highest).astype(images.dtype)
    return replace(data, images=images), set(places.tolist())


def found(data: Dataset) -> set[int]:
    """Return the test images that the check finds a copy of."""
    kept = duplicates.near_pairs(data, pixels.scan(data))
    return {i for i, *_ in kept.pairs["test"]}


def main(name: str = "synthetic-yeast") -> None:
    data = smaller(open_dataset(name))
    about = {"dataset": name, **{part: len(data.split[part]) for part in ("train", "val", "test")}}
    about["side"] = data.images.shape[2]
    rows = []
    for kind, make in KINDS.items():
        with_copies, places = planted(data, make)
        hits = found(with_copies)
        rows.append(
            {**about, "copy": kind, "planted": COPIES, "found": len(hits & places), "others": len(hits - places)}
        )
        print(kind, rows[-1]["found"], rows[-1]["others"], file=sys.stderr)
    table = pd.DataFrame(rows)
    if TABLE.exists():
        known = pd.read_csv(TABLE)
        table = pd.concat([known[known["dataset"] != name], table])
    table.to_csv(TABLE, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
