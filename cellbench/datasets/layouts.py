"""What a folder of images says before any pixel is read: which file is of which class, part and group."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.data import PARTS, Split, count_classes
from ..core.errors import DataError, UsageError, did_you_mean
from . import images, splits
from .tables import Table, read_table

T = TypeVar("T")

PART_WORDS = {
    **dict.fromkeys(("train", "training", "tra"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing", "tes"), "test"),
}
# usual column names, lower case without spaces, '_' and '-'; the first that is there is taken
FILE_COLUMNS = (
    *("file", "filename", "filepath", "path", "image", "imagefile", "imagename", "imagepath", "imageid"),
    *("img", "name", "id"),
)
LABEL_COLUMNS = ("label", "class", "imageclass", "classname", "labelname", "target", "category", "y")
GROUP_COLUMNS = ("group", "patient", "patientid", "donor", "specimen", "slide", "well", "wellid", "plate")
SPLIT_COLUMNS = ("split",)
NO_GROUPS = "none"  # as the group column: split without groups, whatever the table holds
ONE_HOT = "onehot"
SEPARATORS = (";", ",", "|", " ")
YES_OR_NO = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


@dataclass(frozen=True)
class FolderOptions:
    """How to read a folder; an empty column name means the usual ones are looked for.

    group_column: 'none' for a split without groups though the table has such a column.
    multilabel: how a table gives several labels an image, never guessed: what stands between them, or 'onehot' for
    a column of 0 and 1 for each (those of `label_column`, between commas, or all that mean nothing else).
    pattern: how files are called when each holds one channel, such as '{id}_{channel}.tif'.
    size: side in pixels that all images are brought to; None keeps them when they are alike, and is 64 when not.
    """

    labels: Path | None = None
    file_column: str = ""
    label_column: str = ""
    group_column: str = ""
    multilabel: str = ""
    pattern: str = ""
    size: int | None = None
    skip_unreadable: bool = False
    split_seed: int = 0

    def __post_init__(self) -> None:
        if self.size is not None and not 8 <= self.size <= 1024:
            raise UsageError(f"size is {self.size}; give 8 to 1024 pixels")
        if self.multilabel not in ("", ONE_HOT, *SEPARATORS):
            known = " ".join(f"'{separator}'" for separator in SEPARATORS)
            raise UsageError(
                f"multilabel is {self.multilabel!r}; give what stands between labels, {known}, or {ONE_HOT}"
            )
        if self.pattern and not (
            self.pattern.count("{id}") == self.pattern.count("{channel}") == 1 and images.is_image(self.pattern)
        ):
            raise UsageError(
                f"pattern is {self.pattern!r}; give {{id}}, {{channel}} and an image's suffix: '{{id}}_{{channel}}.tif'"
            )


@dataclass(frozen=True)
class Listing:
    """What a folder says before any pixel is read: one entry an image; parts and groups None when not given.

    labels: those of each image; one unless `multilabel`. order: of the classes; by name when empty.
    """

    files: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    multilabel: bool = False
    order: tuple[str, ...] = ()
    parts: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def take(self, index: Sequence[int]) -> "Listing":
        """The same for some of the images."""

        def pick(values: tuple[T, ...]) -> tuple[T, ...]:
            return tuple(values[i] for i in index)

        return replace(
            self,
            files=pick(self.files),
            labels=pick(self.labels),
            parts=self.parts and pick(self.parts),
            groups=self.groups and pick(self.groups),
        )

    @property
    def group_numbers(self) -> NDArray[np.int64] | None:
        if self.groups is None:
            return None
        return np.unique(np.array(self.groups), return_inverse=True)[1].astype(np.int64)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.order or tuple(sorted({name for names in self.labels for name in names}, key=images.natural))

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


# --- layouts


def join_channels(files: dict[str, Path], pattern: str) -> tuple[dict[str, tuple[Path, ...]], tuple[str, ...]]:
    """Images by name, each with its files, one a channel in the order of the channels' names; and those names.

    Without a pattern every image file is an image and the channels have no names. Where a name can be read in two
    ways, the channel is the shorter one. Raises DataError naming what does not fit or has not every channel.
    """
    pictures = [name for name in files if images.is_image(name)]
    if not pattern:
        return {name: (files[name],) for name in pictures}, ()
    words = re.escape(pattern).replace(r"\{id\}", "(?P<id>[^/]+)").replace(r"\{channel\}", "(?P<channel>[^/]+?)")
    fits = [re.fullmatch(f"(?P<folder>(.*/)?){words}", name, re.IGNORECASE) for name in pictures]
    if odd := [name for name, fit in zip(pictures, fits, strict=True) if not fit]:
        raise DataError(
            f"{len(odd)} of {len(pictures)} images are not called {pattern!r}, the first is {odd[0]}; "
            "mend the pattern or move them elsewhere"
        )
    found: dict[str, dict[str, str]] = {}
    suffix = Path(pattern).suffix
    for name, fit in zip(pictures, fits, strict=True):
        assert fit is not None
        planes = found.setdefault(f"{fit['folder']}{fit['id']}{suffix}", {})
        if fit["channel"] in planes:
            raise DataError(
                f"{planes[fit['channel']]} and {name} are the same channel of one image; remove one of them"
            )
        planes[fit["channel"]] = name
    channels = tuple(sorted({channel for planes in found.values() for channel in planes}, key=images.natural))
    for image, planes in found.items():
        if lacking := [channel for channel in channels if channel not in planes]:
            raise DataError(
                f"image {image} has no channel {lacking[0]!r}; there are {images.few(channels, 10)}: "
                "add the file, or mend the pattern"
            )
    joined = {image: tuple(files[planes[channel]] for channel in channels) for image, planes in found.items()}
    return {name: joined[name] for name in sorted(joined, key=images.natural)}, channels


def read_listing(path: Path, files: dict[str, Path], options: FolderOptions) -> Listing:
    """Images and labels, from a table when there is one, else from folders' names."""
    pictures = [name for name in files if images.is_image(name)]
    if not pictures:
        raise DataError(f"{path} holds no images; {', '.join(images.SUFFIXES)} are read")
    table, notes = _table(path, files, pictures, options)
    if table is None and options.group_column not in ("", NO_GROUPS):
        raise UsageError(f"the group column {options.group_column!r} needs a table of files and labels; give --labels")
    if table is None and options.multilabel:
        raise UsageError("several labels an image need a table of files and labels; give --labels")
    listing = _from_table(table, pictures, options) if table else _from_folders(path, pictures)
    if others := [name for name in files if not images.is_image(name) and not (table and name == table.name)]:
        kinds = images.few(sorted({Path(name).suffix or "no suffix" for name in others}))
        notes = [*notes, f"{len(others)} other files left out ({kinds})"]
    if len(listing.classes) < 2:
        raise DataError("; ".join([*_one_class(path, listing.classes[0]), *notes]))
    return replace(listing, notes=(*notes, *listing.notes))


