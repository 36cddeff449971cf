"""The contest of families: the best SVM, the best probe, the best net and the best of any other family, with the best
floor below them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.families import FAMILIES, Family, family_of
from .certainty import compare_rows, difference_shown, over_of, with_intervals
from .rows.ranking import best_on_val, main_figure
from .rows.row import FIGURES, HARDWARE, Row, grouped_by, time_counts

FEW_VAL = 100  # images of val below which it chooses no methods: the error of an accuracy may be five points and more
EXPECTED = ("svm", "probe", "deep", "floor")  # families whose absence is pointed out


@dataclass(frozen=True)
class Difference:
    """The difference between an entrant and the leader in a figure on test.

    value: the entrant's figure minus the leader's, as a fraction. low, high: ends of the paired 95 % interval, None if
    there is none. over: what was resampled for it. p: two-sided p value of no difference, not adjusted for other
    comparisons; None if there is none.
    """

    value: float
    low: float | None = None
    high: float | None = None
    over: str | None = None
    p: float | None = None

    @property
    def shown(self) -> bool | None:
        """Whether the entrant differs from the leader, see `difference_shown`; None with neither interval nor p."""
        return difference_shown(self.low, self.high, self.p)


@dataclass(frozen=True)
class Entrant:
    """The row that stands for a family: the one that is best on val, or that of the family's usual method.

    differences: differences from the leader, by figure; empty for the leader itself and for a row that was not trained
    enough.
    time_ratio: training time as a multiple of the leader's; None for the leader, and where times cannot be compared.
    """

    family: Family
    row: Row
    differences: Mapping[str, Difference]
    time_ratio: float | None

    @property
    def trained(self) -> bool:
        return not self.row.undertrained


@dataclass(frozen=True)
class Contest:
    """The entrants on one data set: the best on val first, then those that were not trained enough, floors last.

    Where val has fewer than FEW_VAL images, a family's entrant is its usual method with its default settings, if that
    is among the rows, and entrants stand in the order of FAMILIES.

    leader: the first entrant that is no floor and was trained enough, or None; all others are compared with it. rows:
    all rows that took part. missing: expected families without an entrant. figure: the metric that entrants are
    compared by, 'accuracy' or 'macro_f1'. few_val: the number of val images where they are too few to choose by, else
    None.
    """

    entrants: tuple[Entrant, ...]
    leader: Entrant | None
    rows: tuple[Row, ...]
    missing: tuple[Family, ...]
    figure: str
    few_val: int | None = None

    def of(self, family: str) -> Entrant | None:
        return next((one for one in self.entrants if one.family.name == family), None)

    @property
    def leading_floor(self) -> Entrant | None:
        """The floor, if it is ahead of the leader on val."""
        floors = [one for one in self.entrants if not one.family.contender]
        best = max(floors, key=lambda one: one.row.value("macro_f1", "val"), default=None)
        if best is None or self.leader is None or self.few_val is not None:
            return None
        return best if best.row.value("macro_f1", "val") > self.leader.row.value("macro_f1", "val") else None


def better_on_test(contest: Contest, one: Entrant) -> Row | None:
    """Return the row of the entrant's family that is furthest ahead of it on test, where val has too few images.

    None if none is shown to be ahead, or val has images enough to choose by.
    """
    rows = [row for row in contest.rows if row.family == one.row.family and same_hardware(row, one.row)]
    ahead = [row for row in rows if row.metric(contest.figure) is not None and not row.undertrained]
    best = max(ahead, key=lambda row: row.value(contest.figure), default=one.row)
    if best is one.row or not one.trained or contest.few_val is None:
        return None
    found = compare_rows(one.row, best, contest.figure)
    return best if found and found.interval and found.interval.low > 0 else None


def contests(rows: Sequence[Row]) -> list[Contest]:
    """Return a contest for each hardware that one data set was run on.

    A family without a result on some hardware takes part with its best from elsewhere: from other devices and thread
    counts of the same machine first, then from other machines. Times are not compared then. Where one contest has all
    entrants of another, only the larger one is kept. A machine's contest is also left out where another machine ran
    the same families and more, and its leader is better on val.
    """
    groups = grouped_by(rows, HARDWARE)
    fields = [_with_neighbours(group, rows) for group in groups]
    best = [_best_of_families(field) for field in fields]
    there = [_best_of_families(group) for group in groups]
    numbers = range(len(groups))
    kept = [i for i in numbers if not any(_covers(best, j, i) or _outdoes(there[j], there[i]) for j in numbers)]
    return [_contest(best[i], fields[i]) for i in kept]


def _outdoes(rows: Sequence[Row], others: Sequence[Row]) -> bool:
    """Whether the contest of `others`, on another machine, adds nothing to that of `rows`.

    This is so if `rows` have all families of `others` and more, and a leader that is at least as good on val.
    """
    if not rows or not others or rows[0].machine == others[0].machine:
        return False
    families, of_others = ({row.family for row in side} for side in (rows, others))
    return families > of_others and _leading(rows) >= _leading(others)


def _leading(rows: Sequence[Row]) -> float:
    """Return the best macro-F1 on val among rows that are no floor and were trained enough, 0 if there are none."""
    fit = (row for row in rows if family_of(row.family).contender and not row.undertrained)
    return max((row.value("macro_f1", "val") for row in fit), default=0.0)


def _with_neighbours(group: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    field = list(group)
    machine = group[0].machine
    for elsewhere in ([row for row in rows if row.machine == machine], rows):
        there = {row.family for row in _best_of_families(field)}
        field += [row for row in elsewhere if row.family not in there]
    return field


def _best_of_families(rows: Sequence[Row]) -> list[Row]:
    """Return the row that stands for each family."""
    families = dict.fromkeys(row.family for row in rows)
    few_val = _few_val(rows)
    best = [_best_of([row for row in rows if row.family == family], few_val) for family in families]
    return [row for row in best if row]


def _best_of(rows: Sequence[Row], few_val: int | None) -> Row | None:
    usual = [row for row in rows if is_usual(row) and not row.undertrained] if few_val is not None else []
    return best_on_val(usual) or best_on_val(rows)


def is_usual(row: Row) -> bool:
    """Whether a row is of its family's usual method with the default settings."""
    return row.method == family_of(row.family).usual and row.overrides == "{}"


