"""A row of results, which pools runs that differ in nothing but the random seed, and functions of several rows."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd

from ...core.machine.contention import is_busy
from ...core.mixed_values import Document, Facts
from ...core.records.runs import RunRecord
from ...core.split_names import OFFICIAL, draws_in, keeps_together, unit_of
from ..runs import Predicted, Run, same_images
from ..statistics.bootstrap import Interval
from ..statistics.draws import FEWEST_DRAWS, interval_over_draws
from ..statistics.intervals import FEWEST_SEEDS, interval_over_seeds, intervals
from ..statistics.joint import mean_over_images_and_seeds
from ..statistics.rare import OVER_CLASSES, rare_classes
from .settings import seeds_matter

T = TypeVar("T")
Line = Facts  # of a table, by column; a row of results is one, too
L = TypeVar("L", bound=Line)
MOST_FILES = 100  # the most files of predictions that are read for a row, and for a table
FIGURES = ("accuracy", "macro_f1")  # metrics whose intervals tables show
SCOPE = ("dataset", "fingerprint", "split")  # the images of a row, whatever its limits
DATA = (*SCOPE, "limit", "val_limit")
HARDWARE = ("device", "machine", "threads")
MAKE = ("processor", "gpu", "backend", "version")  # times and results of unlike ones are not to be averaged
SETTINGS = ("preprocessing", "method", "revision", "params", "deterministic")
SETTINGS_OF_ALL_SIZES = tuple("fixed_params" if name == "params" else name for name in SETTINGS)

NOT_SHOWN = ("runs", "gap_accuracy", "gap_accuracy_sd", "gap_macro_f1", "gap_macro_f1_sd")  # keys that no table has


class Fact(Generic[T]):
    """A column of a row, read as an attribute of the same name."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, row: "Row", owner: type) -> T:
        value: T = row[self._name]
        return value


