"""What is worth seeing in a frame of results: pure functions from the rows of one data set to a table."""

import dataclasses
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from .captions import (
    LABELS,
    absent_of,
    certainty_of,
    content_of,
    counts_of,
    deviation_of,
    device_of,
    fact_of,
    get_one,
    half,
    hardware_of,
    marked,
    not_shown,
    one_label,
    pair,
    seeds_of,
    title_of,
)
from .certainty import with_certainty
from .choosing import chosen, lines_chosen, own
from .classes import per_class
from .contest_table import svm_vs_deep
from .efficiency import ACCURACY, efficiency
from .parity import parity
from .pooling import BELOW_TWICE_CHANCE, DATA, HARDWARE, LEFT_OUT, by, listed, pool, with_settings
from .ranking import main_figure, ranked, stands_out
from .scaling import SCOPE, scaling
from .table import (
    BYTES,
    COUNT,
    IMAGE_TIME,
    PARAMETERS,
    PERCENT,
    SECONDS,
    Column,
    Row,
    Table,
)


def tables(frame: pd.DataFrame, view: str = "all", conditions: Sequence[str] = ()) -> list[Table]:
    """The tables of one of VIEWS, or of all that aren't for those who ask, a table for each group that it speaks of.

    Data sets with several labels an image come last: their figures are others. conditions: of rows, see `where`.
    """
    names = [name for name in VIEWS if name == view or (view == "all" and not VIEWS[name].on_request)]
    late = own(conditions, [column for name in names for column in VIEWS[name].own])
    rows = chosen(pool(frame), [condition for condition in conditions if condition not in late])
    left_out = frame.attrs.get(LEFT_OUT, ())
    found = [
        _explained(_table(VIEWS[name], group, left_out), group)
        for name in names
        for group in _groups(rows, VIEWS[name].scope)
    ]
    return lines_chosen(found, late)


def _table(view: "View", rows: Sequence[Row], left_out: Sequence[Row]) -> Table:
    if not view.says_what_is_left_out:
        return view.table(rows)
    return view.table(rows, [row for row in left_out if all(row[name] == rows[0][name] for name in SCOPE)])


def _groups(rows: Sequence[Row], scope: Sequence[str]) -> list[list[Row]]:
    groups = [with_settings(group) for group in by(rows, scope)]
    return sorted(groups, key=lambda group: not one_label(group))


def leaderboard(rows: Sequence[Row]) -> Table:
    """All methods on one data set, the best on test first; runs without figures last."""
    rows = with_certainty(ranked(rows), main_figure(rows))
    title = f"{title_of(rows)}, {content_of(rows)}\n{counts_of(rows)}"
    notes = (
        *certainty_of(rows, "accuracy" if one_label(rows) else "macro-F1"),
        *deviation_of(rows, " of times"),
        *absent_of(rows),
        *hardware_of(rows),
    )
    return Table("leaderboard", title, marked(LEADERBOARD, rows), tuple(rows), notes)


def depth(rows: Sequence[Row], left_out: Sequence[Row] = ()) -> Table:
    """Plain nets and their residual twins by depth: does training error rise with depth, and do shortcuts help?"""
    nets = [row for row in rows if row["depth"] and row["shortcuts"] is not None and not row["pretrained"]]
    title = f"{title_of(rows)}: depth against degradation"
    if not one_label(rows):
        return Table("depth", title, (), (), (NO_ERROR,))
    if not nets:
        hidden = [row for row in left_out if row["depth"]]
        if hidden:
            note = f"No plain or residual net is among these runs, but {not_shown(hidden)}"
        else:
            note = f"No plain or residual net is among these runs; {get_one(rows[0], 'plain18 resnet18')}"
        return Table("depth", title, (), (), (note,))
    twins = [
        _twins(plain, residual)
        for group in by(nets, (*HARDWARE, "preprocessing", "overrides", "depth"))
        for plain, residual in itertools.zip_longest(
            *([n for n in group if n["shortcuts"] == s] for s in (False, True))
        )
    ]
    notes = (*deviation_of(twins), *settings_of_all(twins), DEGRADATION, *_trend(twins))
    return Table("depth", title, DEPTH, tuple(twins), notes)


