"""cellbench findings: what the studies claimed, judged by results."""

import sys
from pathlib import Path

import click

from ..options import terminal_width
from ..reading import machine_option, read_results, results_argument

FORMATS = ("text", "json", "markdown")
COLOURS = {"supported": "green", "contradicted": "red", "inconclusive": "yellow", "not tested": "cyan"}


@click.command("findings")
@results_argument
@click.option(
    "--format", "style", type=click.Choice(FORMATS), default="text", show_default=True, help="How to show it."
)
@click.option("--claim", "ids", multiple=True, metavar="ID", help="This claim alone, with all evidence; repeatable.")
@click.option(
    "--claims",
    type=click.Choice(("tested", "all")),
    default="tested",
    show_default=True,
    help="all lists the claims that no results bear on too.",
)
@machine_option
@click.pass_context
def findings(
    context: click.Context, results: Path, style: str, ids: tuple[str, ...], claims: str, machine: str | None
) -> None:
    """Judge what the studies claimed by the results in RESULTS.

    First the answer for each data set: the best SVM, probe, net and floor. Then each claim that these results bear
    on, with its verdict, what that rests on, where it was claimed, and what would test it. JSON has every claim.

    \b
    supported     shown, at 5 %, over all comparisons that bear on the claim
    contradicted  the opposite is shown
    inconclusive  neither is; how many more seeds, cells or groups would settle it
    not tested    no results bear on it; the command that would test it

    Every run counts, whatever its suite: a claim chooses results by method and settings. Verdicts rest on real images
    alone; what simulated ones show stands below them, marked. The rules: docs/findings.md.

    \b
    Examples:
      cellbench findings
      cellbench findings results/ --claim svm-above-simple-cnn
      cellbench findings --claims all
      cellbench findings results/ --format markdown > findings.md
      cellbench findings results/ --format json
    """
    from ...reporting.findings import findings as judged
    from ...reporting.findings import sentences, show
    from ...reporting.findings.claim import chosen, load

    chosen(load(), ids)  # so that a misspelt id is reported before anything is read
    read = read_results(context, results, machine)
    found, plain = judged(read, ids), [] if ids else sentences(read)
    every = claims == "all" or bool(ids)
    output = read.folder_to_name
    if style == "json":
        click.echo(show.as_json(found, plain))
    elif style == "markdown":
        click.echo(show.as_markdown(found, plain, output, every))
    else:
        width = terminal_width()
        paint = _painted if sys.stdout.isatty() else str
        click.echo(show.as_text(found, plain, width, paint, bool(ids), output, every))


def _painted(word: str) -> str:
    return click.style(word, fg=COLOURS[word], bold=True)
