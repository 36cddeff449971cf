"""The members of tar and zip archives in one form, without trusting what their headers say."""

import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

LEAST_HEADER = 512  # bytes that a member's header counts at least: endless empty files are a bomb too
HEADER_BYTES = 2**16  # of a long name or a set of PAX fields at most, which tarfile reads as a whole
LONG_NAMES, PAX = b"LK", b"xgX"  # the types of such headers


@dataclass(frozen=True)
class Member:
    """A member of an archive, such as a file or a link.

    kind: file, folder, link, hard link, device or encrypted. size, header: bytes of its content and of its header.
    target: where a link leads. content: reads the content.
    """

    name: str
    kind: str
    size: int
    header: int
    target: str
    content: Callable[[], bytes]


class Header(tarfile.TarInfo):
    """A header of a tar archive. It refuses what would fill the memory; tarfile itself sets no bound."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in LONG_NAMES + PAX and not 0 <= self.size <= HEADER_BYTES:
            raise ValueError(f"a header of {self.size:,} bytes, where at most {HEADER_BYTES:,} are allowed")
        if self.type == tarfile.GNUTYPE_SPARSE:
            self._refuse_sparse()
        return super()._proc_member(archive)  # type: ignore[misc]  # what tarfile's comments say to override

    def _refuse_sparse(self, *_: object) -> None:
        raise ValueError("a sparse file, whose map of holes may be of any length")

    _proc_gnusparse_10 = _refuse_sparse  # the one kind of sparse file whose map is not in its header


def tar_members(archive: tarfile.TarFile) -> Iterator[Member]:
    """Yield the members of a tar archive, opened with `Header` as its tarinfo; then check that its end is there."""
    end = 0
    for info in iter(archive.next, None):
        kinds = (("file", info.isreg()), ("folder", info.isdir()), ("link", info.issym()), ("hard link", info.islnk()))
        kind = next((kind for kind, it_is in kinds if it_is), "device")
        target = info.linkname if "link" in kind else ""
        # Each member has a copy of all global PAX fields, and tarfile keeps all members: both would fill the memory.
        info.pax_headers = {}
        archive.members.clear()  # type: ignore[attr-defined]
        yield Member(info.name, kind, info.size, info.offset_data - end, target, partial(_tar_content, archive, info))
        end = archive.offset
    _check_end(archive)


def _tar_content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(info)
    return file.read() if file else b""


def _check_end(archive: tarfile.TarFile) -> None:
    """Raise EOFError unless the end mark is there: tarfile does not notice that an archive ends between two members."""
    file = archive.fileobj
    assert file is not None
    file.seek(archive.offset)
    if file.read(512) != bytes(512):
        raise EOFError("its end is missing")
    while file.read(2**20):  # so that a compressed archive checks its sum
        pass


def zip_members(archive: zipfile.ZipFile) -> Iterator[Member]:
    """The members of a zip archive."""
    for info in archive.infolist():
        name, kind, target = info.filename.replace("\\", "/"), _zip_kind(info), ""
        if kind == "link":
            with archive.open(info) as content:
                target = content.read(4096).decode("utf-8", "replace")
        yield Member(name, kind, info.file_size, LEAST_HEADER, target, partial(archive.read, info))


def _zip_kind(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 1:
        return "encrypted"
    if info.filename.replace("\\", "/").endswith("/"):
        return "folder"
    kind = stat.S_IFMT(info.external_attr >> 16)
    return {0: "file", stat.S_IFREG: "file", stat.S_IFLNK: "link"}.get(kind, "device")