def _one_class(path: Path, name: str) -> Iterator[str]:
    yield f"{path} holds one class only, {name!r}; at least two are needed"
    if (path / name).is_dir() and len(_subfolders(path / name)) > 1:
        yield f"did you mean {path / name}?"


def _from_folders(path: Path, pictures: list[str]) -> Listing:
    """Class folders, alone or inside train, val and test folders."""
    folders = _subfolders(path)
    loose = [name for name in pictures if "/" not in name]
    part_of = {folder: PART_WORDS[folder.lower()] for folder in folders if folder.lower() in PART_WORDS}
    if loose:
        raise DataError(
            f"{len(loose)} images in {path} lie outside class folders, the first is {loose[0]}; "
            "move them into one folder a class, or add a CSV with the columns 'file' and 'label'"
        )
    if "train" not in part_of.values() and len(part_of) < len(folders):  # one called 'test' may well be a class
        _check_filled(path, folders, pictures, "")
        return Listing(tuple(pictures), tuple((_nfc(name.split("/")[0]),) for name in pictures))
    if "train" not in part_of.values():
        raise DataError(f"{path} holds {', '.join(part_of)} but no train; add a folder train with class folders")
    if others := [folder for folder in folders if folder not in part_of]:
        raise DataError(
            f"{path} holds {', '.join(part_of)} and also {images.few(others)}; move the latter elsewhere, "
            "so that only train, val and test are left"
        )
    if len(set(part_of.values())) < len(part_of):
        raise DataError(f"{path} holds {', '.join(part_of)}, two of which mean the same part; join them")
    for folder in folders:
        _check_filled(path / folder, _subfolders(path / folder), pictures, f"{folder}/")
        if shallow := next((name for name in pictures if name.startswith(f"{folder}/") and name.count("/") < 2), ""):
            raise DataError(f"{shallow} lies outside class folders; move it into {folder}/<class>/")
    return Listing(
        files=tuple(pictures),
        labels=tuple((_nfc(name.split("/")[1]),) for name in pictures),
        parts=tuple(part_of[name.split("/")[0]] for name in pictures),
    )


