"""Plain and residual nets by depth: does training error rise with depth, and do shortcuts help?"""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ....results.rows.row import DATA, HARDWARE, Line, Row, grouped_by, one_label
from ....results.rows.settings import listed
from ...captions import LABELS, deviation_of, device_of, get_one, not_shown, pair, title_of
from ..table import COUNT, PERCENT, Column, Table, entries

NO_ERROR = "Degradation is read off the error on train, 1 − accuracy, which there isn't with several labels an image."
DEGRADATION = (
    "Degradation means that a deeper plain net has the higher error on train too, which overfitting cannot explain."
)
# He et al.'s nets for ImageNet; those of other depths, for CIFAR-10, have a tenth of the channels: no line joins both.
WIDE = (18, 34, 50, 101, 152)
SHARED = (*DATA, *HARDWARE, "preprocessing", "overrides", "depth", "synthetic", "several_labels")
ONE_LINE = ("width", *HARDWARE, "preprocessing", "overrides")  # the same for nets that differ in depth alone
KINDS = ("plain", "residual")


def is_of_depth(row: Row) -> bool:
    """Return whether the row is of a plain or residual net with random weights."""
    return bool(row["depth"]) and row["shortcuts"] is not None and not row["pretrained"]


def width(net: Line) -> str:
    return "wide" if net["depth"] in WIDE else "thin"


def depth(rows: Sequence[Row], left_out: Sequence[Line] = ()) -> Table:
    """Return a table of plain nets beside residual nets of the same depth, with their errors on train and test.

    It shows whether training error rises with depth, and whether shortcuts help. Pretrained nets are left out.
    left_out: rows of the same data that are not shown; a note names them if there is no net to show.
    """
    nets = [row for row in rows if is_of_depth(row)]
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
    twins = twins_of(nets)
    lines = [one.line for one in twins]
    notes = (*deviation_of(lines), *settings_of_all(lines), DEGRADATION, *_trend(twins))
    return Table("depth", title, DEPTH, tuple(lines), notes)


@dataclass(frozen=True)
class Errors:
    """A net's errors, 1 − accuracy, as fractions, with their deviations over seeds; None for what it lacks.

    test_error_span: the ends of the interval on test. train_n: how many training images were scored.
    """

    seeds: Sequence[int] = field(default_factory=list)
    train_n: int | None = None
    train_error: float | None = None
    train_error_sd: float | None = None
    test_error: float | None = None
    test_error_sd: float | None = None
    test_error_span: tuple[float, float] | None = None


@dataclass(frozen=True)
class NetErrors:
    """One net of a pair; method: None if there is no such net."""

    method: str | None = None
    errors: Errors = field(default_factory=Errors)
    remark: str = ""

    @classmethod
    def of(cls, row: Row | None) -> "NetErrors":
        """Return the net of a row; without one, a net that lacks everything."""
        if row is None:
            return cls()
        train, test = row.metric("accuracy", "train"), row.metric("accuracy")
        span = (1 - row["test_accuracy_high"], 1 - row["test_accuracy_low"]) if row.get("interval_over") else None
        errors = Errors(
            seeds=row["seeds"],
            train_n=row.get("train_n"),
            train_error=None if train is None else 1 - train,
            train_error_sd=row.deviation("accuracy", "train"),
            test_error=None if test is None else 1 - test,
            test_error_sd=row.deviation("accuracy"),
            test_error_span=span,
        )
        return cls(row.method, errors, f"{row.method}: {row.remark}" if row.remark else "")


@dataclass(frozen=True)
class Twins:
    """A plain and a residual net of the same depth and settings on the same hardware; one of the two may be missing.

    facts: what both share, by the keys of a line.
    """

    facts: Line
    nets: Mapping[str, NetErrors]

    @property
    def line(self) -> Line:
        """The twins as a line of the table; keys of a net begin with 'plain_' or 'residual_'."""
        line = dict(self.facts)
        for kind, net in self.nets.items():
            line |= {kind: net.method, **entries(kind, net.errors)}
        return {**line, "remark": "; ".join(net.remark for net in self.nets.values() if net.remark)}


def twins_of(nets: Sequence[Row]) -> list[Twins]:
    """Return plain and residual nets in pairs, by hardware, preprocessing, settings and depth."""
    twins = []
    for group in grouped_by(nets, (*HARDWARE, "preprocessing", "overrides", "depth")):
        kinds = ([net for net in group if net["shortcuts"] == shortcuts] for shortcuts in (False, True))
        for plain, residual in itertools.zip_longest(*kinds):
            given = plain or residual
            facts = {name: given[name] for name in SHARED}
            facts |= {"width": width(given), "settings": listed(json.loads(given["overrides"]))}
            twins.append(Twins(facts, {"plain": NetErrors.of(plain), "residual": NetErrors.of(residual)}))
    return twins


def by_line(twins: Sequence[Twins]) -> list[list[Twins]]:
    """Return the groups of twins that differ in depth alone, which a line of a chart joins, from shallow to deep."""
    groups = grouped_by([{**one.facts, "twins": one} for one in twins], ONE_LINE)
    return [[row["twins"] for row in group] for group in groups]


def settings_of_all(rows: Sequence[Line]) -> list[str]:
    """Return a line on the settings, in a list, if all rows have the same; columns and labels then leave them out."""
    texts = {row["settings"] for row in rows}
    return [f"All with {text}." for text in texts if text and len(texts) == 1]


def _trend(twins: Sequence[Twins]) -> list[str]:
    """Return a sentence on how training error changes from the shallowest to the deepest net, for each kind of net.

    A kind needs two depths with at least two seeds each; without such a kind the one sentence says that there is no
    verdict.
    """
    sentences = []
    mixed, varied = (len({one.facts[name] for one in twins}) > 1 for name in ("width", "settings"))
    for group in by_line(twins):
        facts = group[0].facts
        for kind in KINDS:
            measured = [
                (one.facts["depth"], len(errors.seeds), errors.train_error)
                for one in group
                if len((errors := one.nets[kind].errors).seeds) > 1 and errors.train_error is not None
            ]
            if len({depth for depth, *_ in measured}) < 2:
                continue
            (shallow, few, before), (deep, many, after) = measured[0], measured[-1]
            change = round(100 * (after - before), 1)
            moves = f"{'rises' if change > 0 else 'falls'} by {abs(change)} points" if change else "stays the same"
            where = device_of(facts) + (f", {facts['settings']}" if varied and facts["settings"] else "")
            nets = f"{facts['width']} {kind} nets" if mixed else f"{kind} nets"
            sentences.append(
                f"From {shallow} to {deep} layers the train error of {nets} {moves} on {where}; "
                f"seeds: {pair(few, many)}."
            )
    if not sentences:
        return ["Figures, no verdict: that takes two seeds at two depths."]
    if twins[0].facts["synthetic"]:
        sentences += ["The images are simulated, so no verdict rests on this."]
    return sentences


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
    Column(lambda row: pair(len(row["plain_seeds"]), len(row["residual_seeds"])), "seeds"),
)
