"""Reading archives file by file: nothing reaches outside, fills the memory, or passes for whole when cut short."""

import contextlib
import lzma
import posixpath
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path

from ...core.errors import DataError
from ...core.machine.files import check_regular
from .download import is_web_page
from .members import Header, Member, tar_members, zip_members

LARGEST_ARCHIVE = 1e12  # bytes; those of the published sets have at most a tenth of it
LEAST_LIMIT, GROWTH = 2**30, 100  # an archive may unpack to so many bytes, or so many times its size
MEMBER_BYTES = 2**30  # no image of one cell is larger; a member that says it is must be a bomb
LINKS = 40  # links that are followed to reach one file, as many as Linux follows
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# What the two modules raise for damaged archives; RuntimeError: a zip method that Python doesn't know.
DAMAGED: tuple[type[Exception], ...] = (
    *(tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError),
    *(struct.error, OSError, ValueError, RuntimeError),
)


def read(archive: Path, wanted: Callable[[str], bool] = lambda name: True) -> Iterator[tuple[str, bytes | None]]:
    """Yield name and content of each file of a .tar, .tar.gz, .tar.xz or .zip, whatever it is called, in its order.

    wanted: whether a file's content is wanted; None comes for the others. Links come last, each with the content of the
    file that it leads to, in the order of these files. Nothing is written to disk, and only one file at a time is in
    memory.

    Raises DataError that names the member when its path is absolute or climbs out with '..', when it links out of the
    archive or to no file, is a device, is encrypted, or is larger than an image can be. Raises DataError that names the
    archive when it is damaged, cut short or a web page, or when it unpacks to implausibly much.
    """
    is_zip = _start(archive).startswith(ZIP_STARTS)
    charge = _budget(archive)
    files: dict[str, Member] = {}
    links: dict[str, str] = {}
    with (
        _refused_if_damaged(archive, "zip" if is_zip else "tar"),
        zipfile.ZipFile(archive) if is_zip else tarfile.open(archive, tarinfo=Header) as opened,
    ):
        for member in zip_members(opened) if isinstance(opened, zipfile.ZipFile) else tar_members(opened):
            if problem := _problem(member):
                raise DataError(f"{archive}: member {member.name!r} {problem}")
            charge(member.size + member.header)
            name = posixpath.normpath(member.name)
            if member.kind == "file":
                files.pop(name, None)  # so that a file that comes twice has the place of the later one
                files[name] = member
                links.pop(name, None)
                yield name, member.content() if wanted(name) else None
            elif "link" in member.kind:
                links[name] = posixpath.normpath(_target(member))
        names_of: dict[str, list[str]] = {}
        for name in links:
            target = _followed(archive, name, links, files)
            charge(files[target].size)
            names_of.setdefault(target, []).append(name)
        # In the order of the files, each read once: going back in a compressed archive unpacks it from its start.
        for target in (target for target in files if target in names_of):
            content = files[target].content() if any(map(wanted, names_of[target])) else None
            for name in names_of[target]:
                yield name, content if wanted(name) else None


def _budget(archive: Path) -> Callable[[int], None]:
    """A function that counts unpacked bytes, and raises DataError when they are more than the archive may unpack to."""
    left = limit = max(LEAST_LIMIT, GROWTH * archive.stat().st_size)  # images hardly shrink in an archive

    def charge(size: int) -> None:
        nonlocal left
        left -= size
        if left < 0:
            raise DataError(
                f"{archive} unpacks to more than {limit / 1e9:.1f} GB, which is not plausible for images; "
                "if it is right, unpack it yourself and give the folder"
            )

    return charge


def _followed(archive: Path, name: str, links: Mapping[str, str], files: Container[str]) -> str:
    """Return the file that a link leads to, directly or through other links. Raises DataError if it leads to none."""
    target = links[name]
    for _ in range(LINKS):
        if target in files:
            return target
        if target not in links:
            break
        target = links[target]
    raise DataError(
        f"{archive}: member {name!r} links to {links[name]!r}, which leads to no file in the archive; "
        "unpack it, remove the link and give the folder"
    )


@contextlib.contextmanager
def _refused_if_damaged(archive: Path, kind: str) -> Iterator[None]:
    """Turn what Python raises for a damaged archive into a DataError."""
    try:
        yield
    except DAMAGED as error:
        raise DataError(
            f"{archive} cannot be read as a {kind} archive: {error}; it is damaged, cut short or of another kind: "
            "fetch it again, or unpack it and give the folder"
        ) from error


def _start(archive: Path) -> bytes:
    """The first bytes of a file. Raises DataError when it cannot be read, is no regular file or is a web page."""
    try:
        check_regular(archive, LARGEST_ARCHIVE)
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


def _problem(member: Member) -> str:
    """Why a member is not safe to read; '' when it is."""
    if _leaves(member.name) or ".." in member.name.replace("\\", "/").split("/"):
        return "points outside the archive; the archive is refused"
    if member.target and _leaves(_target(member)):
        return f"links to {member.target!r}, outside the archive; the archive is refused"
    if member.kind == "device":
        return "is a device; the archive is refused"
    if member.kind == "encrypted":
        return "is encrypted; unpack the archive with its password and give the folder"
    if not 0 <= member.size <= MEMBER_BYTES:
        return f"has {member.size:,} bytes; at most {MEMBER_BYTES:,} are allowed; the archive is refused"
    return ""


def _leaves(name: str) -> bool:
    """Whether a path in an archive would lie outside of the folder that it is unpacked into, as ../x would."""
    name = name.replace("\\", "/")
    return name.startswith("/") or name[1:2] == ":" or posixpath.normpath(name).split("/")[0] == ".."


def _target(member: Member) -> str:
    """Return the path that a link leads to, from the archive's top; only hard links are stored in that form."""
    return posixpath.join(posixpath.dirname(member.name) if member.kind == "link" else "", member.target)