def _subfolders(path: Path) -> list[str]:
    names = (entry.name for entry in path.iterdir() if entry.is_dir() and not images.is_junk(entry.name))
    return sorted(names, key=images.natural)


def _check_filled(path: Path, folders: Iterable[str], pictures: list[str], prefix: str) -> None:
    filled = {name.removeprefix(prefix).split("/")[0] for name in pictures if name.startswith(prefix)}
    if empty := [folder for folder in folders if folder not in filled]:
        raise DataError(
            f"class folder {path / empty[0]} holds no images ({', '.join(images.SUFFIXES)} are read); "
            "add some or remove the folder"
        )


def _table(
    path: Path, files: dict[str, Path], pictures: list[str], options: FolderOptions
) -> tuple[Table | None, list[str]]:
    """The table of labels: the one given, or the only one at the folder's top that has the columns; with notes."""
    if options.labels is not None:
        return read_table(options.labels, options.labels.name), []
    fitting: list[Table] = []
    notes: list[str] = []
    by_end = _ends(pictures)
    for name in (n for n in files if "/" not in n and n.lower().endswith((".csv", ".tsv"))):
        try:
            table = read_table(files[name], name)
            if not any(_fits(cell, by_end) for cell in table.column(_columns(table, options)[0])):
                raise DataError("none of its rows names an image here")
            fitting.append(table)
        except DataError as error:
            notes.append(f"{name} not used: {error}")
    if len(fitting) > 1:
        raise DataError(f"{path} holds several tables of labels, {', '.join(t.name for t in fitting)}; give --labels")
    needed = options.file_column or options.label_column or not _subfolders(path)
    if not fitting and notes and needed:
        raise DataError("; ".join(notes))
    return (fitting[0] if fitting else None), notes


def _columns(table: Table, options: FolderOptions) -> tuple[str, str]:
    """The names of the columns of files and of labels; '' for the latter when there is one for each label."""
    found: list[str] = []
    usual_names = {"file": FILE_COLUMNS, "label": LABEL_COLUMNS}
    for what, given in (("file", options.file_column), ("label", options.label_column)):
        if what == "label" and options.multilabel == ONE_HOT:
            return found[0], ""
        name = given or table.find(usual_names[what])
        if not name:
            raise DataError(
                f"{table.name} has no column called {what!r} or alike; its header is {', '.join(table.header)}: "
                f"name the column with --{what}-column"
            )
        table.column(name)
        found.append(name)
    return found[0], found[1]


def _from_table(table: Table, pictures: list[str], options: FolderOptions) -> Listing:
    """One entry a row; rows and image files must pair exactly."""
    file_column, label_column = _columns(table, options)
    row_of = _match(table, table.column(file_column), pictures)
    order = [row_of[name] for name in pictures]
    columns = [label_column] if label_column else _one_hot_columns(table, file_column, options)
    labels = _one_hot(table, columns, order) if not label_column else _labels(table, label_column, order, options)
    if () in labels:
        line = table.lines[order[labels.index(())]]
        raise DataError(f"{table.name} line {line} has no label; fill it in or remove row and image")
    used = [f"files from column {file_column!r}", f"labels from {', '.join(map(repr, columns))}"]
    parts = _parts(table, pictures, order, used)
    groups, reason = _groups(
        table, order, options.group_column, used, drawn=parts is None or len(set(parts)) < len(PARTS)
    )
    if not options.multilabel:
        reason += _whole_labels(labels)
    return Listing(
        files=tuple(pictures),
        labels=tuple(labels),
        multilabel=bool(options.multilabel),
        order=() if label_column else tuple(map(_nfc, columns)),
        parts=parts,
        groups=groups,
        notes=(f"{table.name}: {', '.join(used)}", *reason),
    )


def _labels(table: Table, column: str, order: list[int], options: FolderOptions) -> list[tuple[str, ...]]:
    """Labels of each image from one column; none where it is empty."""
    cells = table.column(column)
    labels = []
    for row in order:
        cell = _nfc(cells[row])
        found = (
            [cell] if not options.multilabel else cell.split(None if options.multilabel == " " else options.multilabel)
        )
        labels.append(tuple(dict.fromkeys(name.strip() for name in found if name.strip())))
    return labels


