"""Plain and residual nets by depth: does training error rise with depth, and do shortcuts help?"""

import itertools
import json
from collections.abc import Sequence

from ...results.row_settings import listed
from ...results.rows import DATA, HARDWARE, Line, Row, by, one_label
from ..captions import LABELS, deviation_of, device_of, get_one, not_shown, pair, title_of
from .table import COUNT, PERCENT, Column, Table

NO_ERROR = "Degradation is read off the error on train, 1 − accuracy, which there isn't with several labels an image."
DEGRADATION = (
    "Degradation means that a deeper plain net has the higher error on train too, which overfitting cannot explain."
)
# He et al.'s nets for ImageNet; those of other depths, for CIFAR-10, have a tenth of the channels: no line joins both.
WIDE = (18, 34, 50, 101, 152)
ONE_LINE = ("width", *HARDWARE, "preprocessing", "overrides")  # the same for nets that differ in depth alone


def width(net: Line) -> str:
    return "wide" if net["depth"] in WIDE else "thin"


def depth(rows: Sequence[Row], left_out: Sequence[Line] = ()) -> Table:
    """Return a table of plain nets beside residual nets of the same depth, with their errors on train and test.

    It shows whether training error rises with depth, and whether shortcuts help. Pretrained nets are left out.
    left_out: rows of the same data that are not shown; a note names them if there is no net to show.
    """
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


def _twins(plain: Row | None, residual: Row | None) -> Line:
    given: Line = plain or residual or {}
    twins = {name: given[name] for name in (*DATA, *HARDWARE, "preprocessing", "overrides", "depth", "synthetic")}
    twins["several_labels"] = given["several_labels"]
    twins["width"] = width(given)
    twins["settings"], remarks = listed(json.loads(given["overrides"])), []
    sides: dict[str, Line] = {"plain": plain or {}, "residual": residual or {}}
    for side, net in sides.items():
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


def settings_of_all(rows: Sequence[Line]) -> list[str]:
    """Return a line on the settings, in a list, if all rows have the same; columns and labels then leave them out."""
    texts = {row["settings"] for row in rows}
    return [f"All with {text}." for text in texts if text and len(texts) == 1]


def _trend(twins: Sequence[Line]) -> list[str]:
    """Return a sentence on how training error changes from the shallowest to the deepest net, for each kind of net.

    A kind needs two depths with at least two seeds each; without such a kind the one sentence says that there is no
    verdict.
    """
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
