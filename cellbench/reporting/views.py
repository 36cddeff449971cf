"""What is worth seeing in a frame of results: pure functions from the rows of one data set to a table."""

import dataclasses
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..core.words import counted, signed
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
    intervals_of,
    is_disturbed,
    limit_of,
    marked,
    name_of,
    one_label,
    pair,
    seeds_of,
    title_of,
)
from .certainty import FIGURES, compare_rows, over_of, with_certainty
from .choosing import chosen, lines_chosen, own
from .classes import per_class
from .efficiency import ACCURACY, efficiency, memory_of
from .parity import parity
from .pooling import BELOW_TWICE_CHANCE, DATA, HARDWARE, by, listed, pool, with_settings
from .ranking import best_on_val, main_figure, ranked, stands_out
from .scaling import SCOPE, scaling
from .table import (
    BYTES,
    COUNT,
    IMAGE_TIME,
    PARAMETERS,
    PERCENT,
    POINTS,
    RATIO,
    SECONDS,
    Column,
    Row,
    Table,
    two_digits,
)


def tables(frame: pd.DataFrame, view: str = "all", conditions: Sequence[str] = ()) -> list[Table]:
    """The tables of one of VIEWS, or of all that aren't for those who ask, a table for each group that it speaks of.

    Data sets with several labels an image come last: their figures are others. conditions: of rows, see `where`.
    """
    names = [name for name in VIEWS if name == view or (view == "all" and not VIEWS[name].on_request)]
    late = own(conditions, [column for name in names for column in VIEWS[name].own])
    rows = chosen(pool(frame), [condition for condition in conditions if condition not in late])
    found = [
        _explained(VIEWS[name].table(group), group) for name in names for group in _groups(rows, VIEWS[name].scope)
    ]
    return lines_chosen(found, late)


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


def svm_vs_deep(rows: Sequence[Row]) -> Table:
    """The best SVM against the best net, both chosen by macro-F1 on val, judged on test.

    On the same device where both ran there; else across the devices of one machine, and then times are not compared.
    """
    alone = len({row["machine"] for row in rows}) == 1
    duels = [_duel(group, alone) for group in _arenas(rows)]
    n = fact_of(rows, "n_test")
    judged = f", judged on {counted(n, 'test image')}" if n else ""
    title = f"{title_of(rows)}: best SVM against best net, chosen by macro-F1 on val{judged}"
    return Table(
        "svm-vs-deep",
        title,
        marked(DUEL, duels),
        tuple(duels),
        (RATIOS, *intervals_of(duels, " of gaps"), *absent_of(rows), *(duel["sentence"] for duel in duels)),
    )


def depth(rows: Sequence[Row]) -> Table:
    """Plain nets and their residual twins by depth: does training error rise with depth, and do shortcuts help?"""
    nets = [row for row in rows if row["depth"] and row["shortcuts"] is not None and not row["pretrained"]]
    title = f"{title_of(rows)}: depth against degradation"
    if not one_label(rows):
        return Table("depth", title, (), (), (NO_ERROR,))
    if not nets:
        note = "No plain or residual net is among these runs; " + get_one(rows[0], "plain18 resnet18")
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
    or limits, so it takes every run. own: what its rows have and results have not, for conditions."""

    table: Callable[[Sequence[Row]], Table]
    scope: tuple[str, ...] = DATA
    on_request: bool = False
    every_run: bool = False
    own: tuple[str, ...] = ()


VIEWS = {
    "leaderboard": View(leaderboard),
    "svm-vs-deep": View(svm_vs_deep),
    "depth": View(depth),
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


# svm-vs-deep

SIDES = {"svm": ("svm", "the best SVM", "svm-hog"), "net": ("deep", "the best net", "resnet18")}
RATIOS = (
    "×: net / SVM, in training time, prediction time an image and peak memory (libraries included). Seeds: SVM / net."
)
COMPARED = ("val_macro_f1", "test_accuracy", "test_macro_f1", "train_seconds", "predict_ms_per_image", "memory")


def _arenas(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that may meet: of one device; nets without an SVM on their device meet those of their machine."""
    arenas = []
    for group in by(rows, HARDWARE):
        families = {row["family"] for row in group}
        neighbours = [row for row in rows if row["machine"] == group[0]["machine"] and row not in group]
        if families == {"deep"}:
            arenas.append([*group, *(row for row in neighbours if row["family"] == "svm")])
        elif families == {"deep", "svm"} or not any(row["family"] == "deep" for row in neighbours):
            arenas.append(group)
    return arenas


