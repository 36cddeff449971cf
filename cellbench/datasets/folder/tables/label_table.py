"""A table with one row for each image: its file, its label or labels, and maybe its part and group."""

from ....core.data import PARTS
from ....core.errors import DataError, did_you_mean
from ...files.names import first_few, natural_key, nfc
from ...files.tables import TextTable
from ...splits import PART_WORDS
from ..listing import Listing
from ..options import NO_GROUPS, SEPARATORS, FolderOptions
from .columns import GROUP_COLUMNS, file_cells, main_columns
from .row_matching import match_rows

SPLIT_COLUMNS = ("split",)
YES_OR_NO = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


def from_table(table: TextTable, images: list[str], options: FolderOptions) -> Listing:
    """Return the listing of the images with what the table says of each one.

    Raises DataError unless rows and image files pair exactly.
    """
    file_column, label_column = main_columns(table, options)
    row_of = match_rows(table, file_cells(table, file_column), images, options.labelled_only)
    columns = [label_column] if label_column else _one_hot_columns(table, file_column, options)
    total = len(images)
    images = [name for name in images if name in row_of]
    order = [row_of[name] for name in images]
    labels = _one_hot(table, columns, order) if not label_column else _labels(table, label_column, order, options)
    left_out: list[str] = []
    if options.labelled_only:
        known = [i for i, names in enumerate(labels) if names]
        if n := total - len(known):
            left_out = [f"{n} of {total} images without a label left out"]
        images, order, labels = [images[i] for i in known], [order[i] for i in known], [labels[i] for i in known]
        if not labels:
            raise DataError(f"{table.name} gives no image a label; fill in column {label_column or columns}")
    if () in labels:
        line = table.lines[order[labels.index(())]]
        raise DataError(
            f"{table.name} line {line} has no label; fill it in, remove row and image, or pass --labelled-only"
        )
    used = [f"files from column {file_column!r}", f"labels from {', '.join(map(repr, columns))}"]
    parts = _parts(table, images, order, used)
    group_columns = _group_columns(table, options.group_column, (file_column, *columns))
    groups = _groups(table, order, group_columns, bool(options.group_column))
    if groups is not None:
        used.append(f"groups from {', '.join(map(repr, group_columns))} ({len(set(groups))})")
    return Listing(
        files=tuple(images),
        labels=tuple(labels),
        multilabel=bool(options.multilabel),
        order=() if label_column else tuple(map(nfc, columns)),
        rows=tuple(f"{table.name} line {table.lines[row]}" for row in order),
        parts=parts,
        groups=groups,
        group_column=",".join(group_columns),
        groups_named=bool(options.group_column),
        notes=(
            f"{table.name}: {', '.join(used)}",
            *left_out,
            *_unused_split(table, parts),
            *([] if options.multilabel else _combined_labels(labels)),
        ),
    )


def _unused_split(table: TextTable, parts: tuple[str, ...] | None) -> list[str]:
    """A note on a column that looks like a split and cannot be read as one, where no other gives the split."""
    named = [name for name in table.header if "split" in name.casefold()]
    if parts is not None or not named:
        return []
    found = first_few(sorted(set(table.column(named[0]))), 4)
    return [f"column {named[0]!r} ({found}) is not used: a column 'split' has train, val and test"]


def _labels(table: TextTable, column: str, order: list[int], options: FolderOptions) -> list[tuple[str, ...]]:
    """The labels of each image from one column; () where it is empty."""
    cells = table.column(column)
    labels = []
    for row in order:
        names = [nfc(cells[row])]
        if options.multilabel:
            names = names[0].split(None if options.multilabel == " " else options.multilabel)
        labels.append(tuple(dict.fromkeys(name.strip() for name in names if name.strip())))
    return labels


def _combined_labels(labels: list[tuple[str, ...]]) -> list[str]:
    """A note when a label consists of other labels: it may mean all of them, which is never guessed."""
    known = {label for (label,) in labels}
    for label in sorted(known, key=natural_key):
        for separator in SEPARATORS:
            pieces = [piece.strip() for piece in label.split(separator)]
            if len(pieces) > 1 and known.issuperset(pieces):
                return [f"{label!r} is one class; if it is several labels pass --multilabel '{separator}'"]
    return []


def _one_hot_columns(table: TextTable, file_column: str, options: FolderOptions) -> list[str]:
    """The columns that stand for one label each: those that are given, or all that have no other meaning."""
    if options.label_column:
        return [name.strip() for name in options.label_column.split(",")]
    others = (
        file_column,
        table.find(SPLIT_COLUMNS) or _split_column(table),
        *_group_columns(table, options.group_column, (file_column,)),
    )
    return [name for name in table.header if name not in others]


def _one_hot(table: TextTable, columns: list[str], order: list[int]) -> list[tuple[str, ...]]:
    """The labels of each image from columns of 0 and 1."""
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
                labels[image].append(nfc(column))
    return [tuple(names) for names in labels]


def _parts(table: TextTable, images: list[str], order: list[int], used: list[str]) -> tuple[str, ...] | None:
    """The part of each image, train, val or test: from a column 'split', or from folders of such names; else None."""
    if column := table.find(SPLIT_COLUMNS) or _split_column(table):
        cells = table.column(column)
        for row in order:
            if cells[row].lower() not in PART_WORDS:
                raise DataError(
                    f"{table.name} line {table.lines[row]}: split is {cells[row]!r}; {did_you_mean(cells[row], PARTS)}"
                )
        used.append(f"split from {column!r}")
        return tuple(PART_WORDS[cells[row].lower()] for row in order)
    tops = [name.partition("/")[0].lower() if "/" in name else "" for name in images]
    if "train" in {PART_WORDS.get(top) for top in tops} and all(top in PART_WORDS for top in tops):
        used.append(f"split from the folders {', '.join(dict.fromkeys(tops))}")
        return tuple(PART_WORDS[top] for top in tops)
    return None


def _split_column(table: TextTable) -> str:
    """Return the first column with 'split' in its name, such as train_test_split, whose cells are all parts."""
    named = (name for name in table.header if "split" in name.casefold())
    return next((name for name in named if all(cell.lower() in PART_WORDS for cell in table.column(name))), "")


def _group_columns(table: TextTable, given: str, taken: tuple[str, ...]) -> list[str]:
    """The columns which say together what a split must keep whole: those that are given, or the first usual one."""
    if given == NO_GROUPS:
        return []
    if given:
        return [given] if given in table.header else [name.strip() for name in given.split(",")]
    found = table.find(GROUP_COLUMNS, taken)
    return [found] if found else []


def _groups(table: TextTable, order: list[int], columns: list[str], named: bool) -> tuple[tuple[str, ...], ...] | None:
    """Each image's group: the cells of all the columns; None without columns. Raises DataError for an empty cell."""
    if not columns:
        return None
    cells = [table.column(column) for column in columns]
    for row in sorted(order):
        for column, values in zip(columns, cells, strict=True):
            if not values[row]:
                how = "" if named else ", which is taken for groups,"
                raise DataError(
                    f"{table.name} line {table.lines[row]}: column {column!r}{how} is empty; fill it in, name another "
                    f"column with --group-column, or leave groups out with --group-column {NO_GROUPS}"
                )
    return tuple(tuple(values[row] for values in cells) for row in order)
