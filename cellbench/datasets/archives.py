"""Unpacking archives to a folder, so that nothing reaches outside it, fills the disk or stays half-unpacked."""

import lzma
import os
import posixpath
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..core.errors import DataError
from . import cache, images
from .download import is_web_page

PIECE = 2**20
MEMBER = 512  # bytes that a member counts at least: endless empty files fill a disk too
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# What the two modules raise for damaged archives; RuntimeError: a zip method that Python doesn't know.
DAMAGED: tuple[type[Exception], ...] = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError)
DAMAGED += (struct.error, OSError, ValueError, RuntimeError)

# A member: its description as a tar has it, and its content, None for a folder or a link.
Member = tuple[tarfile.TarInfo, IO[bytes] | None]


def opened(source: Path, scratch: Path) -> Path:
    """A folder or tar archive as it is; a zip as the folder in `scratch` that it is unpacked to.

    Told by content; .npz files, which are zips, are left alone. Raises DataError for an HTML page.
    """
    if not source.is_file():
        return source
    start = _start(source)
    if not start.startswith(ZIP_STARTS) or source.suffix.lower() == ".npz":
        return source
    limit = images.unpacked_limit(source)
    return unpack(source, scratch / source.stem, limit)


def unpack(archive: Path, folder: Path, limit_bytes: int) -> Path:
    """Unpack a .tar, .tar.gz, .tar.xz or .zip into the new `folder`, which is there whole or not at all.

    Links inside the archive become copies; dates and rights are not kept. Raises DataError naming the member when
    one is absolute, climbs out with '..', links out, is a device or is encrypted, and naming the archive when it is
    damaged, cut short, a web page, or gives more than `limit_bytes` (counted as they come: headers may lie).
    """
    is_zip = _start(archive).startswith(ZIP_STARTS)
    if folder.exists():
        raise DataError(f"{folder} exists already; remove it or unpack {archive} elsewhere")
    with cache.scratch_folder(folder) as scratch:
        try:
            _write_all(archive, _zip_members(archive) if is_zip else _tar_members(archive), scratch, limit_bytes)
            os.rename(scratch, folder)
        except DAMAGED as error:
            if isinstance(error, OSError) and error.errno is not None:  # the system's; gzip's own has no number
                raise DataError(
                    f"cannot unpack {archive} to {folder}: {error.strerror}; "
                    "make room there, or unpack it yourself and give the folder"
                ) from error
            kind = "zip" if is_zip else "tar"
            raise DataError(
                f"{archive} cannot be read as a {kind} archive: {error}; it is damaged, cut short or of another kind: "
                "fetch it again, or unpack it and give the folder"
            ) from error
    return folder


def _start(archive: Path) -> bytes:
    """The first bytes of a file. Raises DataError when it cannot be read or is a web page."""
    try:
        with archive.open("rb") as file:
            start = file.read(1024)
    except OSError as error:
        raise DataError(f"cannot read {archive}: {error.strerror or error}") from error
    if is_web_page(start):
        raise DataError(
            f"{archive} is a web page (HTML), not an archive: what was saved is a login or error page; "
            "open the address in a browser and save the file itself"
        )
    return start


def _write_all(archive: Path, members: Iterator[Member], scratch: Path, limit: int) -> None:
    """Write folders and files as they come, then the copies that links stand for."""
    links: dict[str, str] = {}
    left = limit

    def copy(content: IO[bytes], target: Path) -> None:
        nonlocal left
        left -= MEMBER
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            while piece := content.read(PIECE):
                left -= len(piece)
                if left < 0:
                    break
                out.write(piece)
        if left < 0:
            raise DataError(
                f"{archive} unpacks to more than {limit:,} bytes, which is not plausible; "
                "if it is right, unpack it yourself and give the folder"
            )

    for member, content in members:
        if problem := images._outside(member):
            raise DataError(f"{archive}: member {member.name!r} {problem}; the archive is refused")
        name = posixpath.normpath(member.name)
        if member.isdir():
            (scratch / name).mkdir(parents=True, exist_ok=True)
        elif member.issym():
            links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
        elif member.islnk():
            links[name] = posixpath.normpath(member.linkname)
        elif content is not None:
            copy(content, scratch / name)
    for name, inside in links.items():
        if (scratch / inside).is_file() and not (scratch / name).exists():
            with (scratch / inside).open("rb") as content:
                copy(content, scratch / name)


def _tar_members(archive: Path) -> Iterator[Member]:
    with tarfile.open(archive) as file:
        for member in file:
            described = _described(member.name, member.type, member.linkname)
            yield described, file.extractfile(member) if member.isreg() else None
        images._check_end(file)


def _zip_members(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            if info.flag_bits & 1:
                raise DataError(
                    f"{archive}: member {info.filename!r} is encrypted; "
                    "unpack the archive with its password and give the folder"
                )
            name, mode = info.filename.replace("\\", "/"), info.external_attr >> 16
            if info.is_dir() or name.endswith("/"):
                yield _described(name, tarfile.DIRTYPE), None
            elif stat.S_ISLNK(mode):
                with file.open(info) as content:
                    target = content.read(4096).decode("utf-8", "replace")
                yield _described(name, tarfile.SYMTYPE, target), None
            elif mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                yield _described(name, tarfile.FIFOTYPE), None
            else:
                with file.open(info) as content:
                    yield _described(name, tarfile.REGTYPE), content


def _described(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """What the checks of images.py look at, without the size that a header claims: bytes are counted as they come."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member