@dataclass(frozen=True)
class View:
    """table: of rows that share `scope`. on_request: shown only to those who name it. every_run: it compares settings
    or limits, so it takes every run. own: what its rows have and results have not, for conditions.
    says_what_is_left_out: whether `table` also takes the rows of the same data that are not shown."""

    table: Callable[..., Table]
    scope: tuple[str, ...] = DATA
    on_request: bool = False
    every_run: bool = False
    own: tuple[str, ...] = ()
    says_what_is_left_out: bool = False


VIEWS = {
    "leaderboard": View(leaderboard),
    "svm-vs-deep": View(svm_vs_deep, says_what_is_left_out=True),
    "depth": View(depth, says_what_is_left_out=True),
    "per-class": View(per_class, on_request=True, own=("class", "position", "n", "precision", "recall", "f1")),
    "efficiency": View(efficiency, on_request=True, own=("pareto", "memory")),
    "parity": View(parity, on_request=True, every_run=True),
    "scaling": View(scaling, SCOPE, on_request=True, every_run=True),
}


def _explained(table: Table, rows: Sequence[Row]) -> Table:
    """The table with a line on a remark that doesn't explain itself."""
    classes = fact_of(rows, "n_classes")
    if not any(BELOW_TWICE_CHANCE in row.get("remark", "") for row in table.rows):
        return table
    note = (
        f"{BELOW_TWICE_CHANCE}: recall on test, averaged over the {classes} classes, is under {200 / classes:.1f} %, "
        "twice what guessing gives; the method has learned next to nothing."
    )
    return dataclasses.replace(table, notes=(*table.notes, note))


LEADERBOARD = (
    Column("method", "method", label=True),
    Column("settings", "settings", label=True, when="any"),
    *LABELS,
    Column("input", "input", label=True, when="varies", spare=1),
    Column(lambda row: "yes" if row["pretrained"] else "", "pre-\ntrained", label=True, when="any"),
    ACCURACY,
    Column("test_macro_f1", "test\nmacro-F1", PERCENT, spread=half("test_macro_f1"), bold=stands_out("macro_f1")),
    Column("test_micro_f1", "test\nmicro-F1", PERCENT, when="any"),
    Column("test_mean_average_precision", "test\nmAP", PERCENT, when="any"),
    Column("test_exact_match", "exact\nmatch", PERCENT, when="any", spare=3),
    Column("test_sample_averaged_f1", "sample-\naveraged F1", PERCENT, when="any", spare=2),
    Column("val_accuracy", "val\naccuracy", PERCENT, when=one_label, spare=4),
    Column(
        lambda row: row["val_macro_f1"] if row["several_labels"] else None,
        "val\nmacro-F1",
        PERCENT,
        when="any",
        spare=4,
    ),
    Column("train_seconds", "training", SECONDS, spread=True),
    Column("warmup_seconds", "warm-up", SECONDS, spare=8),
    Column("predict_ms_per_image", "predict", IMAGE_TIME, spare=5),
    Column("parameters", "params", PARAMETERS, spare=7),
    Column("host_memory", "memory", BYTES, spare=6),
    Column("device_memory", "GPU mem.", BYTES, when="any", spare=6),
    Column(seeds_of, "seeds", label=True),
)


# depth

NO_ERROR = "Degradation is read off the error on train, 1 − accuracy, which there isn't with several labels an image."
DEGRADATION = (
    "Degradation means that a deeper plain net has the higher error on train too, which overfitting cannot explain."
)
# He et al.'s nets for ImageNet; those of other depths, for CIFAR-10, have a tenth of the channels: no line joins both.
WIDE = (18, 34, 50, 101, 152)
ONE_LINE = ("width", *HARDWARE, "preprocessing", "overrides")  # what nets that differ in depth alone share