class Row(Mapping[str, Any]):
    """Runs that differ in nothing but the random seed, and the draw where a split was drawn several times.

    What they share, and the means of their figures, are columns: tables, files and --where use these names, and
    `pooling.pool` says what they are. Code asks for facts as attributes, and for figures by `metric` and `interval`.
    The columns of a row do not change: `having` returns another row. Intervals that were computed are kept, and rows
    made by `having` share them.
    """

    dataset, fingerprint, split = Fact[str](), Fact[str](), Fact[str]()
    limit, val_limit = Fact[int | None](), Fact[int | None]()
    method, family, settings, params, preprocessing, overrides = (Fact[str]() for _ in range(6))
    device, machine = Fact[str](), Fact[str]()
    threads = Fact[int | None]()
    depth, shortcuts = Fact[int | None](), Fact[bool | None]()
    pretrained, synthetic, several_labels = Fact[bool](), Fact[bool](), Fact[bool]()
    status, reason, remark = Fact[str](), Fact[str](), Fact[str]()
    undertrained = Fact[str | None]()
    seeds, files, runs = Fact[list[int]](), Fact[list[str]](), Fact[tuple[Run, ...]]()
    n_runs = Fact[int]()
    n_train, n_val, n_test, n_classes = (Fact[int | None]() for _ in range(4))
    train_seconds = Fact[float | None]()

    def __init__(self, columns: Line, drawn: dict[str, Interval] | None = None) -> None:
        """Make a row from its columns.

        drawn: intervals over images, by metric, that are already computed; further ones are added to it, so that none
        is computed twice.
        """
        self._columns = dict(columns)
        self._drawn = {} if drawn is None else drawn

    def __getitem__(self, name: str) -> Any:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Row({', '.join(str(self.get(name)) for name in (*DATA, 'method', *HARDWARE))})"

    def having(self, **columns: object) -> "Row":
        """Return a copy of the row with these columns replaced or added."""
        return Row({**self._columns, **columns}, None if "runs" in columns else self._drawn)

    @property
    def draws(self) -> tuple[int, ...]:
        """The draws of the split that the row pools; (0,) for a split that was not drawn, or once."""
        return draws_in(self.split)

    @property
    def too_few_seeds(self) -> bool:
        """Whether a seed changes the row's results and it has so few that they tell of these trained models alone.

        Several draws of a split are trained with other images each, which tells as much.
        """
        enough = len(self.seeds) >= FEWEST_SEEDS or len(self.draws) >= FEWEST_DRAWS
        return not enough and self.status == "ok" and seeds_matter(self)

    @property
    def images_of_rare_classes(self) -> dict[str, int]:
        """The number of test images of each class that has too few for an interval of macro-F1, see `rare`."""
        found = self.predictions
        names = self.runs[0].classes if self.runs else ()
        return {names[k]: n for k, n in rare_classes(found[0].truth).items() if k < len(names)} if found else {}

    @property
    def groups_unknown(self) -> bool:
        """Whether the split keeps groups together, and an older run did not record which they are."""
        return any(run.groups_unknown for run in self.runs)

    @property
    def unit(self) -> str:
        """What a group of images is called: well, donor, block, or group if nobody says."""
        return unit_of(self.get("groups_are") or "", self.split)

    @property
    def records(self) -> list[RunRecord]:
        return [run.record for run in self.runs]

    @property
    def predictions(self) -> list[Predicted] | None:
        """The predictions of each seed on test, or None unless all seeds have them, for the same images.

        None as well for more than MOST_FILES seeds: so many seeds give an interval by themselves.
        """
        if not 0 < len(self.runs) <= MOST_FILES:
            return None
        found = [one for run in self.runs if (one := run.predicted())]
        return found if len(found) == len(self.runs) and same_images(found) else None

    def metric(self, name: str, part: str = "test") -> float | None:
        """Return the mean over seeds of a metric such as 'macro_f1', or None if it is not on record."""
        return self.get(f"{part}_{name}")

    def value(self, name: str, part: str = "test") -> float:
        """Return the mean over seeds of a metric. Raises KeyError if it is not on record."""
        value = self.metric(name, part)
        if value is None:
            raise KeyError(f"{self!r} has no {name} on {part}")
        return value

    def deviation(self, name: str, part: str = "test") -> float | None:
        """Return the standard deviation of a metric over seeds, or None for fewer than two seeds."""
        return self.get(f"{part}_{name}_sd")

    def summary(self, name: str) -> tuple[float, float | None, float]:
        """Return mean and standard deviation of a metric on test over seeds, and the number of seeds.

        The number is 0 if the metric is not on record. It is infinite for a row that no seed changes, as all seeds
        would give the same result.
        """
        value = self.metric(name)
        if value is None:
            return 0.0, None, 0
        return (value, self.deviation(name), len(self.seeds)) if seeds_matter(self) else (value, 0.0, math.inf)

    def gap(self, name: str) -> float | None:
        """Return 'accuracy' or 'macro_f1' on train minus that on test, or None if it is not on record."""
        return self.get(f"gap_{name}")

    def gap_summary(self, name: str) -> tuple[float, float | None, int]:
        """Return mean and standard deviation over seeds of the gap of a metric (see `gap`), and the number of seeds.

        Raises KeyError if the row has no such column.
        """
        return self[f"gap_{name}"], self.get(f"gap_{name}_sd"), len(self.seeds)

    def interval(self, name: str) -> Interval | None:
        """Return the 95 % interval of a metric on test as `intervals` computes it, or None if there is none."""
        return self.intervals((name,)).get(name)

    def intervals(self, names: Sequence[str] = FIGURES) -> dict[str, Interval]:
        """Return the 95 % intervals of metrics on test, for those metrics that have one.

        If a metric has an interval over seeds and one over images (or groups), that over both is returned, see `joint`.
        Averages over classes have none where test has too few images of one, see `rare`.

        names: as `statistics.intervals` takes them. The F1 of a class ('f1:3') has an interval over images alone.
        """
        if self.images_of_rare_classes:
            names = [name for name in names if name not in OVER_CLASSES]
        over_seeds = {name: self._over_seeds(name) for name in names}
        seeds = {name: span for name, span in over_seeds.items() if span}
        images = self.intervals_over_images([name for name in names if ":" in name or self.metric(name) is not None])
        if images is None:
            return seeds
        return {name: self._over_both(name, span) if name in seeds else span for name, span in images.items()}

    def _over_both(self, name: str, images: Interval) -> Interval:
        """Return the interval of a metric over images and seeds; images: that over images."""
        return mean_over_images_and_seeds(self.value(name), images, self.deviation(name) or 0.0, len(self.seeds))

    def intervals_over_images(self, names: Sequence[str]) -> dict[str, Interval] | None:
        """Return intervals over images or groups alone, in the order of `names`, or None without predictions."""
        missing = [name for name in names if name not in self._drawn]
        if missing or not names:
            found = self.predictions
            if found is None:
                return None
            scores = [one.scores for one in found]
            predicted, classes = [one.predicted for one in found], scores[0].shape[1]
            self._drawn |= intervals(
                found[0].truth, predicted, missing, found[0].groups, scores=scores, classes=classes
            )
        return {name: self._drawn[name] for name in names}

    def _over_seeds(self, name: str) -> Interval | None:
        """Return the interval over seeds or, for several draws of a split, over these."""
        if len(self.draws) > 1:
            return interval_over_draws(self, name)
        mean = self.metric(name)
        return None if mean is None else interval_over_seeds(mean, self.deviation(name), len(self.seeds))


