"""A look at a data set before anything is trained on it."""

from pathlib import Path
from typing import Unpack

from numpy.typing import NDArray

from ..core.data import Dataset
from ..core.errors import UsageError
from ..core.machine.files import expanded
from ..core.mixed_values import SettingValues
from ..core.records.results_folder import DEFAULT_FOLDER
from ..core.split_names import OFFICIAL
from ..core.text.console import progress_line
from .audit import audit
from .audit.best_result import best_result
from .audit.counts import original_sizes
from .audit.result import Audit
from .display import montage
from .opening import FolderKeywords, folder_options, looks_like_path, open_dataset
from .registry import datasets


def inspect(
    dataset: str | Path,
    *,
    output: str | Path | None = None,
    split: str = OFFICIAL,
    results: str | Path | None = None,
    **folder: Unpack[FolderKeywords],
) -> Audit:
    """Return an audit of a data set: what it holds, and what would flatter every method (leaks, shortcuts).

    output: a PNG to write with some cells of each class. results: a folder of results; shortcuts are compared with the
    best method there.
    """
    name = str(dataset)
    if output is not None:
        check_place(Path(output), name)
    data = open_dataset(name, split=split, **folder)
    best = best_result(Path(results or DEFAULT_FOLDER), data, asked=results is not None)
    found = audit(data, sizes=_sizes(name, folder, data), best=best, progress=progress_line)
    if output is not None:
        progress_line("drawing the montage")
        montage.save(data, Path(output))
    progress_line("")
    return found


def check_place(output: Path, name: str) -> None:
    """Raise UsageError if a file to write has no folder, or would lie among the images of data set `name`."""
    if looks_like_path(name) and output.resolve().is_relative_to(expanded(name).resolve()):
        raise UsageError(f"{output} would lie among the images of {name}; name another place with -o")
    if not output.resolve().parent.is_dir():
        raise UsageError(f"cannot write {output}: there is no folder {output.parent}; make it, or name another with -o")


def _sizes(name: str, folder: SettingValues, data: Dataset) -> NDArray | None:
    """Return height and width, (n, 2), of a folder's images on disk; None unless their sizes were mixed."""
    if name in datasets or not looks_like_path(name) or not any("sizes" in remark for remark in data.info.notes):
        return None
    return original_sizes(expanded(name).resolve(), folder_options(folder), len(data))
