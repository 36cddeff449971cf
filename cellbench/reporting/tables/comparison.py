"""Two folders of results: what became faster, slower, more or less accurate, new or gone."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ...core.text.words import counted, printed_difference
from ...results.certainty import compare_rows, difference_shown, log_time, over_of
from ...results.results import Results
from ...results.rows.ranking import main_figure, main_title
from ...results.rows.row import DATA, Line, Row, grouped_by, time_counts
from ...results.rows.settings import with_settings
from ...results.statistics.comparisons import compare_over_seeds
from ...results.statistics.rare import FEWEST_IMAGES
from ..captions import device_of, half_interval, intervals_of, limit_of, marked, name_of, seeds_of
from .table import PERCENT, POINTS, SECONDS, Column, NumberFormat, Table, entries

ASKED = (*DATA, "preprocessing", "method", "params", "deterministic", "device")
PLACE = ("machine", "threads")
HARDWARE = (*PLACE, "processor", "gpu")
NOISE = 0.1  # a relative change of a time that is taken as noise where too few seeds show how it varies
TIMES = NumberFormat(digits=2)
SLOWER, LESS, FAILS = "slower", "less accurate", "no longer ok"
FEW_SEEDS = "too few seeds"


@dataclass(frozen=True)
class Limits:
    """The largest changes for the worse that are accepted; None: any change is.

    time: how much longer training may take, as a fraction of before. accuracy: how much may be lost, as a fraction.
    """

    time: float | None = None
    accuracy: float | None = None


def compare(before: Results, after: Results) -> Table:
    """Return a table with the rows of two folders of results side by side, see `compared`."""
    rows = compared(before, after)
    tally = Counter(word for row in rows for word in row["outcome"].split(", "))
    title = f"{counted(len(rows), 'row')}: {', '.join(f'{n} {word}' for word, n in tally.most_common())}"
    return Table("compare", title, marked(COLUMNS, rows), tuple(rows), tuple(_notes(rows)))


def compared(before: Results, after: Results) -> list[Line]:
    """Return a line for each pair of rows with the same data, settings and device, and for each row without a partner.

    Rows of the same machine and threads meet first; those left over meet across machines, where times aren't compared.
    outcome: 'same', 'new', 'gone', 'no longer ok', 'now ok'; or 'more accurate', 'less accurate', 'too few seeds' (the
    figure changed, as it might with another seed), 'faster', 'slower', two of them with a comma between. What got worse
    comes first.
    """
    rows = with_settings(
        [row.having(side=side) for side, results in enumerate((before, after)) for row in results.rows]
    )
    pairs = [couple for group in grouped_by(rows, ASKED) for couple in _couples(group)]
    return sorted((_compared(old, new) for old, new in pairs), key=_weight)


def _weight(row: Line) -> int:
    """Return the place of a line in the table: what got worse first, then what got better, new, gone and unchanged.

    Rows that are no longer ok come before all others; 'now ok' counts as better.
    """
    ranks = (LESS in row["outcome"], SLOWER in row["outcome"])
    last = {FAILS: -9, FEW_SEEDS: 1, "new": 2, "gone": 3, "same": 4}
    return last.get(row["outcome"], -2 * ranks[0] - ranks[1])


def _couples(rows: Sequence[Row]) -> list[tuple[Row | None, Row | None]]:
    couples: list[tuple[Row | None, Row | None]] = []
    left: tuple[list[Row], list[Row]] = [], []
    for group in grouped_by(rows, PLACE):
        old, new = ([row for row in group if row["side"] == side] for side in (0, 1))
        n = min(len(old), len(new))
        couples += zip(old[:n], new[:n], strict=True)
        left[0].extend(old[n:])
        left[1].extend(new[n:])
    return couples + list(itertools.zip_longest(*left))


@dataclass(frozen=True)
class Change:
    """How a figure changed. value: the difference or the ratio, None where there is nothing to compare.

    low, high: the ends of its 95 % interval, None where there is none. over: what the interval was drawn over. p: of no
    change, None where it was not tested; scores of images of which a class has too few are tested without an interval.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    over: str | None = None
    p: float | None = None

    def is_shown(self, unchanged: float) -> bool | None:
        """Return whether it differs from `unchanged`, the value for no change; None with neither interval nor p."""
        return difference_shown(self.low, self.high, self.p, unchanged)


