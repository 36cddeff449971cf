"""`cellbench inspect`: what is in a data set, and what in it would flatter every method."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..core.errors import UsageError
from ..core.words import counted
from .options import (
    data_folder,
    folder_options,
    given_options,
    load_plugins,
    looks_like_path,
    progress_line,
    split_option,
)

if TYPE_CHECKING:
    from ..core.data import Dataset
    from ..datasets.audit.result import Audit
    from ..datasets.audit.shortcuts import BestResult

SCHEMA_VERSION = 1
DEFAULT_RESULTS = Path("results")  # where `run` writes unless it is told otherwise
MARKS = {"ok": ("✓", "green"), "found": ("!", "yellow"), "skipped": ("–", "bright_black")}
SECTIONS = {
    "labels": "Labels",
    "leakage": "Leakage across the split (images are counted from 0, in file order)",
    "shortcuts": "Shortcuts",
}
SHOWN_LAGS = ("1", "10", "50", "100", "200")
LEVELS = ("min", "p1", "median", "p99", "max")
WIDTH = 100


@click.command("inspect")
@click.argument("dataset")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Montage PNG (default: DATASET-montage.png).")
@click.option("--no-montage", is_flag=True, help="Write no montage.")
@split_option
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    help="Folder of results: shortcuts are compared with the best method there (default: results, if it is there).",
)
@click.option(
    "--format", "style", type=click.Choice(("text", "json")), default="text", show_default=True, help="How to show it."
)
@click.option("--strict", is_flag=True, help="Exit with code 4 when something is found.")
@click.option(
    "--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="Python file with further data sets."
)
@folder_options
@click.pass_context
def inspect(
    context: click.Context,
    dataset: str,
    output: Path | None,
    no_montage: bool,
    split: str,
    results: Path | None,
    style: str,
    strict: bool,
    plugins: tuple[Path, ...],
    **folder: Any,
) -> None:
    """Look at DATASET before training: counts, leaks, shortcuts.

    DATASET is a name, or a folder of images. Shows counts, intensities and a montage of cells; looks for images, groups
    and likenesses that the split lets leak from train to test, and for shortcuts: brightness, size or border alone that
    tell the class.

    \b
    cellbench inspect hep2
    cellbench inspect hep2 --results results/ -o cells.png
    cellbench inspect my_cells/ --labels labels.csv --group-column well --strict
    """
    if output is not None and output.suffix.lower() != ".png":
        raise UsageError(f"-o got {output}; the montage is a PNG, so give the name of a file that ends in .png")
    if output is not None and no_montage:
        raise click.UsageError("-o and --no-montage contradict each other; leave one out")
    load_plugins(plugins)
    from ..datasets.audit import audit
    from ..datasets.display import montage
    from ..datasets.files import cache
    from ..datasets.named_splits import with_split

    target = None if no_montage else output or _default_output(dataset)
    if target is not None and looks_like_path(dataset) and target.resolve().is_relative_to(Path(dataset).resolve()):
        raise UsageError(f"the montage {target} would lie among the images of {dataset}; name another place with -o")
    data = with_split(cache.read(data_folder(dataset, folder)), split)
    best = best_result(results or DEFAULT_RESULTS, data, asked=results is not None)
    found = audit(data, sizes=_sizes(dataset, folder, data), best=best, progress=progress_line)
    if target is not None:
        progress_line("drawing the montage")
        montage.save(data, target)
    progress_line("")
    if style == "json":
        click.echo(json.dumps(_document(found, target), indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(_page(found, target)))
    context.exit(4 if strict and found.problems else 0)


def _default_output(name: str) -> Path:
    return Path(re.sub(r"[^\w.+-]+", "-", Path(name).resolve().name).strip("-.") + "-montage.png")


def _sizes(dataset: str, folder: dict[str, Any], data: "Dataset") -> Any:
    """Sizes that a folder's images had, where they were resized."""
    from ..datasets import datasets
    from ..datasets.audit.counts import original_sizes
    from ..datasets.folder import FolderOptions

    if dataset in datasets or not looks_like_path(dataset) or not any("sizes" in note for note in data.info.notes):
        return None
    path = Path(dataset).expanduser().resolve()
    return original_sizes(path, FolderOptions(**given_options(folder)), len(data))


def best_result(results: Path, data: "Dataset", asked: bool) -> "BestResult | None":
    """The best figure on test of full-data runs on the same content and split; what is amiss is said if `asked` for."""
    from ..core.store import read_records
    from ..datasets.audit.shortcuts import MEASURES, BestResult

    def say(text: str) -> None:
        if asked:
            click.echo(text, err=True)

    if asked and not results.is_dir():
        raise UsageError(f"{results} is no folder; give one that `cellbench run -o` wrote")
    found = []
    for _, _, record, _ in read_records(results, lambda path, why: say(f"passed over {path}: {why}")):
        spec = record.spec
        same = (spec.dataset, spec.fingerprint, spec.split) == (data.name, data.info.fingerprint, data.split.name)
        figure = record.metrics.get("test", {}).get(MEASURES[data.multilabel])
        if same and spec.limit is None and spec.val_limit is None and record.status == "ok" and figure is not None:
            found.append(BestResult(spec.method, figure))
    if not found:
        say(f"no full-data result on {data.name}, split {data.split.name}, in {results}")
    return max(found, key=lambda best: best.value, default=None)


