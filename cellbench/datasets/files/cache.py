"""Decoded data sets on disk: images as one memory map, written whole or not at all."""

import contextlib
import errno
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...core.data import PARTS, Dataset, Info, Split
from ...core.environment import cache_folder
from ...core.errors import NO_SPACE, DataError, cannot_write
from ...core.memory import let_go
from .locking import alone

FORMAT = 1
IMAGES = "images.npy"
DOWNLOADS = "downloads"
SCRATCH = re.compile(r"\.(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-\w+$")  # how the name of a scratch folder ends
A_DAY = 24 * 3600
NO_ROOM = (*NO_SPACE, errno.EFBIG, errno.EROFS)  # only writing fails like this


@dataclass(frozen=True)
class Kept:
    """Something in the cache folder: a prepared data set by its key, downloads by name, or a scratch folder."""

    name: str
    path: Path
    bytes: int
    kind: str  # prepared, downloads or scratch


def location(key: str) -> Path:
    """Where the prepared data set `key` is, or would be."""
    return cache_folder() / f"v{FORMAT}" / key


def is_ready(key: str) -> bool:
    return (location(key) / "meta.json").is_file()


def meta(key: str) -> dict[str, Any]:
    """What is written beside the images of the prepared data set `key`; {} when it isn't ready."""
    try:
        return json.loads((location(key) / "meta.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def prepare(key: str, build: Callable[[Path], Dataset], *, again: bool = False) -> Path:
    """The folder of the prepared data set `key`, made by `build(scratch)` unless it is there already.

    `build` may make its images as a memory map `scratch / IMAGES`, so that they never have to fit in memory.
    Everything is written in a scratch folder and renamed at the end, so a half-written one is never taken for
    whole, not even after a power cut, and of two processes that prepare at once one wins and the other uses its
    result. With `again` the one that is there is replaced, once the new one is whole.
    """
    target = location(key)
    if is_ready(key) and not again:
        return target
    sweep()
    with scratch_folder(target) as scratch:
        data = _built(key, build, scratch)
        try:
            _write(data, scratch)
            _to_disk(scratch)
            _settle(key, scratch, again)
        except OSError as error:
            raise _unwritable(target, error) from error
    return target


@contextlib.contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` to fill and rename to it; what is left at the end is removed.

    Its name tells the machine and the process that made it, so that `sweep` knows when nobody fills it any more.
    """
    scratch = target.with_name(f".{target.name}.{_host()}-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    try:
        scratch.mkdir(parents=True)  # with the usual rights, unlike tempfile's: a cache may be shared
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def sweep() -> int:
    """Remove scratch folders that nobody fills any more; the bytes that were freed."""
    freed = 0
    for kept in contents():
        if kept.kind == "scratch" and _abandoned(kept.path):
            with contextlib.suppress(DataError):  # another user's
                freed += remove(kept.path)
    return freed


def contents() -> list[Kept]:
    """What is in the cache folder, of this format and of older ones, by kind and name."""
    found = []
    for folder in sorted(cache_folder().glob("v*/*")):
        if folder.is_dir():
            kind = "scratch" if folder.name.startswith(".") else "prepared"
            found.append(Kept(folder.name, folder, size_of(folder), kind))
    for folder in sorted((cache_folder() / DOWNLOADS).glob("*")):
        if folder.is_dir():
            found.append(Kept(folder.name, folder, size_of(folder), "downloads"))
    return sorted(found, key=lambda kept: (kept.kind, kept.name))


def size_of(folder: Path) -> int:
    """The bytes of all files below `folder`; those that vanish meanwhile count nothing."""
    total = 0
    for directory, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(directory, name)).st_size
    return total


def remove(folder: Path) -> int:
    """Remove a folder of the cache; the bytes that were freed. Raises DataError when something stays."""
    size = size_of(folder)
    try:
        if folder.name.startswith("."):
            shutil.rmtree(folder)
        else:
            with alone(cache_folder()):
                old = _set_aside(folder)
            if old:
                shutil.rmtree(old)
    except FileNotFoundError:  # another process was faster
        pass
    except OSError as error:
        raise DataError(f"cannot remove {error.filename or folder}: {error.strerror or error}") from error
    return size


def read(folder: Path) -> Dataset:
    """The data set prepared in `folder`, its images memory-mapped read-only; whole, even when it is replaced."""
    with contextlib.suppress(FileNotFoundError):
        before = _identity(folder)
        data = _read(folder)
        if _identity(folder) == before:
            return data
    with alone(cache_folder()):  # it was being replaced
        return _read(folder)


def _identity(folder: Path) -> tuple[int, int]:
    """What tells a folder from another one by the same name."""
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
        info=Info(**{**meta["info"], "notes": tuple(meta["info"]["notes"])}),
    )


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


def _built(key: str, build: Callable[[Path], Dataset], scratch: Path) -> Dataset:
    """What `build` makes; an OSError in it is about writing when it names the scratch folder or a full disk."""
    try:
        return build(scratch)
    except OSError as error:
        named = str(error.filename or "")
        if error.errno in NO_ROOM or named.startswith(str(scratch)):
            raise _unwritable(location(key), error) from error
        what = f"cannot read {named}" if named else f"cannot prepare {key}"
        raise DataError(f"{what}: {error.strerror or error}; look at the source and run the command again") from error


def _settle(key: str, scratch: Path, again: bool) -> None:
    """Rename the whole scratch folder to where the prepared data set belongs."""
    target = location(key)
    with alone(cache_folder()):  # else what one sets aside and what another puts there cross
        old = _set_aside(target) if again else None
        try:
            os.rename(scratch, target)
        except OSError:
            if not is_ready(key):
                raise
    _folder_to_disk(target.parent)
    if old:
        shutil.rmtree(old, ignore_errors=True)


def _set_aside(folder: Path) -> Path | None:
    """Rename a folder to a scratch folder's name, at once, so that no half of it is ever taken for whole.

    None when it isn't there.
    """
    try:
        return folder.rename(folder.with_name(f".{folder.name}.{_host()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"))
    except FileNotFoundError:
        return None


def _to_disk(folder: Path) -> None:
    """Wait until the files are on the disk: a name may get there first, and a power cut then leaves zeros under it."""
    for path in folder.iterdir():
        with path.open("r+b") as file:
            os.fsync(file.fileno())
    _folder_to_disk(folder)


def _folder_to_disk(folder: Path) -> None:
    """The same for the names in a folder."""
    if sys.platform == "win32":  # cannot open one
        return
    entries = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entries)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot
            raise
    finally:
        os.close(entries)


def _unwritable(target: Path, error: OSError) -> DataError:
    return DataError(cannot_write(target, error, "CELLBENCH_DATA"))


def _abandoned(scratch: Path) -> bool:
    """Whether a scratch folder is more than a day old, or its process on this machine is no more."""
    try:
        if time.time() - scratch.stat().st_mtime > A_DAY:
            return True
    except OSError:
        return False
    made = SCRATCH.search(scratch.name)
    return bool(made and made["host"] == _host() and not _alive(int(made["pid"])))


def _alive(process: int) -> bool:
    if sys.platform == "win32":  # os.kill would end it there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _host() -> str:
    """8 hexadecimal digits that tell machines with a shared cache folder apart, without naming them."""
    return f"{zlib.crc32(platform.node().encode()):08x}"
