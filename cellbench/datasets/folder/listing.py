"""What a folder of images says before any pixel is read, and the options for reading it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator

from ...core.settings import Settings, setting
from ..files.names import is_image, natural_key

T = TypeVar("T")

PART_WORDS = {
    **dict.fromkeys(("train", "training", "tra"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing", "tes"), "test"),
}
NO_GROUPS = "none"  # as the group column: split without groups, whatever the table holds
ONE_HOT = "onehot"
SEPARATORS = (";", ",", "|", " ")


def _separator(given: str) -> str:
    if given not in ("", ONE_HOT, *SEPARATORS):
        raise ValueError("no separator")
    return given


def _pattern(given: str) -> str:
    once = given.count("{id}") == given.count("{channel}") == 1
    if given and not (once and is_image(given)):
        raise ValueError("no pattern")
    return given


class FolderOptions(Settings):
    """How to read a folder; an empty column name means the usual ones are looked for.

    group_column: several, 'plate,well', for what they say together; 'none' for a split without groups though the
    table has such a column.
    multilabel: how a table gives several labels an image, never guessed: what stands between them, or 'onehot' for
    a column of 0 and 1 for each (those of `label_column`, between commas, or all that mean nothing else).
    pattern: how files are called when each holds one channel, such as '{id}_{channel}.tif'.
    size: side in pixels that all images are brought to; None keeps them when they are alike, and is 64 when not.
    """

    labels: Path | None = None
    file_column: str = ""
    label_column: str = ""
    group_column: str = ""
    multilabel: Annotated[
        str,
        AfterValidator(_separator),
        setting(
            "how a table gives several labels an image",
            may_be=f"what stands between labels, {' '.join(map(repr, SEPARATORS))}, or {ONE_HOT}",
        ),
    ] = ""
    pattern: Annotated[
        str,
        AfterValidator(_pattern),
        setting(
            "files that hold one channel each",
            may_be="{id}, {channel} and an image's suffix: '{id}_{channel}.tif'",
        ),
    ] = ""
    size: Annotated[int | None, setting("side of images", ge=8, le=1024, may_be="8 to 1024 pixels", unset="")] = None
    skip_unreadable: bool = False
    split_seed: int = 0


@dataclass(frozen=True)
class Listing:
    """What a folder says before any pixel is read: one entry an image; parts and groups None when not given.

    labels: those of each image; one unless `multilabel`. order: of the classes; by name when empty.
    rows: where the table names each image, 'cells.csv line 7'; None without a table.
    groups: the cells of the group columns; group_column: their names; groups_named: whether the user gave them.
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
        """The same for some of the images."""

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
        if self.groups is None:
            return None
        number = {group: k for k, group in enumerate(sorted(set(self.groups)))}
        return np.array([number[group] for group in self.groups], dtype=np.int64)

    def first_of(self, name: str) -> str:
        """The first image of a class, and where the table names it; '' when there is none."""
        i = next((i for i, names in enumerate(self.labels) if name in names), None)
        if i is None:
            return ""
        return f"{self.files[i]}, {self.rows[i]}" if self.rows else self.files[i]

    @property
    def classes(self) -> tuple[str, ...]:
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


def nfc(text: str) -> str:
    """One spelling of accented letters: macOS decomposes them in file names, tables mostly don't."""
    return unicodedata.normalize("NFC", text)