def _duel(rows: Sequence[Row], alone: bool) -> Row:
    best = {side: best_on_val([row for row in rows if row["family"] == family]) for side, (family, *_) in SIDES.items()}
    duel: dict[str, Any] = {name: rows[0][name] for name in (*DATA, *HARDWARE)}
    devices = [row["device"] for row in best.values() if row]
    apart = len(set(devices)) > 1
    if apart:
        duel["device"] = " / ".join(devices)
    duel |= {name: any(row[name] for row in rows) for name in ("synthetic", "several_labels")}
    duel["n_test"] = fact_of(rows, "n_test")
    for side, row in best.items():
        duel |= {side: row.get("method"), f"{side}_settings": row.get("settings"), f"{side}_params": row.get("params")}
        duel |= {f"{side}_pretrained": row.get("pretrained"), f"{side}_seeds": row.get("seeds", [])}
        for name in (*COMPARED, "test_accuracy_sd", "test_macro_f1_sd"):
            duel[f"{side}_{name}"] = row.get(name) if name != "memory" else memory_of(row)
    for name in FIGURES:
        duel |= _gap(best, name, _both(duel, f"test_{name}", lambda svm, net: net - svm))
    duel["interval_over"] = duel[f"test_{main_figure(rows)}_gap_over"]
    duel["disturbed"] = any(is_disturbed(row) for row in best.values() if row)
    for name in ("train_seconds", "predict_ms_per_image", "memory"):
        unlike = apart or (duel["disturbed"] and name != "memory")
        duel[f"{name}_ratio"] = None if unlike else _both(duel, name, lambda svm, net: net / svm if svm else None)
    duel["remark"] = "; ".join(f"{row['method']}: {row['remark']}" for row in best.values() if row.get("remark"))
    hardware = {"cuda": "GPU"}.get(duel["device"], duel["device"]) + ("" if alone else f" of {duel['machine']}")
    return {**duel, "sentence": _sentence(duel, name_of(rows), hardware)}


def _gap(best: Mapping[str, Row], name: str, gap: float | None) -> Row:
    """The gap with its interval, what that was drawn over, and p of no gap, as far as there are."""
    found = None if gap is None else compare_rows(best["svm"], best["net"], name)
    span, named = found.interval if found else None, f"test_{name}_gap"
    return {
        named: gap,
        f"{named}_low": span.low if span else None,
        f"{named}_high": span.high if span else None,
        f"{named}_over": over_of(best["svm"], span),
        f"{named}_p": found.p if found else None,
    }


def _both(duel: Mapping[str, Any], name: str, compare: Callable[[float, float], float | None]) -> float | None:
    svm, net = duel[f"svm_{name}"], duel[f"net_{name}"]
    return None if svm is None or net is None else compare(svm, net)


def _sentence(duel: Mapping[str, Any], name: str, hardware: str) -> str:
    told = [f"split {duel['split']}"] if duel["split"] != "official" else []
    told += limit_of(duel)
    where = ", ".join([f"On {name}", *told]) + "," * bool(told)
    simulated = ": simulated images, so no verdict rests on them" * duel["synthetic"]
    missing = [side for side in SIDES if duel[side] is None]
    if missing:
        what = " nor ".join(SIDES[side][1].replace("the best ", "") for side in missing)
        methods = " ".join(SIDES[side][2] for side in missing)
        neither = "neither " * (len(missing) > 1) or "no "
        return f"{where} {neither}{what} is among these runs on the {hardware}; {get_one(duel, methods)}"
    ratio = duel["train_seconds_ratio"]
    if duel["test_accuracy_gap"] is None:
        gap, figure = round(100 * duel["test_macro_f1_gap"], 1), " in macro-F1" + _span(duel, "test_macro_f1_gap")
        versus = f"{abs(gap)} points {'above' if gap > 0 else 'below'}" if gap else "level with"
    else:
        gap, figure = round(100 * duel["test_accuracy_gap"], 1), _span(duel, "test_accuracy_gap")
        versus = f"{abs(gap)} points {'more' if gap > 0 else 'less'} accurate than" if gap else "as accurate as"
    apart = " (they ran on different devices, so times and memory are not compared)" * (" / " in duel["device"])
    apart = apart or " (other programs were at work as well, so times are not compared)" * duel["disturbed"]
    time = f" and takes {ratio:,.{two_digits(ratio)}f} × its training time on the same {hardware}" if ratio else ""
    svm, net = (_contender(duel, side) for side in SIDES)
    return f"{where} the best net ({net}) is {versus} the best SVM ({svm}){figure}{time}{apart}{simulated}."


def _span(duel: Mapping[str, Any], gap: str) -> str:
    if duel[f"{gap}_low"] is None:
        return ""
    low, high = (signed(100 * duel[f"{gap}_{end}"]) for end in ("low", "high"))
    return f" (95 % interval over {duel[f'{gap}_over']}: {low} to {high})"


def _contender(duel: Mapping[str, Any], side: str) -> str:
    told = (duel[side], duel[f"{side}_settings"], "pretrained" if duel[f"{side}_pretrained"] else "")
    return ", ".join(filter(None, told))


DUEL = (
    *LABELS,
    Column(lambda duel: _contender(duel, "svm"), "SVM"),
    Column(lambda duel: _contender(duel, "net"), "net"),
    Column("svm_test_accuracy", "SVM\naccuracy", PERCENT, when=one_label),
    Column("net_test_accuracy", "net\naccuracy", PERCENT, when=one_label),
    Column("test_accuracy_gap", "gap", POINTS, spread=half("test_accuracy_gap"), when=one_label),
    Column("svm_test_macro_f1", "SVM\nmacro-F1", PERCENT, spare=1),
    Column("net_test_macro_f1", "net\nmacro-F1", PERCENT, spare=1),
    Column("test_macro_f1_gap", "gap", POINTS, spread=half("test_macro_f1_gap"), spare=1),
    Column("train_seconds_ratio", "training", RATIO),
    Column("predict_ms_per_image_ratio", "predict", RATIO, spare=2),
    Column("memory_ratio", "memory", RATIO, spare=3),
    Column(lambda duel: pair(*(len(duel[f"{side}_seeds"]) for side in SIDES)), "seeds"),
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
