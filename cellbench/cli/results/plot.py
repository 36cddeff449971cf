"""cellbench plot: results as figures."""

import copy
from collections.abc import Sequence
from fnmatch import fnmatchcase
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...core.errors import UsageError, did_you_mean
from ...core.records.results_folder import output_option
from ...core.text.words import counted
from ...reporting.charts import FORMATS
from ..options import USER_PATH, runs_option
from ..reading import machine_option, read_results, results_argument

if TYPE_CHECKING:
    from ...reporting.charts.registry import ChartOrReason
    from ...results.results import Results

FOLDER = "plots"  # default folder of `all`, which makes too many files for the current one


class _Plot(click.Command):
    """A command whose help lists all kinds of chart; they are imported when the help is shown, as that is slow."""

    def format_help_text(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        from ...reporting.charts.registry import kinds

        lines = [f"{kind.name:<16}{kind.about}" for kind in kinds().values()]
        shown = copy.copy(self)
        shown.help = cleandoc(self.help or "").replace("KINDS", "\n".join(lines))
        click.Command.format_help_text(shown, context, formatter)


@click.command("plot", cls=_Plot)
@click.argument("kind", metavar="KIND")
@results_argument
@click.option(
    "-o",
    "--output",
    type=USER_PATH,
    help="File (.png, .svg, .pdf, .json) or folder (default: this one).",
)
@click.option("--format", "style", type=click.Choice(FORMATS), help="Of files whose name doesn't say it (default png).")
@click.option("-d", "--dataset", "names", multiple=True, metavar="NAME", help="Data set or glob; repeatable.")
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Runs to draw, such as method=svm-*, device=cpu, 'limit>=1000', C=10; repeatable.",
)
@runs_option
@machine_option
@click.pass_context
def plot(
    context: click.Context,
    kind: str,
    results: Path,
    output: Path | None,
    style: str | None,
    names: tuple[str, ...],
    conditions: tuple[str, ...],
    runs: str,
    machine: str | None,
) -> None:
    """Draw the results in folder RESULTS as figures of KIND.

    \b
    KINDS
    all             whatever of these the results allow, into a folder

    Never two data sets in one figure: each data set and split gets a file in the current folder, such as time-hep2.png,
    and its name is printed. Only random seeds are pooled. Colour and shape of a method are the same in all figures.
    confusion, per-class, reliability and abstention have room for four methods; of more they show the best of each
    family on val.
    learning-curve and svm-time compare limits and settings, so they take every run.

    A condition of --where is a column of `cellbench table --format csv` or a setting, one of = != < > <= >=, and a
    value; text takes * and ?. Several with = on one name: any of them; on several names: all of them.

    \b
    Examples:
      cellbench plot time
      cellbench plot all results/ -o plots/
      cellbench plot bars results/ -d hep2 -o figure2.pdf
      cellbench plot confusion --where method=resnet18 --where method=cnn
      cellbench plot svm-time --where C=10 --where method=svm-hog
      cellbench plot time --where split=official --format svg
    """
    from ...reporting.charts.registry import kinds, left_out, outcomes

    known = kinds()
    if kind not in (*known, "all") and Path(kind).is_dir():
        raise UsageError(f"{kind!r} is a folder, and the kind of plot comes first: cellbench plot all {kind}")
    if kind not in (*known, "all"):
        raise UsageError(f"no plot is called {kind!r}; {did_you_mean(kind, (*known, 'all'))}")
    folder, file, style = _target(output, style, kind)
    of_datasets = _of_datasets(read_results(context, results, machine), names)
    found = list(outcomes(of_datasets, list(known) if kind == "all" else [kind], runs, conditions))
    drawn = [outcome for outcome in found if outcome.chart]
    lacking = _lacking(found, of_datasets.folder_to_name)
    n = 0 if kind != "all" and known[kind].every_run else left_out(of_datasets, runs, conditions)
    others = f"{counted(n, 'other run')} (limited data or changed settings) left out; all are taken with: --runs all"
    if not drawn:
        raise UsageError(min(lacking, key=len) + (f" ({others})" if n else ""))
    _write(drawn, folder, file, style)
    for line in (*(f"not drawn: {line}" for line in lacking), *([others] if n else [])):
        click.echo(line, err=True)


def _target(output: Path | None, style: str | None, kind: str) -> tuple[Path, Path | None, str]:
    """Return the folder, the file or None if none was named, and the format; raises UsageError if they contradict."""
    if output is None:
        return Path(FOLDER if kind == "all" else "."), None, style or FORMATS[0]
    ending = output.suffix.removeprefix(".").lower()
    if output.is_dir() or not ending:
        return output, None, style or FORMATS[0]
    if ending not in FORMATS and style is None:
        raise UsageError(f"-o {output} ends in .{ending}; figures are written as {', '.join(FORMATS)}")
    if kind == "all":
        raise UsageError(f"-o {output} is a file, and `all` draws several; give a folder")
    if ending in FORMATS and style not in (None, ending):
        raise UsageError(f"-o {output} and --format {style} disagree; give one of them")
    return output.parent, output, style or ending


def _of_datasets(results: "Results", names: Sequence[str]) -> "Results":
    known = set(results.frame["dataset"])
    for name in names:
        if not any(fnmatchcase(each, name) for each in known):
            raise UsageError(f"no result is of a data set {name!r}; {did_you_mean(name, known)}")
    if not names:
        return results
    return results.only([any(fnmatchcase(each, name) for name in names) for each in results.frame["dataset"]])


def _write(drawn: "Sequence[ChartOrReason]", folder: Path, file: Path | None, style: str) -> None:
    from ...reporting.charts.render import save

    if file and len(drawn) > 1:
        about = "; ".join(outcome.about for outcome in drawn)
        raise UsageError(
            f"-o {file} is one file, and there are {len(drawn)} figures ({about}); "
            "choose with --dataset, --where split=NAME or --where limit=N, or give -o a folder"
        )
    for outcome in drawn:
        assert outcome.chart
        click.echo(save(outcome.chart, file or folder / f"{outcome.name}.{style}", style))


def _lacking(found: "Sequence[ChartOrReason]", results: Path | None) -> list[str]:
    """Return a line for each kind with missing charts: the shortest reason, and other data sets without a chart."""
    by_kind: dict[str, list[ChartOrReason]] = {}
    for outcome in found:
        if not outcome.chart:
            by_kind.setdefault(outcome.kind.name, []).append(outcome)
    lines = []
    for kind, outcomes in by_kind.items():
        first, *others = sorted(outcomes, key=lambda outcome: len(outcome.lacking))
        also = f" (nor of {'; '.join(outcome.about for outcome in others)})" if others else ""
        lines.append(f"{kind} of {first.about}{also}: {_complete(first.lacking, results)}")
    return lines


def _complete(lacking: str, results: Path | None) -> str:
    """Return a reason, with the folder of results, if it has to be named, added to the command in it."""
    return lacking + output_option(results) if "cellbench run" in lacking else lacking