def _few_val(rows: Sequence[Row]) -> int | None:
    """Return the number of val images if it is known and too small to choose methods by, else None."""
    most = max((row.n_val for row in rows if row.n_val), default=FEW_VAL)
    return most if most < FEW_VAL else None


def _covers(best: Sequence[Sequence[Row]], j: int, i: int) -> bool:
    """Whether contest j has every entrant of contest i, and has more of them or comes first."""
    ours, theirs = ({id(row) for row in best[k]} for k in (i, j))
    return ours < theirs or (ours == theirs and j < i)


def _contest(best: Sequence[Row], field: Sequence[Row]) -> Contest:
    figure, few_val = main_figure(field), _few_val(field)
    ordered = with_intervals(sorted(best, key=_place if few_val is None else _place_of_family), figure)
    leader = next((row for row in ordered if family_of(row.family).contender and not row.undertrained), None)
    entrants = tuple(_entrant(row, leader) for row in ordered)
    ran = {one.family.name for one in entrants}
    return Contest(
        entrants,
        next((one for one in entrants if one.row is leader), None),
        tuple(field),
        tuple(FAMILIES[name] for name in EXPECTED if name not in ran),
        figure,
        few_val,
    )


def _place(row: Row) -> tuple[bool, bool, float]:
    return not family_of(row.family).contender, bool(row.undertrained), -row.value("macro_f1", "val")


def _place_of_family(row: Row) -> tuple[bool, bool, int]:
    order = list(FAMILIES)
    at = order.index(row.family) if row.family in order else len(order)
    return not family_of(row.family).contender, bool(row.undertrained), at


def _entrant(row: Row, leader: Row | None) -> Entrant:
    family = family_of(row.family)
    if leader is None or row is leader:
        return Entrant(family, row, {}, None)
    differences = {} if row.undertrained else _differences(row, leader)
    return Entrant(family, row, differences, time_ratio(row, leader))


def _differences(row: Row, leader: Row) -> dict[str, Difference]:
    found = {}
    for figure in FIGURES:
        ours, theirs = row.metric(figure), leader.metric(figure)
        if ours is None or theirs is None:
            continue
        compared = compare_rows(leader, row, figure)
        span = compared.interval if compared else None
        found[figure] = Difference(
            ours - theirs,
            span.low if span else None,
            span.high if span else None,
            over_of(row, span),
            compared.p if compared else None,
        )
    return found


def time_ratio(row: Row, other: Row) -> float | None:
    """Return the training time as a multiple of another row's, or None if times are not comparable or not known."""
    if not (same_hardware(row, other) and time_counts(row) and time_counts(other)):
        return None
    return row.train_seconds / other.train_seconds if row.train_seconds and other.train_seconds else None


def same_hardware(row: Row, other: Row) -> bool:
    return all(row[name] == other[name] for name in HARDWARE)
