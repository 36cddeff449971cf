"""Writes results as one HTML page.

Tables, charts and findings come from the records, pictures of cells from the prepared data sets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from .core.errors import DataError, UsageError
from .core.records.store import write_whole
from .core.text.words import counted
from .datasets.audit import audit
from .datasets.audit.best_result import best_result
from .datasets.audit.pixels import FRAME
from .datasets.display import colours, thumbnails
from .datasets.named_splits import each_draw, with_split
from .reporting.report.page import Look, Scope, render, report
from .results.heatmaps import best_heatmaps
from .results.results import Results

FEW = 12  # up to so many classes, six examples of each are shown, with more classes three


@dataclass(frozen=True)
class WrittenReport:
    """The page that was written. remarks: what it lacks, and which runs it leaves out."""

    path: Path
    remarks: Sequence[str]


def write_report(
    results: Results,
    path: Path,
    *,
    title: str = "",
    conditions: Sequence[str] = (),
    runs: str = "default",
    cells: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> WrittenReport:
    """Write the results as one HTML page that needs no other file and no network.

    conditions: as --where takes them. runs: 'default' or 'all', as for `Results.select`. cells: whether to show
    pictures of cells, which takes the prepared data sets. progress: called with what is under way, and with '' at the
    end. Raises UsageError if the file's name has another ending, and if it cannot be written.
    """
    check_name(path)
    progress("reading predictions")
    content = report(results, runs, conditions, title)
    looks = {}
    for scope, shown in content.shown_images().items():
        if cells:
            progress(f"looking at the images of {scope[0]}")
            looks[scope] = _look(scope, shown, results)
        else:
            looks[scope] = Look(lacking="left out on request (--no-cells)")
    page = render(content, looks, date.today().isoformat(), results.folder_to_name)
    progress("")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda file: file.write(page.encode("utf-8")))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}; choose another place with -o") from error
    lacking = [f"no pictures of {scope[0]}: {look.lacking}" for scope, look in looks.items() if cells and look.lacking]
    return WrittenReport(path, [*dict.fromkeys(lacking), *filter(None, [content.others])])


def check_name(path: Path) -> None:
    """Raise UsageError unless the file's name has the ending of a page."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"-o got {path}; the report is a page, so give the name of a file that ends in .html")


def _look(scope: Scope, cells: set[int], results: Results) -> Look:
    """Return pictures of these cells and of examples of each class, and the checks of `cellbench inspect`."""
    name, fingerprint, split = scope
    try:
        whole = thumbnails.prepared_dataset(name, fingerprint)
        data = with_split(whole, each_draw(whole, split)[0])
    except DataError as error:
        return Look(lacking=str(error))
    examples = thumbnails.examples(data, 6 if len(data.classes) <= FEW else 3)
    shown = cells | {i for _, index in examples for i in index}
    found = audit(data, best=best_result(results.folder, data, asked=False))
    height, width = data.images.shape[2:]
    heat = best_heatmaps(results.rows, scope)
    return Look(
        heat={} if heat is None else thumbnails.heatmap_files(data, heat.heatmaps, shown),
        heat_note="" if heat is None else heat.note(FRAME),
        cells=thumbnails.jpegs(data, shown),
        names={} if data.ids is None else {i: data.name_of(i) for i in shown},
        examples=examples,
        channels=thumbnails.channels(data),
        facts=f"{len(data):,} images of {height}×{width} px, {data.images.dtype}, "
        + counted(len(data.channels), "channel"),
        citation=data.info.citation,
        notes=data.info.notes,
        checks=[(result.status, result.text) for result in found.checks],
        stretch=f"each channel stretched between its percentiles {colours.LOW:g} and {colours.HIGH:g}",
    )
