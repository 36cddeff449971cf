"""Prepared data sets: images as one memory map, written whole or not at all."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from ....core.data import PARTS, Dataset, Info, Split
from ....core.errors import DataError
from ....core.machine.environment import cache_folder
from ....core.machine.memory import release_pages
from ....core.mixed_values import Document
from ..locking import locked
from .contents import sweep
from .places import IMAGES, is_ready, location
from .scratch import NO_ROOM, flush_files, flush_names, scratch_folder, set_aside, unwritable


def prepare(key: str, build: Callable[[Path], Dataset], *, again: bool = False) -> Path:
    """The folder of the prepared data set `key`, made by `build(scratch)` unless it is there already.

    build: may write its images to `scratch / IMAGES` and return them as a memory map, so that they never have to fit
    in memory. again: replace the one that is there, once the new one is whole.

    Everything is written in a scratch folder that is renamed at the end. So nobody ever takes a half-written data set
    for a whole one, not even after a power cut; and of two processes that prepare at once, one wins and the other uses
    its result.
    """
    target = location(key)
    if is_ready(key) and not again:
        return target
    sweep()
    with scratch_folder(target) as scratch:
        data = _build(key, build, scratch)
        try:
            _write(data, scratch)
            flush_files(scratch)
            _move_into_place(key, scratch, again)
        except OSError as error:
            raise unwritable(target, error) from error
    return target


def read(folder: Path) -> Dataset:
    """The data set prepared in `folder`, its images memory-mapped read-only.

    All of its files are of one data set, even when another process replaces the folder meanwhile.
    """
    with contextlib.suppress(FileNotFoundError):
        before = _identity(folder)
        data = _read(folder)
        if _identity(folder) == before:
            return data
    with locked(cache_folder()):  # it was being replaced: wait until that is done
        return _read(folder)


def _identity(folder: Path) -> tuple[int, int]:
    """Return the inode and the modification time of a folder, which differ if another folder takes its name."""
    facts = folder.stat()
    return facts.st_ino, facts.st_mtime_ns


def _read(folder: Path) -> Dataset:
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
        ids=arrays.get("ids"),
        info=Info(**{**meta["info"], "notes": tuple(meta["info"]["notes"])}),
    )


def fingerprint(data: Dataset) -> str:
    """Return 16 hex digits of a hash of everything a run can see: images, labels, groups, classes, channels, split."""
    digest = hashlib.sha256(json.dumps([data.classes, data.channels, data.split.name]).encode())
    groups = [] if data.groups is None else [data.groups]
    for array in (data.images, data.labels, *groups, *(data.split[part] for part in PARTS)):
        digest.update(f"{array.dtype}{array.shape}".encode())
        for start in range(0, len(array), 4096):  # a slice at a time: the images need not fit in memory
            digest.update(np.ascontiguousarray(array[start : start + 4096]).data)
            release_pages(array)
    return digest.hexdigest()[:16]


def _write(data: Dataset, folder: Path) -> None:
    """Write a data set's arrays and its description to a folder."""
    if not (folder / IMAGES).exists():
        np.save(folder / IMAGES, data.images)
    elif isinstance(data.images, np.memmap):
        data.images.flush()
    arrays: Document = {"labels": data.labels, **{part: data.split[part] for part in PARTS}}
    if data.groups is not None:
        arrays["groups"] = data.groups
    if data.ids is not None:
        arrays["ids"] = data.ids
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


def _build(key: str, build: Callable[[Path], Dataset], scratch: Path) -> Dataset:
    """Return the data set that `build` makes.

    An OSError in it becomes a DataError that says whether reading or writing failed. Writing failed when the
    error names the scratch folder or says that the disk is full; else it was the source.
    """
    try:
        return build(scratch)
    except OSError as error:
        named = str(error.filename or "")
        if error.errno in NO_ROOM or named.startswith(str(scratch)):
            raise unwritable(location(key), error) from error
        what = f"cannot read {named}" if named else f"cannot prepare {key}"
        raise DataError(f"{what}: {error.strerror or error}; look at the source and run the command again") from error


def _move_into_place(key: str, scratch: Path, again: bool) -> None:
    """Rename the whole scratch folder to where the prepared data set belongs."""
    target = location(key)
    with locked(cache_folder()):  # or two processes that replace it get in each other's way
        old = set_aside(target) if again else None
        try:
            os.rename(scratch, target)
        except OSError:
            if not is_ready(key):
                raise
    flush_names(target.parent)
    if old:
        shutil.rmtree(old, ignore_errors=True)
