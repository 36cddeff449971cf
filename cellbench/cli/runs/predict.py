"""`cellbench predict`: labels new images with a model that a run has saved."""

import contextlib
import csv
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...core.errors import UsageError
from ...core.words import counted, duration
from ..options import plugin_option

if TYPE_CHECKING:
    from ...running.saved_models.labelling import Labelled
    from ...running.saved_models.models import Model

SCHEMA_VERSION = 1
NAMED = 10  # unreadable images that are named one by one
SAID_EVERY = 30.0  # seconds between lines on progress, if there is no terminal for a bar


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write (default: standard output).")
@click.option("--format", "style", type=click.Choice(("csv", "json")), default="csv", show_default=True)
@click.option("--top", type=click.IntRange(min=1), metavar="K", help="The K likeliest labels (default 1).")
@click.option("--all-scores", is_flag=True, help="The score of every class as well.")
@click.option("--pattern", help="One file a channel, such as '{id}_{channel}.tif'.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@plugin_option("with the model's method")
@click.pass_context
def predict(
    context: click.Context,
    model: Path,
    images: tuple[Path, ...],
    output: Path | None,
    style: str,
    top: int | None,
    all_scores: bool,
    pattern: str | None,
    device: str,
    plugins: tuple[Path, ...],
) -> None:
    """Label IMAGES, files or folders, by the MODEL that a run saved.

    Images are PNG, JPEG, BMP or TIFF with the channels and the depth that the model learnt from; they are brought to
    its size and preprocessed as in training. Writes a row an image: file, label, and one of

    \b
    probability     of a net: softmax, or sigmoid of several labels an image;
                    not calibrated: nets tend to be too sure
    decision_value  of an SVM: pairs of classes won, plus a fraction for by how
                    much; of several labels, distance from the boundary

    Of several labels an image, all above the thresholds that the run chose on val are named, joined by ';'. Images that
    cannot be read are named, and the exit code is 3. A model file holds no code, and none is run from it.

    \b
    Examples:
      cellbench run -d my_cells/ -m resnet18 --save-models
      cellbench predict resnet18.model new_cells/ -o labels.csv
      cellbench predict resnet18.model new_cells/ more/a.png --top 3 --all-scores
    """
    from ...running.plugins import load_plugins

    load_plugins(plugins)
    _check_output(output, model, images)
    from ...running.saved_models import labelling, models

    loaded = models.load(model)
    shown = _shown(loaded, top)
    found = labelling.find(images, pattern or "")
    scorer = models.restore(loaded, labelling.choose_device(device))
    _tell_model(loaded)
    with _progress(len(found.files)) as progress:
        labelled = labelling.label(loaded, scorer, found, progress)
    rows = _rows(loaded, labelled, shown, all_scores)
    text = _json(loaded, labelled, rows) if style == "json" else _csv(loaded, rows)
    _write(text.encode("utf-8", "surrogateescape"), output)
    _tell(labelled)
    context.exit(3 if labelled.unreadable else 0)


def _check_output(output: Path | None, model: Path, images: Sequence[Path]) -> None:
    """Raise UsageError, before any work is done, if the output cannot be written or would overwrite an input."""
    from ...datasets.files.names import is_image

    if output is None:
        return
    if is_image(output.name) or output in (model, *images):
        raise UsageError(f"-o got {output}, which is no table but input; give another file, such as -o labels.csv")
    if output.is_dir() or not output.parent.is_dir():
        what = "is a folder" if output.is_dir() else f"is in a folder that does not exist, {output.parent}"
        raise UsageError(f"-o got {output}, which {what}; give a file, such as -o labels.csv")


def _shown(model: "Model", top: int | None) -> int:
    """Return how many labels to show for each image of a single-label model; raises UsageError for a bad --top."""
    if top is not None and model.multilabel:
        raise UsageError("--top is for one label an image, and this model gives several; --all-scores shows them all")
    if top is not None and top > len(model.classes):
        raise UsageError(f"--top got {top}; the model knows {len(model.classes)} classes")
    return top or 1


# --- messages on stderr


def _tell_model(model: "Model") -> None:
    kind = "simulated images" if model.synthetic else "images"
    limit = f", {counted(model.limit, 'training image')} only" if model.limit else ""
    test = model.metrics["test"]
    figure = f": test macro-F1 {test['macro_f1']:.3f}, n {test['n']:,}" if "macro_f1" in test else ""
    click.echo(f"{model.method}, learnt on {kind} of {model.dataset}, split {model.split}{limit}{figure}", err=True)


def _tell(labelled: "Labelled") -> None:
    for remark in labelled.remarks:
        click.echo(remark, err=True)
    for name, reason in labelled.unreadable[:NAMED]:
        click.echo(f"not labelled: {name}: {reason}", err=True)
    if (more := len(labelled.unreadable) - NAMED) > 0:
        click.echo(f"not labelled: {more:,} more", err=True)
    click.echo(f"{counted(len(labelled.files), 'image')} labelled", err=True)


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the number of images done; it shows a bar on a terminal, else prints lines."""
    if not sys.stderr.isatty():
        yield _lines(total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (MofNCompleteColumn(), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda done: progress.update(task, completed=done)


def _lines(total: int) -> Callable[[int], None]:

    start = said = time.monotonic()

    def tell(done: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= SAID_EVERY and done < total:
            said = now
            left = duration((now - start) / done * (total - done))
            click.echo(f"{done:,} of {total:,} images, about {left} left", err=True)

    return tell


# --- the table


def _rows(model: "Model", labelled: "Labelled", shown: int, all_scores: bool) -> Iterator[dict[str, Any]]:
    """Yield each image's file, labels and their scores, and with `all_scores` the scores of all classes by name."""
    import numpy as np

    figures = model.figures(labelled.scores)
    decided = model.decided(labelled.scores)
    # stable, so that among equal scores the first class comes first, as when the label is decided
    order = np.argsort(-labelled.scores, axis=1, kind="stable")[:, :shown]
    for i, file in enumerate(labelled.files):
        chosen = np.flatnonzero(decided[i]) if model.multilabel else order[i]
        row: dict[str, Any] = {
            "file": file,
            "labels": [model.classes[k] for k in chosen],
            "scores": [_rounded(figures[i, k]) for k in chosen],
        }
        if all_scores:
            row["all"] = {name: _rounded(figures[i, k]) for k, name in enumerate(model.classes)}
        yield row


def _rounded(figure: Any) -> float:
    return float(f"{figure:.6g}")


def _figure(model: "Model") -> str:
    return "probability" if model.has_probabilities else "decision_value"


def _csv(model: "Model", rows: Iterator[dict[str, Any]]) -> str:
    out, name = io.StringIO(), _figure(model)
    write = csv.writer(out, lineterminator="\n").writerow
    for number, row in enumerate(rows):
        several, extra = row["labels"], list(row.get("all", {}))
        if not number:
            count = 1 if model.multilabel else len(several)
            columns = [c + ("" if k == 1 else f"_{k}") for k in range(1, count + 1) for c in ("label", name)]
            write(["file", *columns, *(f"{name}:{each}" for each in extra)])
        if model.multilabel:
            cells = [";".join(several), ";".join(f"{score:g}" for score in row["scores"])]
        else:
            cells = [cell for pair in zip(several, row["scores"], strict=True) for cell in pair]
        write([row["file"], *cells, *row.get("all", {}).values()])
    return out.getvalue()


def _json(model: "Model", labelled: "Labelled", rows: Iterator[dict[str, Any]]) -> str:
    """What --format json prints; docs/predict.md describes it."""
    import numpy as np

    facts = ("method", "dataset", "split", "synthetic", "seed", "limit", "metrics", "version")
    thresholds = model.figures(np.array([model.thresholds], np.float32))[0] if model.multilabel else []
    document = {
        "schema_version": SCHEMA_VERSION,
        "model": {name: getattr(model, name) for name in facts},
        "scores_are": _figure(model),
        "classes": model.classes,
        "thresholds": [_rounded(each) for each in thresholds],
        "images": list(rows),
        "unreadable": [{"file": name, "reason": reason} for name, reason in labelled.unreadable],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _write(text: bytes, output: Path | None) -> None:
    from ...core.store import write_whole

    try:
        if output is None:
            sys.stdout.buffer.write(text)
            sys.stdout.flush()
        elif output.exists() and not output.is_file():  # a pipe or a device, which must not be replaced by a file
            output.write_bytes(text)
        else:
            write_whole(output, lambda file: file.write(text))
    except BrokenPipeError:  # the reader of the pipe has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError as error:
        raise UsageError(f"cannot write {output or 'standard output'}: {error.strerror or error}") from error
