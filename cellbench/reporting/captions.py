"""What stands above, below and at the left of every table: names, counts, hardware, commands for what is missing."""

import json
import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.data import PARTS
from ..core.mixed_values import SettingValues
from ..core.split_names import BLOCK, DRAWN_RULES, draws_in, keeps_together, kind_of, unit_of
from ..core.text.words import counted, plural
from ..results.rows.row import DATA, Line, grouped_by, is_disturbed, is_shared, load_unknown, one_label
from ..results.rows.settings import plain
from ..results.statistics.bootstrap import DRAWS, SEEDS
from .tables.table import MISSING, Column

NamesOf = Callable[[Sequence[Line]], str]

MOST_NAMED = 4  # rows that a clause lists by name; of more it gives the number
MOST_METHODS = 8  # methods that a note lists by name; of more it gives the number


def fact_of(rows: Sequence[Line], name: str) -> Any:
    return next((row[name] for row in rows if row[name] is not None), None)


def name_of(rows: Sequence[Line]) -> str:
    name: str = rows[0]["dataset"]
    return name + (" (simulated)" if any(row["synthetic"] for row in rows) else "")


def title_of(rows: Sequence[Line]) -> str:
    return ", ".join([name_of(rows), f"split {rows[0]['split']}{_kept(rows[0])}", *limit_of(rows[0])])


def _kept(row: Line) -> str:
    """Return in brackets what the row's split keeps together, '' where its name does not say."""
    if not keeps_together(row["split"]):
        return ""
    unit = unit_of(row.get("groups_are") or "", row["split"])
    return f" ({'neighbours' if unit == BLOCK else plural(unit)} kept together)"


def limit_of(row: Line) -> list[str]:
    """Return a phrase on how many training and val images were used, in a list; an empty list if all were.

    Older records limit train alone, and choose on all of val.
    """
    if not row["limit"] and not row.get("val_limit"):
        return []
    train = counted(row["limit"], "training image") if row["limit"] else "all training images"
    val = counted(row["val_limit"], "val image") if row.get("val_limit") else "all val images"
    return [f"limited to {train} and {val}"]


def labels_of(row: Line) -> str:
    """Return the numbers of labelled images that were used, such as '100 training and 25 val images'."""
    val = f" and {row['n_val']:,} val" if row["n_val"] else ""
    return f"{row['n_train']:,} training{val} images"


def content_of(rows: Sequence[Line]) -> str:
    inputs = {row["input"] for row in rows if row["input"]}  # a column when there are several
    return f"content {rows[0]['fingerprint'][:8]}" + (f", input {inputs.pop()}" if len(inputs) == 1 else "")


def counts_of(rows: Sequence[Line]) -> str:
    parts = [f"{n:,} {part}" for part in PARTS if (n := fact_of(rows, f"n_{part}"))]
    if not parts:
        return "images: unknown"
    classes = fact_of(rows, "n_classes")
    small, large = (fact_of(rows, f"{end}_class") for end in ("smallest", "largest"))
    of = counted(classes, "class", "classes") if classes else ""
    if small and large:
        low, high = fact_of(rows, "smallest_class_n"), fact_of(rows, "largest_class_n")
        equal = f"{counted(low, 'training image')} each"
        of += f" of {equal}" if low == high else f" of {low:,} ({small}) to {high:,} ({large}) training images"
    several = "" if one_label(rows) else "several labels an image"
    return "; ".join(filter(None, [f"images: {', '.join(parts)}", of, several]))


def absent_of(rows: Sequence[Line]) -> list[str]:
    """Return a line for each of train, val and test that lacks a class, as averages over classes leave it out."""
    absent = {part: fact_of(rows, f"{part}_absent_classes") for part in PARTS}
    return [
        f"without an image in {part}: {', '.join(json.loads(names))}; averages over classes leave them out"
        for part, names in absent.items()
        if names
    ]


def hardware_of(rows: Sequence[Line]) -> tuple[str, ...]:
    """Return a line for each machine with its processor and GPU, and lines on training times that are not comparable.

    Times are not comparable where other programs were at work, or where older records include the scoring of val.
    """
    parts = [(row["machine"], row[part]) for part in ("processor", "gpu") for row in rows if row[part]]
    machines = sorted({row["machine"] for row in rows})
    named = {machine: ", ".join(dict.fromkeys(p for m, p in parts if m == machine)) for machine in machines}
    lines = [f"machine {machine}: {parts or 'unknown hardware'}" for machine, parts in named.items()]
    return (*lines, *load_notes(rows), *scoring_in_times(rows))


def load_notes(rows: Sequence[Line]) -> tuple[str, ...]:
    """Return a note for each reason why training times of the rows are compared with nothing.

    Methods are named with their data set and split where the rows are of several.
    """
    several = len({(row.get("dataset"), row.get("split")) for row in rows}) > 1
    names_of = _methods_by_place if several else _methods_of
    return (*_shared(rows, names_of), *_disturbed(rows, names_of), *_unknown_load(rows, names_of))


