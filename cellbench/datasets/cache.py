"""Decoded data sets on disk: images as one memory map, written whole or not at all."""

import hashlib
import json
import mmap
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.data import PARTS, Dataset, Info, Split
from ..core.environment import cache_folder
from ..core.errors import DataError

FORMAT = 1
IMAGES = "images.npy"


def location(key: str) -> Path:
    """Where the prepared data set `key` is, or would be."""
    return cache_folder() / f"v{FORMAT}" / key


def is_ready(key: str) -> bool:
    return (location(key) / "meta.json").is_file()


def prepare(key: str, build: Callable[[Path], Dataset]) -> Path:
    """The folder of the prepared data set `key`, made by `build(scratch)` unless it is there already.

    `build` may make its images as a memory map `scratch / IMAGES`, so that they never have to fit in memory.
    Everything is written in a scratch folder and renamed at the end, so a half-written one is never taken for
    whole, and of two processes that prepare at once one wins and the other uses its result.
    """
    target = location(key)
    if is_ready(key):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        _write(build(scratch), scratch)
        try:
            os.rename(scratch, target)
        except OSError:
            if not is_ready(key):
                raise
    except OSError as error:
        raise DataError(
            f"cannot write {target}: {error.strerror or error}; free some space or set CELLBENCH_DATA"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def read(folder: Path) -> Dataset:
    """The data set prepared in `folder`, its images memory-mapped read-only."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    with np.load(folder / "arrays.npz") as file:
        arrays = dict(file)
    return Dataset(
        name=meta["name"],
        images=np.load(folder / IMAGES, mmap_mode="r"),
        labels=arrays["labels"],
        classes=tuple(meta["classes"]),
        channels=tuple(meta["channels"]),
        split=Split(meta["split"], *(arrays[part] for part in PARTS)),
        groups=arrays.get("groups"),
        info=Info(**{**meta["info"], "notes": tuple(meta["info"]["notes"])}),
    )


def clear(key: str) -> bool:
    """Remove the prepared data set `key`; False when there was none."""
    existed = location(key).is_dir()
    shutil.rmtree(location(key), ignore_errors=True)
    return existed


def fingerprint(data: Dataset) -> str:
    """16 hexadecimal digits of a hash of everything a run can see: images, labels, groups, classes, split."""
    digest = hashlib.sha256(json.dumps([data.classes, data.channels, data.split.name]).encode())
    groups = [] if data.groups is None else [data.groups]
    for array in (data.images, data.labels, *groups, *(data.split[part] for part in PARTS)):
        digest.update(f"{array.dtype}{array.shape}".encode())
        for start in range(0, len(array), 4096):  # a slice at a time: the images need not fit in memory
            digest.update(np.ascontiguousarray(array[start : start + 4096]).data)
            let_go(array)
    return digest.hexdigest()[:16]


def let_go(array: NDArray) -> None:
    """Drop a memory map's pages from this process's memory; they stay in the file and are read again on demand."""
    base = array
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def _write(data: Dataset, folder: Path) -> None:
    if not (folder / IMAGES).exists():
        np.save(folder / IMAGES, data.images)
    elif isinstance(data.images, np.memmap):
        data.images.flush()
    arrays: dict[str, Any] = {"labels": data.labels, **{part: data.split[part] for part in PARTS}}
    if data.groups is not None:
        arrays["groups"] = data.groups
    np.savez(folder / "arrays.npz", **arrays)
    info = replace(data.info, fingerprint=fingerprint(data))
    meta = {
        "name": data.name,
        "classes": data.classes,
        "channels": data.channels,
        "split": data.split.name,
        "info": asdict(info),
    }
    (folder / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