def _compared(old: Row | None, new: Row | None) -> Line:
    given = new or old
    assert given
    figure = main_figure([given])
    same_hardware = all(old[name] == new[name] for name in HARDWARE) if old and new else None
    same_phases = old["val_in_fit"] == new["val_in_fit"] if old and new else None
    disturbed = not all(time_counts(row) for row in (old, new) if row)
    score = _score_change(old, new) if old and new else Change()
    time = _time_change(old, new) if old and new and same_hardware and same_phases and not disturbed else Change()
    return {
        **{name: given[name] for name in (*ASKED, "settings", "overrides", "threads", "synthetic", "several_labels")},
        "machine": " / ".join(dict.fromkeys(row.machine for row in (old, new) if row)),
        **entries("before", Side.of(old, figure)),
        **entries("after", Side.of(new, figure)),
        "same_hardware": same_hardware,
        "disturbed": disturbed,
        "same_phases": same_phases,
        "score_change": score.value,
        "score_change_low": score.low,
        "score_change_high": score.high,
        "score_change_p": score.p,
        "interval_over": score.over,
        "time_ratio": time.value,
        "time_ratio_low": time.low,
        "time_ratio_high": time.high,
        "outcome": _outcome(old, new, score, time),
        "remark": "" if new is None or new.status == "ok" else new.remark,
    }


@dataclass(frozen=True)
class Side:
    """A row as one side of a line, before or after; None for what it lacks. score: the main figure on test."""

    train_seconds: float | None = None
    status: str | None = None
    version: str | None = None
    backend: str | None = None
    score: float | None = None
    seeds: str | None = None
    files: Sequence[str] = field(default_factory=list)
    processor: str | None = None
    gpu: str | None = None

    @classmethod
    def of(cls, row: Row | None, figure: str) -> "Side":
        """Return the side of a row, whose score is the metric `figure`; without a row, one that lacks everything."""
        if row is None:
            return cls()
        names = ("train_seconds", "status", "version", "backend", "processor", "gpu")
        kept = {name: row.get(name) for name in names}
        return cls(**kept, score=row.metric(figure), seeds=seeds_of(row), files=row.files)


def _score_change(old: Row, new: Row) -> Change:
    """Return the change in accuracy on test, as a fraction, or in macro-F1 where images have several labels."""
    figure = main_figure([new])
    before, after = old.metric(figure), new.metric(figure)
    if before is None or after is None:
        return Change()
    found = compare_rows(old, new, figure)
    if found is None:
        return Change(after - before)
    span = found.interval
    return Change(after - before, span.low if span else None, span.high if span else None, over_of(new, span), found.p)


def _time_change(old: Row, new: Row) -> Change:
    """Return the training time after as a multiple of that before.

    With three seeds or more on both sides it has Welch's interval, computed on the logarithms of times.
    """
    if not old.train_seconds or not new.train_seconds:
        return Change()
    ratio = new.train_seconds / old.train_seconds
    found = compare_over_seeds(log_time(old), log_time(new), "train_seconds")
    span = found.interval if found else None
    return Change(ratio, math.exp(span.low), math.exp(span.high), span.over) if span else Change(ratio)


def _outcome(old: Row | None, new: Row | None, score: Change, time: Change) -> str:
    if old is None or new is None:
        return "new" if old is None else "gone"
    if "ok" in (old.status, new.status) and old.status != new.status:
        return FAILS if old.status == "ok" else "now ok"
    words = []
    if score.value and score.is_shown(0) is not False:  # where nothing could be tested any change counts
        few = old.too_few_seeds or new.too_few_seeds
        words.append(FEW_SEEDS if few else LESS if score.value < 0 else "more accurate")
    if time.value:
        beyond_noise = max(time.value, 1 / time.value) > 1 + NOISE
        if beyond_noise if time.is_shown(1) is None else time.is_shown(1):
            words.append(SLOWER if time.value > 1 else "faster")
    return ", ".join(words) or "same"


