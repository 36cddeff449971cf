"""Finding files in folders and archives, one at a time."""

import os
from collections.abc import Callable, Container, Iterator
from pathlib import Path

from ...core.errors import DataError
from . import archives
from .names import is_image, is_junk, natural_key

Blob = Path | bytes  # a file on disk, or the content of an archive's member


def stream_files(source: Path, names: Container[str] | None = None) -> Iterator[tuple[str, Blob]]:
    """Yield the path inside the source ('/'-separated) and the content of each file of a folder or archive.

    names: the files that are wanted, by path; all of them by default. Junk is left out. Files come one by one, so that
    an archive never has to fit in memory. Of a file that an archive holds twice the later one counts.
    """
    for name, blob in _entries(source, lambda name: names is None or name in names):
        if blob is not None:
            yield name, blob


def survey_files(source: Path, keep: Callable[[str], bool]) -> tuple[list[str], dict[str, Blob]]:
    """Return the paths of all images in a folder or archive, and the contents of other wanted files by path.

    keep: whether a file of this name, without its folders, is wanted.
    """
    pictures: dict[str, None] = {}
    kept: dict[str, Blob] = {}
    for name, blob in _entries(source, lambda name: not is_image(name) and keep(name.rpartition("/")[2])):
        if is_image(name):
            pictures[name] = None
        elif blob is not None:
            kept[name] = blob
    return list(pictures), kept


def _entries(source: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Blob | None]]:
    """Yield path and content of every file that isn't junk; the content is None for files that aren't wanted."""
    if source.is_dir():
        for name, path in find_files(source).items():
            yield name, path if wanted(name) else None
    elif source.exists():
        for name, data in archives.read(source, lambda name: wanted(name) and not is_junk(name)):
            if not is_junk(name):
                yield name, data
    else:
        raise DataError(f"{source} does not exist; give a folder, a .tar, .tar.gz or .zip archive")


def find_files(folder: Path) -> dict[str, Path]:
    """Every file below `folder` by its path inside it, in natural order, without hidden files and junk.

    Links to folders are followed. A link that leads back up, or to a folder that was read already, raises DataError:
    its images would count twice, and maybe under two labels. A folder that is one image, an OME-Zarr, is a file here.
    """
    found: dict[str, Path] = {}
    paths: dict[Path, str] = {}  # of folders, by where they really are

    def walk(directory: str, prefix: str, above: tuple[Path, ...]) -> None:
        real = Path(os.path.realpath(directory))
        if any(upper.is_relative_to(real) for upper in above):
            raise DataError(f"{directory} links to {real}, a folder that it lies in; remove the link")
        if real in paths:
            raise DataError(f"{paths[real]} and {directory} are one folder, so its images count twice; remove the link")
        paths[real] = directory
        try:
            entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
        except OSError as error:
            raise DataError(f"cannot read the folder {directory}: {error.strerror}") from error
        for entry in entries:
            if is_junk(entry.name):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError as error:  # a link to itself
                raise DataError(f"cannot follow {entry.path}: {error.strerror}; remove the link") from error
            if is_folder and is_image(entry.name):  # an OME-Zarr
                found[prefix + entry.name] = Path(entry.path)
            elif is_folder:
                walk(entry.path, f"{prefix}{entry.name}/", (*above, real))
            elif entry.is_file() or entry.is_symlink():  # a broken link counts: decoding will name it
                found[prefix + entry.name] = Path(entry.path)

    walk(str(folder), "", ())
    return {name: found[name] for name in sorted(found, key=natural_key)}
