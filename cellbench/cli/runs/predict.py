"""`cellbench predict`: labels new images with a model that a run has saved."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from ...core.errors import UsageError
from ...core.text.words import counted
from ..options import USER_PATH, device_option, plugin_option
from ..progress import progress_of

if TYPE_CHECKING:
    from ...running.saved_models.finding import FoundImages
    from ...running.saved_models.labelling import Tally
    from ...running.saved_models.models import Model

FORMATS = ("csv", "json", "parquet")
NAMED = 10  # unreadable images that are named one by one


@click.command()
@click.argument("model", type=USER_PATH)
@click.argument("images", nargs=-1, required=True, type=USER_PATH)
@click.option("-o", "--output", type=USER_PATH, help="File to write (default: standard output).")
@click.option("--format", "style", type=click.Choice(FORMATS), help="What to write (default: as -o ends, else csv).")
@click.option("--top", type=click.IntRange(min=1), metavar="K", help="The K likeliest labels (default 1).")
@click.option("--all-scores", is_flag=True, help="The score of every class as well.")
@click.option("--pattern", help="One file a channel, such as '{id}_{channel}.tif' (default: the model's); or none.")
@click.option("--channel-names", help="Channels in the images' order, such as GFP,DAPI, where it is not the model's.")
@click.option("--layout", help="What folders stand for: '{plate}/{well}/*.png' adds columns plate and well.")
@device_option
@click.option(
    "--precision",
    type=click.Choice(["run", "fp32"]),
    default="run",
    show_default=True,
    help="As the run computed, or in float32 as an exported model does.",
)
@plugin_option("with the model's method")
@click.pass_context
def predict(
    context: click.Context,
    model: Path,
    images: tuple[Path, ...],
    output: Path | None,
    style: str | None,
    top: int | None,
    all_scores: bool,
    pattern: str | None,
    channel_names: str | None,
    layout: str | None,
    device: str,
    precision: str,
    plugins: tuple[Path, ...],
) -> None:
    """Label IMAGES, files or folders, by the MODEL that a run saved.

    Images are PNG, JPEG, BMP, TIFF or OME-Zarr, with the channels and depth that the model learnt from, brought to
    its size and preprocessed as in training. Writes a row for each image: file, label and probability. The run fitted
    the rule from scores to probabilities on val; `cellbench table --view calibration` shows how far to trust them.

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
    from ...running.executors.questions import choose_device
    from ...running.saved_models import finding, labelling, models, reading, tables

    write = tables.FORMATS[_format(style, output)]
    loaded = models.load(model)
    shown = tables.LabelColumns(_top(loaded, top), all_scores)
    names = reading.check_channel_names(loaded, channel_names or "")
    found = finding.find(images, pattern or "", loaded.reading.get("pattern", ""), layout or "")
    restore = models.restore_in_float32 if precision == "fp32" else models.restore
    scorer = restore(loaded, choose_device(device))
    _tell_model(loaded, found)
    tally = labelling.Tally()
    with progress_of(len(found.files)) as progress:
        batches = labelling.label(reading.Reader(loaded, found, names), scorer, tally, progress)
        answer = tables.LabelTable(loaded, batches, tally, shown)
        _write(lambda file: write(answer, file), output)
    _tell(tally)
    context.exit(3 if tally.unreadable else 0)


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


def _format(style: str | None, output: Path | None) -> str:
    """Return the format that was asked for, or the one that the output's name ends in, or CSV.

    Raises UsageError for Parquet on a terminal.
    """
    ending = output.suffix.lower().removeprefix(".") if output else ""
    chosen = style or (ending if ending in FORMATS else "csv")
    if chosen == "parquet" and output is None:
        raise UsageError("--format parquet is no text for standard output; give a file, such as -o labels.parquet")
    return chosen


def _top(model: "Model", top: int | None) -> int:
    """Return how many labels to show for each image of a single-label model; raises UsageError for a bad --top."""
    if top is not None and model.multilabel:
        raise UsageError("--top is for one label an image, and this model gives several; --all-scores shows them all")
    if top is not None and top > len(model.classes):
        raise UsageError(f"--top got {top}; the model knows {len(model.classes)} classes")
    return top or 1


# --- messages on stderr


def _tell_model(model: "Model", found: "FoundImages") -> None:
    kind = "simulated images" if model.synthetic else "images"
    limit = f", {counted(model.limit, 'training image')} only" if model.limit else ""
    test = model.metrics["test"]
    figure = f": test macro-F1 {test['macro_f1']:.3f}, n {test['n']:,}" if "macro_f1" in test else ""
    click.echo(f"{model.method}, learnt on {kind} of {model.dataset}, split {model.split}{limit}{figure}", err=True)
    if found.masks:
        cut = "cells cut out by them, as in training" if model.reading.get("masks") else "left out, as in training"
        click.echo(f"{counted(len(found.masks), 'mask')}: {cut}", err=True)
    for remark in found.remarks:
        click.echo(remark, err=True)


def _tell(tally: "Tally") -> None:
    for remark in tally.remarks:
        click.echo(remark, err=True)
    for name, reason in tally.unreadable[:NAMED]:
        click.echo(f"not labelled: {name}: {reason}", err=True)
    if (more := len(tally.unreadable) - NAMED) > 0:
        click.echo(f"not labelled: {more:,} more", err=True)
    click.echo(f"{counted(tally.labelled, 'image')} labelled", err=True)


def _write(work: Callable[[IO[bytes]], object], output: Path | None) -> None:
    """Let `work` write to a file, whole or not at all, to a pipe, or to standard output if `output` is None."""
    from ...core.records.store import write_whole

    try:
        if output is None:
            work(sys.stdout.buffer)
            sys.stdout.flush()
        elif output.exists() and not output.is_file():  # a pipe or a device, which must not be replaced by a file
            with output.open("wb") as file:
                work(file)
        else:
            write_whole(output, work)
    except BrokenPipeError:  # the reader of the pipe has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError as error:
        raise UsageError(f"cannot write {output or 'standard output'}: {error.strerror or error}") from error
