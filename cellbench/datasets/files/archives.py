"""Reading archives file by file: nothing reaches outside, fills the memory, or passes for whole when cut short."""

import contextlib
import lzma
import posixpath
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...core.errors import DataError
from .download import is_web_page

LEAST_LIMIT, GROWTH = 2**30, 100
MEMBER = 512  # bytes that a member's header counts at least: endless empty files are a bomb too
MEMBER_BYTES = 2**30  # no picture of one cell is larger; a member that says so is a bomb
HEADER_BYTES = 2**16  # of one long name or one set of PAX fields, which tarfile reads whole
LONG_NAMES, PAX = b"LK", b"xgX"  # the kinds of such headers
LINKS = 40  # links on the way to one file; Linux follows as many
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# What the two modules raise for damaged archives; RuntimeError: a zip method that Python doesn't know.
DAMAGED: tuple[type[Exception], ...] = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError)
DAMAGED += (struct.error, OSError, ValueError, RuntimeError)


@dataclass(frozen=True)
class Member:
    """What stands in an archive. kind: file, folder, link, hard link, device or encrypted; target: a link's.

    size, header: bytes of its content, and of what is said about it.
    """

    name: str
    kind: str
    size: int
    header: int
    target: str
    content: Callable[[], bytes]


def read(archive: Path, wanted: Callable[[str], bool] = lambda name: True) -> Iterator[tuple[str, bytes | None]]:
    """Name and content of each file of a .tar, .tar.gz, .tar.xz or .zip (told by content), as they stand there.

    Those that aren't wanted come with None. What links lead to comes last, under the link's name, in the order of the
    files. Nothing is written to disk, and one file at a time is in memory. Raises DataError naming the member when one
    is absolute, climbs out with '..', links out or to no file, is a device or encrypted, or is larger than a picture
    can be; naming the archive when it is damaged, cut short, a web page, or unpacks to implausibly much.
    """
    is_zip = _start(archive).startswith(ZIP_STARTS)
    charge = _budget(archive)
    files: dict[str, Member] = {}
    links: dict[str, str] = {}
    with (
        _refused_if_damaged(archive, "zip" if is_zip else "tar"),
        zipfile.ZipFile(archive) if is_zip else tarfile.open(archive, tarinfo=_Header) as opened,
    ):
        for member in _zip_members(opened) if isinstance(opened, zipfile.ZipFile) else _tar_members(opened):
            if problem := _problem(member):
                raise DataError(f"{archive}: member {member.name!r} {problem}")
            charge(member.size + member.header)
            name = posixpath.normpath(member.name)
            if member.kind == "file":
                files.pop(name, None)  # else one that stands twice would keep the place of the first
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
    """A function that takes bytes off what the archive may unpack to, and raises DataError when nothing is left."""
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
    """The file that a link leads to, over other links where need be."""
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
    try:
        yield
    except DAMAGED as error:
        raise DataError(
            f"{archive} cannot be read as a {kind} archive: {error}; it is damaged, cut short or of another kind: "
            "fetch it again, or unpack it and give the folder"
        ) from error


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


def _problem(member: Member) -> str:
    """What makes a member unsafe, '' when nothing does."""
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
    name = name.replace("\\", "/")
    return name.startswith("/") or name[1:2] == ":" or posixpath.normpath(name).split("/")[0] == ".."


def _target(member: Member) -> str:
    """Where a link leads, as seen from the archive's top: hard links are written so, others from their folder."""
    return posixpath.join(posixpath.dirname(member.name) if member.kind == "link" else "", member.target)


class _Header(tarfile.TarInfo):
    """A header of a tar archive that takes no more memory than a header needs: tarfile itself sets no bound."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in LONG_NAMES + PAX and not 0 <= self.size <= HEADER_BYTES:
            raise ValueError(f"a header of {self.size:,} bytes, where at most {HEADER_BYTES:,} are allowed")
        if self.type == tarfile.GNUTYPE_SPARSE:
            self._refuse_sparse()
        return super()._proc_member(archive)  # type: ignore[misc]  # what tarfile's comments say to override

    def _refuse_sparse(self, *_: object) -> None:
        raise ValueError("a sparse file, whose map of holes may be of any length")

    _proc_gnusparse_10 = _refuse_sparse  # the one kind whose map is not in the header


def _tar_members(archive: tarfile.TarFile) -> Iterator[Member]:
    end = 0
    for info in iter(archive.next, None):
        kinds = (("file", info.isreg()), ("folder", info.isdir()), ("link", info.issym()), ("hard link", info.islnk()))
        kind = next((kind for kind, it_is in kinds if it_is), "device")
        target = info.linkname if "link" in kind else ""
        # Each member has a copy of all global PAX fields, and tarfile keeps each member.
        info.pax_headers = {}
        archive.members.clear()  # type: ignore[attr-defined]
        yield Member(info.name, kind, info.size, info.offset_data - end, target, partial(_tar_content, archive, info))
        end = archive.offset
    _check_end(archive)


def _tar_content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(info)
    return file.read() if file else b""


def _check_end(archive: tarfile.TarFile) -> None:
    """Raise EOFError unless the end mark is there: tarfile takes an archive cut between two members for whole."""
    file = archive.fileobj
    assert file is not None
    file.seek(archive.offset)
    if file.read(512) != bytes(512):
        raise EOFError("its end is missing")
    while file.read(2**20):  # lets a compressed archive check its sum
        pass


def _zip_members(archive: zipfile.ZipFile) -> Iterator[Member]:
    for info in archive.infolist():
        name, kind, target = info.filename.replace("\\", "/"), _zip_kind(info), ""
        if kind == "link":
            with archive.open(info) as content:
                target = content.read(4096).decode("utf-8", "replace")
        yield Member(name, kind, info.file_size, MEMBER, target, partial(archive.read, info))


def _zip_kind(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 1:
        return "encrypted"
    if info.filename.replace("\\", "/").endswith("/"):
        return "folder"
    kind = stat.S_IFMT(info.external_attr >> 16)
    return {0: "file", stat.S_IFREG: "file", stat.S_IFLNK: "link"}.get(kind, "device")
