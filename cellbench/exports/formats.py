"""The formats that results can be exported to, by name."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import UsageError

if TYPE_CHECKING:
    from ..results.results import Results


@dataclass(frozen=True)
class Format:
    """A format. place: 'module:function' of this package, which is imported only to export. output: where to write if
    nobody says; a folder if it ends in '/'.
    """

    summary: str
    place: str
    output: str


FORMATS = {
    "csv": Format("a line for each image and run: file, group, label, all scores", "tables:write_csv", "cells.csv"),
    "parquet": Format("the same as Parquet", "tables:write_parquet", "cells.parquet"),
    "anndata": Format(
        "a .h5ad file for each run: what its classifier saw, and scores",
        "annotated:write_anndata",
        "anndata/",
    ),
    "mlflow": Format("runs in an MLflow store on disk", "mlflow_store:write_mlflow", "mlflow/"),
    "huggingface": Format(
        "a folder as Hugging Face's data sets are, with a card",
        "huggingface:write_huggingface",
        "huggingface/",
    ),
}


def export(
    results: "Results", to: str, output: Path | None = None, conditions: Sequence[str] = ()
) -> tuple[Path, list[str]]:
    """Export runs, and return where they are now and lines about what was left out.

    to: a name of FORMATS. output: the file or folder to write; None is the format's own. conditions: as --where takes
    them. Raises UsageError if no run is chosen or nothing can be written, BackendError if a library is missing.
    """
    from ..core.records.store import cannot_write_results
    from .cells import Selection

    chosen = FORMATS[to]
    target = Path(chosen.output) if output is None else output
    _check(to, chosen, target)
    selection = Selection.of(results, conditions)
    module, function = chosen.place.split(":")
    write = getattr(importlib.import_module(f".{module}", __package__), function)
    try:
        write(selection, target)
    except OSError as error:
        raise cannot_write_results(target, error) from error
    return target, list(dict.fromkeys(selection.notes))


def _check(to: str, chosen: Format, target: Path) -> None:
    """Raise UsageError if the output is a folder where a file is meant, or the other way round, or is not empty."""
    is_folder = chosen.output.endswith("/")
    if not is_folder and target.is_dir():
        raise UsageError(f"-o got {target}, which is a folder; --to {to} writes a file, such as -o {chosen.output}")
    if is_folder and target.exists() and not target.is_dir():
        raise UsageError(f"-o got {target}, which is a file; --to {to} writes a folder, such as -o {chosen.output}")
    if is_folder and to != "mlflow" and target.is_dir() and any(target.iterdir()):
        raise UsageError(f"-o got {target}, which is not empty; --to {to} writes a new folder: give another name")
