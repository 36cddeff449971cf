"""Trials, judged on val, and a CSV file in results/ with a row for each, written as soon as the trial ends."""

import csv
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import cellbench

RESULTS = Path(__file__).parents[1] / "results"


def scored_on_val(dataset: str, method: str, n: int, **options: Any) -> pd.Series:
    """Train on n images and return the row of the run in the frame of results, scored on the whole validation part.

    options: further ones of `cellbench.run`. The record is thrown away, and with it what it says of test.
    """
    with tempfile.TemporaryDirectory() as folder:
        results = cellbench.run(dataset, method, limit=n, val_limit="all", output=folder, quiet=True, **options)
        return results.to_frame().iloc[0]


@dataclass(frozen=True)
class Trials:
    """The CSV file of this name in results/. key: the first columns, by which a trial is known; columns: the others."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def path(self) -> Path:
        return RESULTS / f"{self.name}.csv"

    def read(self) -> pd.DataFrame:
        """Return all trials; an empty table if there is no file."""
        if not self.path.exists():
            return pd.DataFrame(columns=[*self.key, *self.columns])
        return pd.read_csv(self.path)

    def done(self) -> set[tuple[object, ...]]:
        """Return the keys of the trials that are there, so that only what is missing is measured."""
        return set(self.read()[list(self.key)].itertuples(index=False, name=None))

    def add(self, row: Sequence[object]) -> None:
        """Append a trial to the file, and make the file if there is none."""
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if new:
                writer.writerow([*self.key, *self.columns])
            writer.writerow(row)