def width(net: Row) -> str:
    return "wide" if net["depth"] in WIDE else "thin"


def _twins(plain: Row | None, residual: Row | None) -> Row:
    given = plain or residual or {}
    twins = {name: given[name] for name in (*DATA, *HARDWARE, "preprocessing", "overrides", "depth", "synthetic")}
    twins["several_labels"] = given["several_labels"]
    twins["width"] = width(given)
    twins["settings"], remarks = listed(json.loads(given["overrides"])), []
    for side, net in (("plain", plain), ("residual", residual)):
        net = net or {}
        twins |= {
            side: net.get("method"),
            f"{side}_seeds": net.get("seeds", []),
            f"{side}_train_n": net.get("train_n"),
        }
        for part in ("train", "test"):
            accuracy = net.get(f"{part}_accuracy")
            twins[f"{side}_{part}_error"] = None if accuracy is None else 1 - accuracy
            twins[f"{side}_{part}_error_sd"] = net.get(f"{part}_accuracy_sd")
        if net.get("interval_over"):
            twins[f"{side}_test_error_span"] = 1 - net["test_accuracy_high"], 1 - net["test_accuracy_low"]
        if net.get("remark"):
            remarks.append(f"{net['method']}: {net['remark']}")
    return {**twins, "remark": "; ".join(remarks)}


def settings_of_all(rows: Sequence[Row]) -> list[str]:
    """A line on the settings that every row has, for columns and labels that leave them out."""
    texts = {row["settings"] for row in rows}
    return [f"All with {text}." for text in texts if text and len(texts) == 1]


def _trend(twins: Sequence[Row]) -> list[str]:
    """A sentence for each kind of net with two depths and two seeds in each; else that there is no verdict."""
    said = []
    mixed, varied = (len({row[name] for row in twins}) > 1 for name in ("width", "settings"))
    for group in by(twins, ONE_LINE):
        for side in ("plain", "residual"):
            ends = [row for row in group if len(row[f"{side}_seeds"]) > 1 and row[f"{side}_train_error"] is not None]
            if len({row["depth"] for row in ends}) < 2:
                continue
            change = round(100 * (ends[-1][f"{side}_train_error"] - ends[0][f"{side}_train_error"]), 1)
            moves = f"{'rises' if change > 0 else 'falls'} by {abs(change)} points" if change else "stays the same"
            span = f"From {ends[0]['depth']} to {ends[-1]['depth']} layers"
            where = device_of(group[0]) + (f", {group[0]['settings']}" if varied and group[0]["settings"] else "")
            seeds = pair(*(len(row[f"{side}_seeds"]) for row in (ends[0], ends[-1])))
            nets = f"{group[0]['width']} {side} nets" if mixed else f"{side} nets"
            said.append(f"{span} the train error of {nets} {moves} on {where}; seeds: {seeds}.")
    if not said:
        return ["Figures, no verdict: that takes two seeds at two depths."]
    return said + ["The images are simulated, so no verdict rests on this."] * bool(twins[0]["synthetic"])


DEPTH = (
    Column("depth", "depth", COUNT, label=True),
    *LABELS,
    Column("settings", "settings", label=True, when="varies"),
    Column("plain", "plain\nnet"),
    Column("plain_train_error", "train\nerror", PERCENT, spread=True),
    Column("plain_test_error", "test\nerror", PERCENT, spread=True, spare=1),
    Column("residual", "residual\nnet"),
    Column("residual_train_error", "train\nerror", PERCENT, spread=True),
    Column("residual_test_error", "test\nerror", PERCENT, spread=True, spare=1),
    Column(lambda row: pair(row["plain_train_n"], row["residual_train_n"]), "n train\nscored", spare=2),
    Column(lambda row: pair(*(len(row[f"{side}_seeds"]) for side in ("plain", "residual"))), "seeds"),
)
