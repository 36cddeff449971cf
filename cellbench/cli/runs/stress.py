"""`cellbench stress`: how trained models do on images that another microscope might have taken."""

from collections.abc import Callable
from functools import partial
from inspect import cleandoc
from pathlib import Path

import click

from ...core.records.results_folder import DEFAULT_FOLDER
from ...core.text.console import note
from ...core.text.words import counted
from ..options import (
    USER_PATH,
    device_option,
    limit_option,
    plugin_option,
    quiet_option,
    table_format_option,
    terminal_width,
    wide_option,
)
from ..progress import progress_of


class _Stress(click.Command):
    """A command whose help lists the perturbations; they are imported when the help is shown, as that is slow."""

    def format_help_text(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        from ...reporting.tables.views.stress import strengths_of
        from ...running.stress.perturbations import PERTURBATIONS

        lines = [
            f"{one.name:<16}{one.meaning}: {strengths_of(one.unit, one.strengths)}" for one in PERTURBATIONS.values()
        ]
        self.help = cleandoc(self.help or "").replace("PERTURBATIONS", "\n".join(lines))
        super().format_help_text(context, formatter)


@click.command(cls=_Stress)
@click.argument("models", nargs=-1, metavar="[RESULTS|MODEL]...", type=USER_PATH)
@click.option("-p", "--perturbation", "names", multiple=True, metavar="NAME", help="Only these; repeatable.")
@limit_option("N test images only, the same for all models.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed of the changes.")
@device_option
@click.option("--force", is_flag=True, help="Test again, and replace a test of other images.")
@table_format_option
@plugin_option("with the models' methods")
@wide_option
@quiet_option("the table")
def stress(
    models: tuple[Path, ...],
    names: tuple[str, ...],
    limit: int | None,
    seed: int,
    device: str,
    force: bool,
    style: str,
    plugins: tuple[Path, ...],
    wide: bool,
    quiet: bool,
) -> None:
    """Test models on images changed as another microscope might.

    MODEL is a model that `cellbench run --save-models` kept, RESULTS a folder that has any (default: results). Each is
    scored on its own test images: as they are, strength 0, and changed in these ways, each in five strengths:

    \b
    PERTURBATIONS

    What is found is stored beside each model, as .stress (JSON), when the model is done; a second call adds what is
    missing. Other test images (--limit) or draws (--seed) replace what was found with --force only. The table is also
    `cellbench table --view stress`, the chart `cellbench plot stress`. What a net saw in training, such as turned
    images, is named.

    \b
    Examples:
      cellbench run -d hep2 -m svm-combined -m fastnet --save-models
      cellbench stress
      cellbench stress results/ -p rotation -p defocus --limit 500
      cellbench stress results/.../resnet18/s0-1a2b3c4d5e6f.model --format csv
    """
    from ...core.records.stress_answers import read_answers
    from ...running.executors.questions import choose_device
    from ...running.plugins import load_plugins
    from ...running.stress import testing
    from ...running.stress.perturbations import choose

    load_plugins(plugins)
    plan = testing.Plan(choose(names), seed, limit, choose_device(device), force)
    files = testing.find_models(models or (DEFAULT_FOLDER,))
    costs = testing.costs_of(files, plan, note)
    if not quiet and (ready := sum(not cost for cost in costs.values())):
        click.echo(f"{counted(ready, 'model')} tested before; --force tests again", err=True)
    with progress_of(sum(costs.values()), quiet=quiet) as progress:
        tested, before = {}, 0
        for file, cost in costs.items():
            tested[file] = testing.stress(file, plan, partial(_add, progress, before))
            before += cost
    from ...reporting.tables.table import render
    from ...reporting.tables.views.stress import of_records

    answers = {file: read_answers(file, one) for file, one in tested.items()}
    click.echo(render(of_records(tested, answers), style, terminal_width(wide)))


def _add(progress: Callable[[int], None], before: int, done: int) -> None:
    """Show the progress of a model after the images of those before it."""
    progress(before + done)