def scoring_in_times(rows: Sequence[Line]) -> list[str]:
    """Return a line that names the nets whose training time includes scoring val, in a list.

    Only older records include it. The list is empty if there are none of these, or no newer records beside them.
    """
    older = [row for row in rows if row.get("val_in_fit")]
    if not older or all(row.get("seeded") is None for row in rows):
        return []
    return [
        f"Training times of {_methods_of(older, 'nets')} are of older records and include scoring val; those of newer "
        "nets do not."
    ]


def _shared(rows: Sequence[Line], names_of: NamesOf) -> list[str]:
    shared = [row for row in rows if is_shared(row)]
    if not shared:
        return []
    counts = sorted({row["shared"] for row in shared})
    runs = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return [
        f"With --jobs {runs} runs at a time shared the machine while these trained, so these times are compared with "
        f"nothing. Run them again with --force and without --jobs: {names_of(shared)}."
    ]


def _disturbed(rows: Sequence[Line], names_of: NamesOf) -> list[str]:
    busy = [row for row in rows if is_disturbed(row) and not is_shared(row)]
    if not busy:
        return []
    low, high = (f"{100 * end(row['others'] for row in busy):.0f}" for end in (min, max))
    share = low if low == high else f"{low} to {high}"
    return [
        f"Other programs had {share} % of the processors while these trained, so these times are too long. Run them "
        f"again with --force: {names_of(busy)}."
    ]


def _unknown_load(rows: Sequence[Line], names_of: NamesOf) -> list[str]:
    unknown = [row for row in rows if load_unknown(row)]
    if not unknown:
        return []
    methods = names_of(unknown)
    return [f"Whether other programs ran while these trained is unknown; their times are not compared: {methods}."]


def _methods_of(rows: Sequence[Line], noun: str = "methods") -> str:
    """Return the names of the rows' methods, each once; of many only their number."""
    names = list(dict.fromkeys(row["method"] for row in rows))
    return ", ".join(names) if len(names) <= MOST_METHODS else f"{len(names)} {noun}"


def _methods_by_place(rows: Sequence[Line]) -> str:
    """Return the names of the rows' methods for each data set and split: 'cnn, fastnet on hep2, split official'."""
    places = grouped_by(rows, ("dataset", "split"))
    return "; ".join(f"{_methods_of(group)} on {name_of(group)}, split {group[0]['split']}" for group in places)


def get_one(row: Line, methods: str, settings: SettingValues | None = None, limit: int | None = None) -> str:
    """Return the text 'get one with: …' and the command that runs `methods` on the row's data, split and device.

    methods: names with spaces between them. settings: passed with --set, on top of those changed in the row; None: no
    --set at all. limit: the number of training images, with val images in proportion; None: limits as in the row.
    """
    name = data_name(row)
    fill_in = ""
    if name != row["dataset"]:  # a folder's place, and how it was read, are not on record
        fill_in = f" ({name!r}: give the folder's path, and the options that it was read with, such as --labels)"
    return f"get one with{fill_in}: {run_command(row, methods, settings, limit)}"


def run_command(row: Line, methods: str, settings: SettingValues | None = None, limit: int | None = None) -> str:
    """Return the command that runs `methods` on the row's data, split and device; see `get_one`.

    Of a folder of images the command has the name alone, as its place is not on record.
    """
    chosen = " ".join(f"--method {method}" for method in methods.split())
    labels = f" --limit {limit}" if limit else _labels(row)
    split = split_of(row)
    given = {**json.loads(row["overrides"]), **settings} if settings is not None else {}
    changed = "".join(f" --set {shlex.quote(f'{name}={_typed(value)}')}" for name, value in given.items())
    data = shlex.quote(data_name(row))
    return f"cellbench run --dataset {data} {chosen} --device {row['device']}{split}{labels}{changed}"


def data_name(row: Line) -> str:
    """Return the name of a row's data set or, without 'folder:', of the folder that its images are from."""
    name: str = row["dataset"]
    return name.removeprefix("folder:")


def commands_for_seeds(rows: Sequence[Line]) -> list[str]:
    """Return the commands that run three seeds of each row, of rows with the same settings and device in one.

    The command for the most rows comes first.
    """
    groups: dict[tuple[str, ...], list[Line]] = {}
    for row in rows:
        groups.setdefault(tuple(str(row[name]) for name in ("overrides", *DATA, "device")), []).append(row)
    return [
        f"{run_command(group[0], ' '.join(dict.fromkeys(row['method'] for row in group)), {})} --seeds 0-2"
        for group in sorted(groups.values(), key=len, reverse=True)
    ]


