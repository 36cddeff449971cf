"""A folder of records: results/<machine>/<dataset>/<method>/s<seed>-<key>.json, predictions beside it as .npz, a
model as .model."""

import contextlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError, cannot_write
from ..machine.files import check_regular, read_text
from ..text.words import file_name
from .runs import RunRecord, RunSpec

Predictions = Mapping[str, NDArray[Any]]  # by name, see `Store.save`
CHECKPOINT = ".checkpoint"
MARK = ".here"  # by which a process elsewhere sees that it works on the same folder
SAME_FIGURE = 1e-6  # greatest difference of a figure from the record's, when both come from the same scores
LARGEST_RECORD = 64e6  # bytes; a history of 10,000 epochs takes a tenth of it
LARGEST_PREDICTIONS = 4e9  # bytes, not packed


class Store:
    """One machine's records below `root`; readers of all machines use `read_records`."""

    def __init__(self, root: Path, machine: str) -> None:
        self.root, self.machine = Path(root), machine

    def check(self) -> None:
        """Make the folder. Raises UsageError when nothing can be written there, before hours are spent."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.root).close()
        except OSError as error:
            raise cannot_write_results(self.root, error) from error

    def path(self, spec: RunSpec) -> Path:
        folder = self.root / file_name(self.machine) / file_name(spec.dataset) / file_name(spec.method)
        return folder / f"s{spec.seed}-{spec.key}.json"

    def checkpoint(self, spec: RunSpec) -> Path:
        """Return the file where a run of this spec keeps its progress, so that it can go on after an interruption."""
        return self.path(spec).with_suffix(CHECKPOINT)

    def progress(self, spec: RunSpec) -> list[Path]:
        """Return the files with progress that are there; that of a smaller batch has the batch in its name, too."""
        path = self.path(spec)
        return [*path.parent.glob(f"{path.stem}{CHECKPOINT}"), *path.parent.glob(f"{path.stem}.*{CHECKPOINT}")]

    def forget_progress(self, spec: RunSpec) -> None:
        for file in self.progress(spec):
            file.unlink(missing_ok=True)

    def model(self, spec: RunSpec) -> Path:
        """Return the file where the trained model of a run of this spec is kept, if it is saved."""
        return self.path(spec).with_suffix(".model")

    def new_model(self, spec: RunSpec) -> Path:
        """Return the file where a run writes its model; it gets the name of `model` when the record is saved."""
        return self.path(spec).with_name(f".{self.model(spec).name}.part")

    def remove_parts(self, spec: RunSpec) -> None:
        """Delete what killed processes left half-written of a run. The run must not be under way."""
        path = self.path(spec)
        for part in (*path.parent.glob(f".{path.stem}.*.part"), path.with_suffix(MARK)):
            part.unlink(missing_ok=True)

    def stamp(self, spec: RunSpec) -> tuple[int, int] | None:
        """Return what changes whenever the record of this spec is saved; None if there is no record."""
        try:
            facts = self.path(spec).stat()
        except OSError:
            return None
        return facts.st_ino, facts.st_mtime_ns

    def find(self, spec: RunSpec) -> RunRecord | None:
        """Return this machine's record of exactly this spec, or None if there is none that can be read."""
        return read_record(self.path(spec))

    def save(self, record: RunRecord, predictions: Predictions | None = None) -> Path:
        """Write predictions, then the record, each to a temporary file that is renamed when it is whole.

        predictions: '<part>_scores' float32 (n, classes), '<part>_labels' and '<part>_index' (n,) by part, and
        '<part>_groups' (n,) where images have groups.
        Raises UsageError when the disk is full or the folder cannot be written; earlier records are untouched. Where
        the record has room and the predictions have none, the record is saved, and the error is raised all the same.
        """
        path = self.path(record.spec)
        unsaved: OSError | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                if predictions:
                    save_predictions(path, predictions)
            except OSError as error:
                unsaved = error
            write_whole(path, lambda file: file.write(record.to_json().encode("utf-8")))
            if unsaved or not predictions:  # those of an earlier attempt belong to a record that is no more
                path.with_suffix(".npz").unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write_results(path, error) from error
        if unsaved:
            raise cannot_write_results(path.with_suffix(".npz"), unsaved) from unsaved
        return path


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a temporary file beside `path` and rename it there; on any error nothing is left."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name.lstrip('.')}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


@contextlib.contextmanager
def write_whole_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder beside `target` to fill, and rename it to `target` at the end; on any error nothing is left.

    `target` may be there already if it is an empty folder.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=target.parent))
    try:
        yield temporary
        os.chmod(temporary, 0o777 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


class Stored(NamedTuple):
    """A record in a folder. path: its file. text: the content of the file."""

    path: Path
    machine: str
    record: RunRecord
    text: str


def read_record(path: Path) -> RunRecord | None:
    """Return the record in a file, or None if there is none that can be read."""
    try:
        return RunRecord.from_json(read_text(path, LARGEST_RECORD))
    except (OSError, ValueError):
        return None


def read_records(root: Path, on_bad: Callable[[Path, str], None]) -> Iterator[Stored]:
    """Yield every record below `root`, sorted by path.

    A file that is no whole record, or is a copy of an earlier one, is skipped: on_bad is called with its path and the
    reason. Nothing is written.
    """
    seen: dict[tuple[str, str], Path] = {}
    for path in sorted(Path(root).rglob("*.json")):
        try:
            text = read_text(path, LARGEST_RECORD)
            record = RunRecord.from_json(text)
        except (OSError, ValueError) as error:
            on_bad(path, str(error))
            continue
        machine = path.absolute().parents[2].name
        first = seen.setdefault((machine, path.name), path)  # the name has seed and key
        if first is not path:
            on_bad(path, f"the same run as {first.relative_to(root)}; remove one of them")
            continue
        yield Stored(path, machine, record, text)


def save_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions beside the record at `path`, whole or not at all; an OSError passes through."""
    write_whole(path.with_suffix(".npz"), lambda file: np.savez_compressed(file, **predictions))  # type: ignore[arg-type]


def read_predictions(path: Path) -> Predictions | None:
    """Return the arrays that `save` wrote beside the record at `path`, or None if there are none that can be read."""
    return load_arrays(path.with_suffix(".npz"))


def load_arrays(file: Path) -> Predictions | None:
    """Return the arrays of an .npz file, without pickle, or None if there is none that can be read."""
    try:
        check_regular(file, LARGEST_PREDICTIONS)
        with file.open("rb") as opened, zipfile.ZipFile(opened) as members:
            if sum(member.file_size for member in members.infolist()) > LARGEST_PREDICTIONS:
                return None
            opened.seek(0)
            with np.load(opened, allow_pickle=False) as kept:
                return dict(kept)
    except Exception:  # whatever numpy and zipfile raise of a damaged file, which is a dozen kinds
        return None


def cannot_write_results(path: Path, error: OSError) -> UsageError:
    """Return the error for a place, given by -o, that cannot be written."""
    return UsageError(cannot_write(path, error, "-o"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