def _whole_labels(labels: list[tuple[str, ...]]) -> list[str]:
    """A note when a label is made of other labels, which may mean several in one cell: that is never guessed."""
    known = {label for (label,) in labels}
    for label in sorted(known, key=images.natural):
        for separator in SEPARATORS:
            pieces = [piece.strip() for piece in label.split(separator)]
            if len(pieces) > 1 and known.issuperset(pieces):
                return [f"{label!r} is one class; if it is several labels pass --multilabel '{separator}'"]
    return []


def _one_hot_columns(table: Table, file_column: str, options: FolderOptions) -> list[str]:
    """The columns with a label each: those given, or all that have no other meaning."""
    if options.label_column:
        return [name.strip() for name in options.label_column.split(",")]
    group = "" if options.group_column == NO_GROUPS else options.group_column or table.find(GROUP_COLUMNS)
    return [name for name in table.header if name not in (file_column, group, table.find(SPLIT_COLUMNS))]


def _one_hot(table: Table, columns: list[str], order: list[int]) -> list[tuple[str, ...]]:
    """Labels of each image from columns of 0 and 1."""
    labels: list[list[str]] = [[] for _ in order]
    for column in columns:
        cells = table.column(column)
        for image, row in enumerate(order):
            if cells[row].casefold() not in YES_OR_NO:
                raise DataError(
                    f"{table.name} line {table.lines[row]}: column {column!r} is {cells[row]!r}, a label's is 0 or 1; "
                    "name the labels' columns, such as --label-column 'a,b,c'"
                )
            if YES_OR_NO[cells[row].casefold()]:
                labels[image].append(_nfc(column))
    return [tuple(names) for names in labels]


def _match(table: Table, cells: list[str], pictures: list[str]) -> dict[str, int]:
    """Row by image file. A cell may be a path from anywhere, end in the file's path, and lack the suffix."""
    by_end = _ends(pictures)
    row_of: dict[str, int] = {}
    missing = []
    for row, cell in enumerate(cells):
        fits = _fits(cell, by_end)
        if len(fits) > 1:
            raise DataError(
                f"{table.name} line {table.lines[row]}: {cell!r} may mean {images.few(fits)}; "
                "give the path inside the folder"
            )
        if not fits:
            missing.append(row)
        elif fits[0] in row_of:
            first = table.lines[row_of[fits[0]]]
            raise DataError(
                f"{table.name} lines {first} and {table.lines[row]} both name {fits[0]}; remove one of them"
            )
        else:
            row_of[fits[0]] = row
    if missing:
        raise DataError(
            f"{len(missing)} of {len(cells)} rows of {table.name} have no image file, the first is "
            f"{cells[missing[0]]!r} in line {table.lines[missing[0]]}; add the files or remove the rows"
        )
    if extra := [name for name in pictures if name not in row_of]:
        raise DataError(
            f"{len(extra)} of {len(pictures)} images have no row in {table.name}, the first is {extra[0]}; "
            "add rows or move the images elsewhere"
        )
    return row_of


def _ends(pictures: list[str]) -> dict[str, list[str]]:
    """Image files by the last part of their path, with and without suffix."""
    by_end: dict[str, list[str]] = {}
    for name in pictures:
        base = _nfc(name).rpartition("/")[2]
        for end in {base, base.rpartition(".")[0]}:
            by_end.setdefault(end, []).append(name)
    return by_end


def _fits(cell: str, by_end: dict[str, list[str]]) -> list[str]:
    """The images whose path agrees with the cell's as far as both go; a whole agreement wins alone."""
    wanted = _nfc(cell.replace("\\", "/").removeprefix("./"))
    fits = []
    for name in by_end.get(wanted.rpartition("/")[2], []):
        path = _nfc(name)
        if not wanted.endswith(path.rpartition("/")[2]):
            path = path.rpartition(".")[0]
        if wanted == path:
            return [name]
        if f"/{path}".endswith(f"/{wanted}") or f"/{wanted}".endswith(f"/{path}"):
            fits.append(name)
    return fits