def too_much(rows: Iterable[Line], limits: Limits) -> list[str]:
    """Return a line for each row that got slower or less accurate by more than the limits, or that is no longer ok."""
    lines = []
    for row in rows:
        words = row["outcome"].split(", ")
        what = []
        if limits.time is not None and SLOWER in words and row["time_ratio"] > 1 + limits.time:
            what.append(f"takes {row['time_ratio']:.2f} × the time")
        if limits.accuracy is not None and LESS in words and -row["score_change"] > limits.accuracy:
            figure = main_title([row])
            what.append(f"loses {-100 * row['score_change']:.1f} points of {figure}")
        if FAILS in words:
            what.append(f"is no longer ok: {row['remark']}")
        place = [row["dataset"], f"split {row['split']}", *limit_of(row), row["device"]]
        named = ", ".join(filter(None, [row["method"], row["settings"], *place]))
        lines += [f"{named}: {' and '.join(what)}"] if what else []
    return lines


def _notes(rows: Sequence[Line]) -> Iterator[str]:
    if any(FEW_SEEDS in row["outcome"] for row in rows):
        yield (
            f"{FEW_SEEDS}: the trained models differ on test, as those of two seeds may; three seeds on both sides "
            "(--seeds 0-2) tell whether the method changed. --fail-on passes over such rows."
        )
    if any(row["several_labels"] for row in rows):
        yield "test: accuracy; of several labels an image macro-F1."
    yield from intervals_of(rows, " of changes")
    without = [row for row in rows if row["score_change"] and row["interval_over"] is None]
    if any(row["score_change_p"] is None for row in without):
        yield "A change without ±: no predictions of both on the same images, nor three seeds each; any change counts."
    if any(row["score_change_p"] is not None for row in without):
        yield (
            f"A change without ± where a class has fewer than {FEWEST_IMAGES} test images, too few for an interval: it "
            "counts where the test of the same images, by swaps, has p of at most 0.05."
        )
    if any(row["time_ratio"] for row in rows):
        yield (
            "×: training time after / before; ± half of its 95 % interval over seeds, from three of each on. Without "
            f"it a change beyond {100 * NOISE:.0f} % counts."
        )
    if any(row["same_hardware"] is False for row in rows):
        yield "Times are not compared where machine, threads, processor or GPU differ: they would tell of the hardware."
    if any(row["same_phases"] is False for row in rows):
        yield "Times are not compared where only the older record counts the scoring of val as training."
    if any(row["disturbed"] for row in rows):
        yield (
            "Times are not compared where other programs had more than a tenth of the processors while one was taken, "
            "other runs shared the machine (--jobs), or that is unknown."
        )
    before, after = ({row[name] for row in rows if row[name]} for name in ("before_version", "after_version"))
    if before and after and before != after:
        yield f"versions: {', '.join(sorted(before))} before, {', '.join(sorted(after))} after"


def _content_varies(rows: Sequence[Line]) -> bool:
    """Return whether two data sets share a name, so that only their content shows why their rows are not compared."""
    return len({row["fingerprint"] for row in rows}) > len({row["dataset"] for row in rows})


def _data(row: Line) -> str:
    return name_of([row])


def _limit(row: Line) -> str:
    return f"{row['limit']:,}" if row["limit"] else "all"


def _change(row: Line) -> float | None:
    """Return the change of the score as it follows from the two that are printed."""
    if row["score_change"] is None:
        return None
    return printed_difference(row["after_score"], row["before_score"])


def _seeds(row: Line) -> str:
    return " / ".join(dict.fromkeys(filter(None, (row["before_seeds"], row["after_seeds"]))))


COLUMNS = (
    Column(_data, "data set", label=True),
    Column(lambda row: row["fingerprint"][:8], "content", label=True, when=_content_varies),
    Column("split", "split", label=True, when="varies"),
    Column(_limit, "limit", label=True, when="varies"),
    Column("method", "method", label=True),
    Column("settings", "settings", label=True, when="any"),
    Column(device_of, "device\n(threads)", label=True),
    Column("machine", "machine", label=True, when="varies", spare=5),
    Column("before_score", "test\nbefore", PERCENT, spare=2),
    Column("after_score", "test\nafter", PERCENT, spare=1),
    Column(_change, "change", POINTS, spread=half_interval("score_change")),
    Column("before_train_seconds", "training\nbefore", SECONDS, spare=3),
    Column("after_train_seconds", "training\nafter", SECONDS, spare=3),
    Column("time_ratio", "×", TIMES, spread=half_interval("time_ratio")),
    Column("outcome", "outcome", label=True),
    Column(_seeds, "seeds", label=True, spare=4),
)