def _labels(row: Line) -> str:
    """Return the options of `run` that use as many training and val images as the row, '' where it used all.

    --val-limit is given whenever --limit is, as --limit alone would limit val in proportion.
    """
    limit = f" --limit {row['limit']}" if row["limit"] else ""
    val = f" --val-limit {row.get('val_limit') or 'all'}" if row["limit"] or row.get("val_limit") else ""
    return limit + val


def not_shown(rows: Sequence[Line]) -> str:
    """Return a clause that names the results that are not shown and how to show them; rows: `Results.left_out`."""
    names = list(dict.fromkeys(name_in_sentence(row) for row in rows))
    named = ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} other results"
    shown = "it" if len(names) == 1 else "them"
    return f"{named} used less data or changed settings; show {shown} with: --runs all"


def split_of(row: Line) -> str:
    """Return the option of `run` that draws the row's split, or '' if the split came with the data."""
    return f" --split {row['split']}" if kind_of(row["split"]) in DRAWN_RULES else ""


def _typed(value: object) -> str:
    """Return the value of a setting as text that `--set` can read."""
    text = plain(value)
    return text.strip("[]") if "," in text else text


def seeds_of(row: Line) -> str:
    """Return the number of seeds whose runs are ok, of how many if not all, and of how many draws if of several."""
    draws = len(draws_in(row["split"]))
    n, of = len(row["seeds"]), row["n_runs"]
    if draws > 1:
        return f"{n} × {draws} draws" + (f" of {of} runs" if n * draws != of else "")
    return f"{n}" if n == of else f"{n} of {of}"


def device_of(row: Line) -> str:
    return f"{row['device']} ({row['threads'] or '?'})"


def half_interval(name: str) -> Callable[[Line], float | None]:
    """Return a function that gives half the width of a row's interval of figure `name`, for the spread of a column.

    The function returns None for a row without that interval.
    """

    def of_row(row: Line) -> float | None:
        low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
        return None if low is None or high is None else (high - low) / 2

    return of_row


def marked(columns: Sequence[Column], rows: Sequence[Line], over: str = "interval_over") -> tuple[Column, ...]:
    """Return the columns, with a mark after each interval that was not drawn over the same units as in most rows.

    A mark that a column has of its own comes after it.

    over: the key of a row that says what its interval was drawn over (test images, groups, seeds).
    """
    marks = _marks(rows, over)

    def with_mark(column: Column) -> Column:
        own = column.mark or (lambda row: "")
        return replace(column, mark=lambda row: marks.get(row[over], "") + own(row))

    return tuple(with_mark(column) if callable(column.spread) else column for column in columns)


def _marks(rows: Sequence[Line], over: str = "interval_over") -> dict[str, str]:
    tally = Counter(row[over] for row in rows if row[over])
    return {drawn: mark for (drawn, _), mark in zip(tally.most_common(), ("", *"†‡§¶"), strict=False)}


def intervals_of(rows: Sequence[Line], what: str, over: str = "interval_over") -> list[str]:
    """Return a line on what the intervals were drawn over, in a list, empty without any; over: as in `marked`."""
    marks = _marks(rows, over)
    return [f"±{what}: half of the 95 % interval, {drawn_over(marks)}."] if marks else []


def drawn_over(marks: Mapping[str, str]) -> str:
    """Return in words what the intervals were drawn over; marks: for each such unit, the mark of its intervals."""
    as_trained = ", of the models as trained"
    fixed = {over: not over.endswith((SEEDS, DRAWS)) for over in marks}
    if all(fixed.values()):
        return "; ".join(f"{mark} over {over}".strip() for over, mark in marks.items()) + as_trained
    parts = [f"{mark} over {over}".strip() + (as_trained if fixed[over] else "") for over, mark in marks.items()]
    return "; ".join(parts)


def name_in_sentence(row: Line, *details: str) -> str:
    """Return the name of a row for use in a sentence: its method and, in brackets, its settings and the details."""
    known = ", ".join(filter(None, [row.get("settings"), *details]))
    return f"{row['method']} ({known})" if known else row["method"]


def deviation_of(rows: Sequence[Line], what: str = "") -> list[str]:
    """Return a line that says ± is a standard deviation over seeds, in a list, empty if no row has one."""
    if not any(name.endswith("_sd") and value is not None for row in rows for name, value in row.items()):
        return []
    return [f"±{what}: standard deviation over seeds."]


LABELS = (
    Column(device_of, "device\n(threads)", label=True),
    Column("machine", "machine", label=True, when="varies"),
)


def pair(a: int | None, b: int | None) -> str:
    """Return both numbers as 'a / b', only one if they are equal or one is missing, '–' if both are."""
    texts = dict.fromkeys(f"{n:,}" for n in (a, b) if n)
    return " / ".join(texts) or MISSING