def _parts(table: Table, pictures: list[str], order: list[int], used: list[str]) -> tuple[str, ...] | None:
    """train, val or test of each image: from a column 'split', or from folders that have such names."""
    if column := table.find(SPLIT_COLUMNS):
        cells = table.column(column)
        for row in order:
            if cells[row].lower() not in PART_WORDS:
                raise DataError(
                    f"{table.name} line {table.lines[row]}: split is {cells[row]!r}; {did_you_mean(cells[row], PARTS)}"
                )
        used.append(f"split from {column!r}")
        return tuple(PART_WORDS[cells[row].lower()] for row in order)
    tops = [name.partition("/")[0].lower() if "/" in name else "" for name in pictures]
    if "train" in {PART_WORDS.get(top) for top in tops} and all(top in PART_WORDS for top in tops):
        used.append(f"split from the folders {', '.join(dict.fromkeys(tops))}")
        return tuple(PART_WORDS[top] for top in tops)
    return None


def _groups(
    table: Table, order: list[int], given: str, used: list[str], drawn: bool
) -> tuple[tuple[str, ...] | None, list[str]]:
    """What must not straddle a split, from the column given or a usual one, and a note when that is not used."""
    column = "" if given == NO_GROUPS else given or table.find(GROUP_COLUMNS)
    if not column:
        return None, []
    cells = table.column(column)
    groups = tuple(cells[row] for row in order)
    n = len(set(groups))
    if not given and ("" in groups or (drawn and n < splits.FIFTHS)):
        return None, [f"column {column!r} not used as groups: {n} values, {groups.count('')} empty cells"]
    if "" in groups:
        line = table.lines[order[groups.index("")]]
        raise DataError(f"{table.name} line {line} has no {column!r}; fill it in, or choose another group column")
    used.append(f"groups from {column!r} ({n})")
    return groups, []


def _nfc(text: str) -> str:
    """One spelling of accented letters: macOS decomposes them in file names, tables mostly don't."""
    return unicodedata.normalize("NFC", text)


# --- splits


def draw_split(listing: Listing, split_seed: int) -> tuple[Split, list[str]]:
    """The given split, what it lacks taken from train, or a drawn one; with notes on what was decided."""
    classes, labels, groups = listing.classes, listing.targets, listing.group_numbers
    if listing.parts is None or set(listing.parts) == {"train"}:
        notes = ["only train is given: val and test drawn from it"] if listing.parts else []
        if groups is None:
            return splits.stratified(labels, split_seed, classes), notes
        split = splits.grouped(labels, groups, split_seed, classes)
    else:
        split, notes = _given_split(listing, labels, groups, split_seed)
    _check_train(listing, split, labels)
    for part in ("val", "test"):
        if lacking := absent(classes, labels[split[part]]):
            notes.append(f"no {part} image of class {images.few(lacking)}")
    return split, notes


def _given_split(
    listing: Listing, labels: NDArray, groups: NDArray[np.int64] | None, split_seed: int
) -> tuple[Split, list[str]]:
    given = np.array(listing.parts)
    index = {part: np.flatnonzero(given == part) for part in PARTS}
    if not len(index["train"]):
        raise DataError(f"{' and '.join(sorted(set(given)))} images are given but none for train; add some")
    notes = []
    if groups is not None and (n := _straddling(index, groups)):
        notes.append(f"{n} groups lie in more than one part of the given split")
    for part in ("val", "test"):
        if not len(index[part]):
            train = index["train"]
            rest, held = splits.held_out(
                labels[train], None if groups is None else groups[train], split_seed, listing.classes
            )
            index["train"], index[part] = train[rest], train[held]
            kind = "stratified" if groups is None else "whole groups"
            notes.append(f"no {part} is given: a fifth of train taken for it ({kind}, {len(held)} images)")
    return Split("given", **index), notes


def _straddling(index: dict[str, NDArray[np.int64]], groups: NDArray[np.int64]) -> int:
    """How many groups lie in two parts or more."""
    parts = Counter(int(group) for part in PARTS for group in np.unique(groups[index[part]]))
    return sum(n > 1 for n in parts.values())


def _check_train(listing: Listing, split: Split, labels: NDArray) -> None:
    lacking = absent(listing.classes, labels[split.train])
    for name in lacking[:1]:
        first = next((file for file, names in zip(listing.files, listing.labels, strict=True) if name in names), "")
        known = images.few([other for other in listing.classes if other not in lacking], 10)
        advice = "add training images or remove the class"
        if split.name == "grouped":
            advice = "its groups are too few to be in every part: add some, or pass --group-column none"
        raise DataError(
            f"class {name!r} (of {first or 'no image'}) has no image in train, whose classes are {known}; {advice}"
        )


def absent(classes: Sequence[str], labels: NDArray) -> list[str]:
    """The classes that none of the labels has."""
    return [name for name, n in zip(classes, count_classes(labels, len(classes)), strict=True) if not n]
