"""Downloading published files: into a temporary file, resumed after a cut, checked, and renamed when it is right."""

import hashlib
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO

from ... import __version__
from ...core.errors import DataError, cannot_write
from .locking import locked

DownloadProgress = Callable[[str, int, int | None], None]  # file name, bytes so far, bytes in all (None: not known)

TIMEOUT = 30.0  # seconds without a byte
WAITS = (1.0, 3.0, 9.0)  # seconds to wait before going on after a cut; bytes must have come before it
PIECE = 2**16


@dataclass(frozen=True)
class RemoteFile:
    """A published file: its address, the name under which it is kept, its md5 sum and, if known, its size in bytes."""

    url: str
    name: str
    md5: str
    size: int | None = None


class _CutOffError(Exception):
    """The server did not answer, or its answer ended before the file did. What came is kept."""


def fetch(file: RemoteFile, folder: Path, progress: DownloadProgress = lambda *_: None, manual: str = "") -> Path:
    """Return the path of `file` in `folder`, which is downloaded unless it is there with the right md5 sum.

    manual: another way to get it, for messages. A download that was cut off goes on where it ended, also in a later
    call. When two processes fetch at once, the second one waits and uses what the first one got. Raises DataError when
    the file cannot be downloaded or written, or is not the one that was published.
    """
    target, part = folder / file.name, folder / f"{file.name}.part"
    try:
        if md5_of(target) == file.md5:
            return target
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            if (found := md5_of(target)) == file.md5:  # another process was here meanwhile
                return target
            try:
                _download(file, part, progress)
            except (_CutOffError, urllib.error.URLError) as error:
                if not part.stat().st_size:
                    part.unlink()
                there = f"; the {file.name} there now is another one (md5 {found})" if found else ""
                raise DataError(f"{_reason(file, error)}{there}; {_by_hand(file, folder, manual)}") from error
            os.replace(part, target)
            return target
    except OSError as error:
        raise DataError(cannot_write(part, error, "CELLBENCH_DATA")) from error


def md5_of(path: Path) -> str:
    """The md5 sum of a file in hexadecimal, '' when it isn't there."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, _md5).hexdigest()


def is_web_page(start: bytes) -> bool:
    """Whether a file with this start is an HTML page, such as a login or error page that was saved under its name."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _download(file: RemoteFile, part: Path, progress: DownloadProgress) -> None:
    """Fill `part` with the whole file. Goes on after a cut, as long as some bytes come each time."""
    waits = iter(WAITS)
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            return _attempt(file, part, progress)
        except _CutOffError:
            wait = next(waits, None)
            if wait is None or not part.exists() or part.stat().st_size <= before:
                raise
            time.sleep(wait)


def _attempt(file: RemoteFile, part: Path, progress: DownloadProgress) -> None:
    """Request once what `part` lacks and append it. Then check the md5 sum of the whole, and remove a wrong file."""
    digest = _md5()
    with part.open("ab+") as out:
        out.seek(0)
        while piece := out.read(PIECE):
            digest.update(piece)
        # It is whole already when the process was killed just before renaming it.
        if not (out.tell() and digest.hexdigest() == file.md5):
            with _ask(file, out.tell()) as response:
                if response.status != 206 and out.tell():  # the server sends only whole files
                    out.truncate(0)
                    out.seek(0)
                    digest = _md5()
                total = _receive(file, response, out, digest, progress)
            if total is not None and out.tell() < total:
                raise _CutOffError(f"the connection ended after {out.tell():,} of {total:,} bytes")
        out.seek(0)
        page, size = is_web_page(out.read(PIECE)), part.stat().st_size
    if digest.hexdigest() == file.md5:
        return
    part.unlink()
    if page:
        raise _wrong(file, "the server sent a web page (HTML)")
    raise _wrong(file, f"{size:,} bytes came, with md5 {digest.hexdigest()}")


def _ask(file: RemoteFile, start: int) -> HTTPResponse:
    """The response to a request for the file from byte `start` on; for the whole file if the server sends no parts."""
    headers = {"User-Agent": f"cellbench/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        response = urllib.request.urlopen(urllib.request.Request(file.url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not start:
            raise
        error.close()
        return _ask(file, 0)  # what is there is at least as long as the file, and wrong
    except urllib.error.URLError:
        raise
    except (OSError, HTTPException) as error:
        raise _CutOffError(str(error) or type(error).__name__) from error
    if response.status == 206 and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        response.close()
        return _ask(file, 0)
    return response


def _receive(
    file: RemoteFile, response: HTTPResponse, out: IO[bytes], digest: "hashlib._Hash", progress: DownloadProgress
) -> int | None:
    """Append the response to `out`. Returns how many bytes the whole file should have, None when that is not known."""
    length = response.headers.get("Content-Length")
    total = out.tell() + int(length) if length else file.size
    progress(file.name, out.tell(), total)
    while piece := _read(response):
        out.write(piece)
        digest.update(piece)
        progress(file.name, out.tell(), total)
        if file.size is not None and out.tell() > file.size:
            return None  # it is another file, which may never end; its md5 sum will be wrong
    return total


def _read(response: HTTPResponse) -> bytes:
    """The next piece of the response; b'' at its end."""
    try:
        return response.read(PIECE)
    except (OSError, HTTPException) as error:
        raise _CutOffError(str(error) or type(error).__name__) from error


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)


def _wrong(file: RemoteFile, got: str) -> DataError:
    """Return the error for a file that was received but is not the published one."""
    return DataError(
        f"{file.url} is not the {file.name} that was published: {got}; md5 {file.md5} was expected. "
        "What came was removed: try again later, or get the file elsewhere"
    )


def _reason(file: RemoteFile, error: Exception) -> str:
    """Why a download failed, in words."""
    if isinstance(error, urllib.error.HTTPError):
        why = f"the server answers {error.code} {error.reason}"
    elif isinstance(error, urllib.error.URLError):
        why = getattr(error.reason, "strerror", None) or str(error.reason)
    else:
        why = str(error) or type(error).__name__
    return f"cannot download {file.url}: {why}"


def _by_hand(file: RemoteFile, folder: Path, manual: str) -> str:
    steps = f"save {file.url} as {folder / file.name} (md5 {file.md5}) and type the same command again"
    return f"by hand: {steps}" + (f"; or {manual}" if manual else "")
