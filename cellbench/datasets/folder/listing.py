"""What a folder of images says before any pixel is read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..files.names import natural_key

T = TypeVar("T")


@dataclass(frozen=True)
class Listing:
    """What a folder says of each image, before any pixel is read.

    files: paths inside the folder. labels: each image's labels, one unless `multilabel`. order: of the classes; empty
    when they are sorted by name. rows: where the table names each image, 'cells.csv line 7'; None without a table.
    parts: train, val or test; None when not given. groups: the cells of the group columns; None when there are none.
    group_column: the names of those columns. groups_named: whether the user named them. notes: for the user.
    """

    files: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    multilabel: bool = False
    order: tuple[str, ...] = ()
    rows: tuple[str, ...] | None = None
    parts: tuple[str, ...] | None = None
    groups: tuple[tuple[str, ...], ...] | None = None
    group_column: str = ""
    groups_named: bool = False
    notes: tuple[str, ...] = ()

    def take(self, index: Sequence[int]) -> "Listing":
        """Return the listing of only the images at these positions."""

        def pick(values: tuple[T, ...]) -> tuple[T, ...]:
            return tuple(values[i] for i in index)

        return replace(
            self,
            files=pick(self.files),
            labels=pick(self.labels),
            rows=self.rows and pick(self.rows),
            parts=self.parts and pick(self.parts),
            groups=self.groups and pick(self.groups),
        )

    @property
    def group_numbers(self) -> NDArray[np.int64] | None:
        """Each image's group as a number, (n,); None when there are no groups."""
        if self.groups is None:
            return None
        number = {group: k for k, group in enumerate(sorted(set(self.groups)))}
        return np.array([number[group] for group in self.groups], dtype=np.int64)

    def first_of(self, name: str) -> str:
        """The first image of a class, and where the table names it, for a message; '' when there is none."""
        i = next((i for i, names in enumerate(self.labels) if name in names), None)
        if i is None:
            return ""
        return f"{self.files[i]}, {self.rows[i]}" if self.rows else self.files[i]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes in their order."""
        return self.order or tuple(sorted({name for names in self.labels for name in names}, key=natural_key))

    @property
    def targets(self) -> NDArray:
        """Labels as a Dataset has them: (n,) int64, or (n, classes) bool when multi-label."""
        number = {name: k for k, name in enumerate(self.classes)}
        if not self.multilabel:
            return np.array([number[name] for (name,) in self.labels], dtype=np.int64)
        found = np.zeros((len(self.labels), len(number)), bool)
        for row, names in enumerate(self.labels):
            found[row, [number[name] for name in names]] = True
        return found
