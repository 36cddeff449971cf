"""Folders of images for tests, and what is read from them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from cellbench.core.data import Dataset
from cellbench.core.errors import CellbenchError
from cellbench.datasets import folder
from cellbench.datasets.files import cache
from cellbench.datasets.folder import FolderOptions


def value(name: str) -> int:
    """A grey level that belongs to a file's name."""
    return sum(name.encode()) % 256


def put(root: Path, names: Iterable[str], shape: tuple[int, ...] = (12, 10), dtype: type = np.uint8) -> None:
    """Write an image for each name, all of one value that belongs to the name."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        array: NDArray = np.full(shape, value(name), dtype)
        if path.suffix.lower() in (".tif", ".tiff"):
            tifffile.imwrite(path, array)
        else:
            Image.fromarray(array).save(path)


def crops(*classes: str, n: int = 10, part: str = "") -> list[str]:
    return [f"{part}{name}/{i}.png" for name in classes for i in range(n)]


def write_table(path: Path, rows: Iterable[Iterable[str]], sep: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(sep.join(row) for row in rows) + "\n", encoding="utf-8")
    return path


def load(root: Path, **options: Any) -> Dataset:
    return cache.read(folder.prepare(root, FolderOptions(**options)))


def refused(root: Path, words: str, **options: Any) -> None:
    """Assert that the folder is refused in one line with these words, and that nothing is left in the cache."""
    with pytest.raises(CellbenchError, match=words) as error:
        load(root, **options)
    assert "\n" not in str(error.value)
    left = cache.location("x").parent
    assert not left.exists() or list(left.iterdir()) == []


def values(data: Dataset, part: str = "") -> list[int]:
    """The grey level of each image's corner."""
    images = data.images[data.split[part]] if part else data.images
    return images[:, 0, 0, 0].tolist()