def _document(audit: "Audit", montage: Path | None) -> dict[str, Any]:
    """What --format json prints; docs/inspect.md describes it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "dataset": audit.name,
        "split": audit.split,
        "fingerprint": audit.fingerprint,
        "found": [result.check for result in audit.problems],
        "facts": audit.facts,
        "checks": [vars(result) for result in audit.checks],
        "montage": None if montage is None else str(montage),
    }


# --- the page


def _page(audit: "Audit", montage: Path | None) -> Iterator[str]:
    facts = audit.facts
    kind = "simulated images" if facts["synthetic"] else "images"
    yield click.style(f"{audit.name}, split {audit.split}, content {audit.fingerprint[:6]}", bold=True)
    yield (
        f"{facts['images']:,} {kind} of {facts['height']}×{facts['width']} px, {facts['dtype']}"
        + (f" (values use {facts['bits']} bits)" if facts["dtype"] == "uint16" else "")
        + f", {counted(len(facts['channels']), 'channel')}"
    )
    yield from _wrapped(f"Licence: {facts['licence']}")
    for note in facts["notes"]:
        yield from _wrapped(f"Note: {note}")
    yield from ("", _counts(facts), "", _intensities(facts))
    for section, title in SECTIONS.items():
        yield from ("", click.style(title, bold=True))
        for result in audit.checks:
            if result.section != section:
                continue
            mark, colour = MARKS[result.status]
            yield from _wrapped(result.text, click.style(mark, fg=colour, bold=True))
            if "by_class" in result.figures:
                yield from ("", textwrap.indent(_likeness(result.figures["by_class"]), "    "))
    yield from ("", f"Montage: {montage}") if montage else ()
    yield from ("", _verdict(audit))


def _verdict(audit: "Audit") -> str:
    names = ", ".join(result.check for result in audit.problems)
    return f"{len(audit.problems)} found: {names}." if names else "Nothing found."


def _wrapped(text: str, mark: str = "") -> Iterator[str]:
    """Lines of at most WIDTH characters that keep '%' with its number."""
    kept = text.replace(" %", "\N{NO-BREAK SPACE}%")
    first, *rest = (
        line.replace("\N{NO-BREAK SPACE}", " ")
        for line in textwrap.wrap(kept, WIDTH - 2 * bool(mark), break_on_hyphens=False)
    )
    yield f"{mark} {first}" if mark else first
    yield from (f"  {line}" for line in rest)


def _counts(facts: Mapping[str, Any]) -> str:
    parts = list(facts["parts"])
    rows: list[list[Any]] = [
        [name, *(facts["counts"][part][name] for part in parts)] for name in facts["counts"][parts[0]]
    ]
    rows = [[*row, sum(row[1:])] for row in rows]
    rows.append(["images" if facts["multilabel"] else "all", *facts["parts"].values(), sum(facts["parts"].values())])
    if facts["groups"]:
        rows.append(["groups", *facts["groups"].values(), None])
    return _table(["class", *parts, "all"], [[row[0], *map(_number, row[1:])] for row in rows])


def _intensities(facts: Mapping[str, Any]) -> str:
    header = ["channel", "min", "1 %", "median", "99 %", "max", "saturated", "zero"]
    rows = [
        [
            name,
            *(f"{level[key]:.4g}" if facts["dtype"] == "float32" else f"{level[key]:.0f}" for key in LEVELS),
            *(f"{100 * level[key]:.2f} %" for key in ("saturated", "zero")),
        ]
        for name, level in facts["intensity"].items()
    ]
    return _table(header, rows)


def _likeness(by_class: Mapping[str, Mapping[str, Any]]) -> str:
    """Of classes that are alike: correlation of mean brightness by lag, and how far the likeness reaches."""
    feature = next(key for key in next(iter(by_class.values())) if key.endswith(" by lag"))
    rows = [
        [name, *(f"{own[feature][lag]:.2f}" if lag in own[feature] else "" for lag in SHOWN_LAGS), own["reach"]]
        for name, own in by_class.items()
        if own["alike"]
    ]
    header = [f"correlation of {feature.removesuffix(' by lag')}", *(f"lag {lag}" for lag in SHOWN_LAGS), "reaches"]
    return _table(header, rows)


def _table(header: list[str], rows: list[list[Any]]) -> str:
    """Text at the left, figures at the right."""
    from tabulate import tabulate

    return tabulate(rows, header, disable_numparse=True, colalign=["left"] + ["right"] * (len(header) - 1))


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
