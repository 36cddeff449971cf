"""`cellbench list`: lists methods, data sets, suites and results."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...core.families import FAMILIES, family_of
from ...core.text.words import counted, file_size
from ..options import plugin_option, terminal_width, wide_option
from ..reading import results_argument
from ..wrapping import paragraph, wrapped_rows

if TYPE_CHECKING:
    from ...core.extras import Extra
    from ...core.settings import Setting
    from ...datasets.registry import DatasetEntry
    from ...methods.registry import MethodEntry

CLASSES = "classes"


@click.group("list")
def list_() -> None:
    """List methods, data sets, suites or results.

    \b
    Examples:
      cellbench list methods
      cellbench list datasets
      cellbench list suites
      cellbench list results
    """


@list_.command("methods")
@plugin_option("with further methods")
@click.argument("name", required=False)
def list_methods(name: str | None, plugins: tuple[Path, ...]) -> None:
    """List all methods by family, and whether --all runs them.

    With NAME, list its settings: default, meaning and allowed values. Any classification net of torchvision or timm is
    a method too: torchvision:mobilenet_v2, timm:convnext_nano.

    \b
    Examples:
      cellbench list methods
      cellbench list methods resnet18
      cellbench list methods --plugin my_method.py
    """

    from ...core.extras import EXTRAS
    from ...methods import methods
    from ...running.planning.plan import needs_of, settings_of
    from ...running.plugins import load_plugins

    load_plugins(plugins)
    if name:
        entry = methods[name]
        rows = [(setting.name, _shown(setting), _meaning(setting)) for setting in settings_of(entry)]
        side = entry.smallest() if entry.smallest else entry.min_size
        least = f"{counted(side, 'pixel')} a side, or larger" if side else "a size that only its run can tell"
        click.echo(paragraph(f"{entry.name}: {entry.summary}. On images of {least}.") + "\n")
        click.echo("\n".join(wrapped_rows(rows, ("setting", "default", "what it does (and may be)"))))
        if needed := needs_of(entry):
            click.echo(f"\n{_extras([(condition or entry.name, extra) for condition, extra in needed])}")
        click.echo(f"\nChange one: cellbench run -m {entry.name} --set {rows[0][0]}=…")
        return
    click.echo(_by_family(methods.entries()))
    needed = [
        (f"{condition} ({entry.family})" if condition else entry.name, extra)
        for entry in methods.entries()
        for condition, extra in needs_of(entry)
    ]
    click.echo(f"\n{_extras([*needed, ('timm:NAME', EXTRAS['timm'])])}")
    click.echo("\nAny net of torchvision or timm too, such as torchvision:mobilenet_v2.")
    click.echo("Settings of one: cellbench list methods NAME")


def _by_family(entries: Sequence["MethodEntry"]) -> str:
    """Return the table of all methods with a heading for each family; families of plug-ins come last."""
    families = dict.fromkeys([*FAMILIES, *sorted(e.family for e in entries)])
    groups = {name: [e for e in entries if e.family == name] for name in families}
    rows = [
        [e.name, "yes" if e.standard else "", e.summary] for name in families for e in groups[name]
    ]  # one table, so that columns are aligned under all headings
    head, rule, *lines = wrapped_rows(rows, ["method", "standard", "what it is"])
    shown, after = [head, rule], iter(lines)
    for name, group in groups.items():
        if group:
            summary = family_of(name).summary
            shown += ["", paragraph(f"{name}: {summary}" if summary else name), *(next(after) for _ in group)]
    return "\n".join(shown)


def _meaning(setting: "Setting") -> str:
    return " ".join(filter(None, (setting.meaning, setting.may_be and f"({setting.may_be})")))


def _extras(needed: Sequence[tuple[str, "Extra"]]) -> str:
    """Return the table of optional packages: what command installs each, whether it is there, and what needs it."""
    rows = [
        [extra.command, _yes(extra.installed), ", ".join(dict.fromkeys(who for who, other in needed if other == extra))]
        for extra in dict.fromkeys(extra for _, extra in needed)
    ]
    return "\n".join(wrapped_rows(rows, ["optional: type", "installed", "for"]))


def _yes(true: bool) -> str:
    return "yes" if true else "no"


def _shown(setting: "Setting") -> str:
    """Return the default of a setting as `--set` would take it; if it is unset, a dash or what that means."""
    value = setting.default
    if value is None or value == ():
        return "–" if setting.unset == "none" else setting.unset
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


@list_.command("datasets")
@plugin_option("with further data sets")
def list_datasets(plugins: tuple[Path, ...]) -> None:
    """List all data sets: size, channels, licence and state.

    \b
    Examples:
      cellbench list datasets
    """
    from ...datasets import datasets
    from ...datasets.files import cache
    from ...datasets.files.names import natural_key
    from ...running.plugins import load_plugins

    load_plugins(plugins)
    entries = sorted(datasets.entries(), key=lambda entry: natural_key(entry.name))
    rows = [
        [
            f"{e.name} *" if e.standard else e.name,
            e.size,
            f"{len(_known(e, 'classes')) or '?':>{len(CLASSES)}}",
            _state(e),
        ]
        for e in entries
    ]
    head, rule, *lines = wrapped_rows(rows, ["data set", "size", CLASSES, "state"])
    click.echo(f"{head}\n{rule}")
    for line, entry in zip(lines, entries, strict=True):
        channels = ", ".join(_known(entry, "channels")) or "known once it is ready"
        text = f"{entry.summary}. Channels: {channels}. Licence: {entry.licence}"
        click.echo(f"{line}\n{paragraph(text, '  ')}")
    click.echo(
        f"\n* is what `run --all` takes when ready. Ready ones are in {cache.location('')}\n"
        "To get one: cellbench prepare NAME\n"
        "A folder of your own images works too: cellbench run -d path/to/folder"
    )


def _known(entry: "DatasetEntry", what: str) -> Sequence[str]:
    """Return the 'classes' or 'channels' of a data set: those of the prepared data, else those in its entry."""
    from ...datasets.files import cache

    return cache.meta(entry.key).get(what) or getattr(entry, what)


def _state(entry: "DatasetEntry") -> str:
    """Return the state of a data set as text: its key and size in the cache if it is ready, else how to prepare it."""
    from ...datasets.files import cache

    if cache.is_ready(entry.key):
        return f"ready: {entry.key}, {file_size(cache.size_of(cache.location(entry.key)))}"
    if entry.made_on_demand:
        return "made when first used"
    if entry.found_source():
        return "prepare reads it from where it is"
    if entry.files:
        return "prepare downloads it"
    return "prepare --from PATH" if entry.manual else "prepare makes it"


@list_.command("suites")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def list_suites(names: tuple[str, ...]) -> None:
    """List the suites.

    With NAME, show all of one: its runs, claimed figures and what is not rebuilt.

    \b
    Examples:
      cellbench list suites
      cellbench list suites yeast
    """
    from ...core import suites
    from .suites import detail, overview

    chosen = suites.select(names or ["*"])
    if names:
        click.echo("\n\n\n".join(map(detail, chosen)))
        return
    click.echo(overview(chosen))
    click.echo(
        "\nTo see one:          cellbench list suites NAME\n"
        "To run one:          cellbench run --suite NAME\n"
        "On other images:     cellbench run --suite NAME -d DATASET"
    )


@list_.command("results")
@results_argument
@wide_option
def list_results(results: Path, wide: bool) -> None:
    """List all records below a folder, one for each run.

    \b
    Examples:
      cellbench list results
      cellbench list results other/results --wide
    """
    from ...reporting.tables.table import render
    from ...reporting.tables.views.runs import runs
    from ...results.results import Results

    found = Results.load(results)
    for path, reason in found.passed_over:
        click.echo(f"passed over {path}: {reason}", err=True)
    click.echo(render([runs(found)], "text", terminal_width(wide)))