def split_place(name: str | None) -> tuple[bool, bool, bool, str]:
    """Return the sort key of a split: none, those that keep relatives together, then the one that the data came with.

    Where relatives of test images are in train, figures flatter every method, so a split that keeps them together
    stands before one that may not.
    """
    return name is not None, not keeps_together(name or ""), name != OFFICIAL, name or ""


def grouped_by(rows: Iterable[L], names: Sequence[str]) -> list[list[L]]:
    """Return the groups of rows with equal values in the columns `names`, sorted by these values.

    Missing values come first; of splits see `split_place`.
    """

    def key(row: L) -> tuple[object, ...]:
        return tuple(
            split_place(row[name]) if name == "split" else (row[name] is not None, row[name] or 0) for name in names
        )

    return [list(group) for _, group in itertools.groupby(sorted(rows, key=key), key)]


def as_rows(frame: pd.DataFrame) -> list[Document]:
    """Return each row of a frame as a mapping by column, with None for missing values."""
    names = [str(name) for name in frame]
    columns = [[value.item() if isinstance(value, np.generic) else value for value in frame[name]] for name in names]
    rows = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    for row, column in zip(*np.nonzero(frame.isna().to_numpy()), strict=True):  # several times as fast as to_dict
        rows[row][names[column]] = None
    return rows


def columns_of(row: Line) -> Document:
    """Return the columns of a row that tables, exported files and conditions have: all but NOT_SHOWN."""
    return {name: value for name, value in row.items() if name not in NOT_SHOWN}


def one_label(rows: Sequence[Line]) -> bool:
    """Whether images have one label each, so that accuracy has a meaning; true unless a row says otherwise."""
    return not any(row.get("several_labels") for row in rows)


def is_disturbed(row: Line) -> bool:
    """Whether the row's training time is too long to compare, see `disturbance`."""
    return bool(disturbance(row))


def is_shared(row: Line) -> bool:
    """Whether several runs were done at a time while the row was trained, as --jobs does."""
    return (row.get("shared") or 1) > 1


def disturbance(row: Line) -> str:
    """Return what shared the machine while the row was trained, other runs or busy programs; '' if nothing did."""
    if is_shared(row):
        return f"{row['shared']} runs at a time shared the machine"
    others = row.get("others") or 0.0
    return f"other programs had {100 * others:.0f} % of the processors" if is_busy(others) else ""


def load_unknown(row: Line) -> bool:
    """Whether nobody knows what other programs did while the row was trained: older records, and very short runs."""
    return row.get("train_seconds") is not None and row.get("others") is None


def time_counts(row: Line) -> bool:
    """Whether the row's training time can be compared, as other programs are known to have been idle."""
    return not load_unknown(row) and not is_disturbed(row)


def memory_of(row: Line) -> float | None:
    """Return the peak memory in bytes: of the process on 'cpu', else on the accelerator; None if not on record."""
    return row.get("host_memory") if row.get("device") == "cpu" else row.get("device_memory")
