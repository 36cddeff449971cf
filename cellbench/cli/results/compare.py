"""cellbench compare: two folders of results, row by row."""

import re
from pathlib import Path

import click

from ...core.errors import UsageError
from ..options import USER_PATH, table_format_option, terminal_width, wide_option

LIMIT = re.compile(r"(?:(time|accuracy)=)?(\d+(?:\.\d+)?)%")


@click.command("compare")
@click.argument("before", type=USER_PATH)
@click.argument("after", type=USER_PATH)
@table_format_option
@click.option(
    "--fail-on",
    "limits",
    multiple=True,
    metavar="LIMIT",
    help="10%, time=10% or accuracy=1%: exit code 4 when something got worse by more, see above.",
)
@wide_option
@click.pass_context
def compare(context: click.Context, before: Path, after: Path, style: str, limits: tuple[str, ...], wide: bool) -> None:
    """Compare the results in BEFORE with those in AFTER.

    Every run of both is taken. Rows with the same data, split, limit, preprocessing, method, settings and device
    stand side by side, those of one machine first; only seeds are pooled. Each is more or less accurate (of several
    labels an image: in macro-F1), faster or slower (in training time), the same, new, gone, no longer ok or now ok.

    \b
    accuracy  differs when the 95 % interval of its change leaves out 0; without
              predictions of both and below three seeds, when it is another
    time      differs when the 95 % interval of its ratio leaves out 1; below
              three seeds of each, when it changed by more than 10 %. It is
              compared only on the same machine, processor, GPU and threads

    --fail-on 10% exits with 4 when a row that is slower takes more than 1.10 × its time before, when one that is
    less accurate lost more than 10 percentage points, or when one that was ok no longer is; time=10% and accuracy=1%
    limit one of the two each, and may be given together. New and gone rows never fail.

    \b
    Examples:
      cellbench compare results/ new/
      cellbench compare results/ new/ --fail-on time=20% --fail-on accuracy=1%
      cellbench compare results/ new/ --format json
    """
    allowed = dict(pair for text in limits for pair in _limit(text))
    from ...reporting.tables.comparison import Limits, too_much
    from ...reporting.tables.comparison import compare as side_by_side
    from ...reporting.tables.table import render
    from ...results.results import Results

    both = []
    for folder in (before, after):
        both.append(Results.load(folder))
        for path, reason in both[-1].passed_over:
            click.echo(f"passed over {folder / path}: {reason}", err=True)
    table = side_by_side(*both)
    click.echo(render([table], style, terminal_width(wide)))
    worse = too_much(table.rows, Limits(**allowed)) if allowed else []
    for line in worse:
        click.echo(f"worse than --fail-on {' '.join(limits)} allows: {line}", err=True)
    context.exit(4 if worse else 0)


def _limit(text: str) -> list[tuple[str, float]]:
    """Return (name, share) for each measure that a limit is for: '10%' limits time and accuracy, 'time=10%' time only.

    Raises UsageError for other texts.
    """
    found = LIMIT.fullmatch(text.strip())
    if not found:
        raise UsageError(f"--fail-on got {text!r}; write 10%, time=10% or accuracy=1%")
    names = [found[1]] if found[1] else ["time", "accuracy"]
    return [(name, float(found[2]) / 100) for name in names]
