"""A table with a row an image: its file, its label or labels, and maybe its part and group."""

from pathlib import Path

from ...core.data import PARTS
from ...core.errors import DataError, did_you_mean
from ..files.names import first_few, natural_key
from ..files.tables import Table, read_table
from .class_folders import subfolders
from .listing import NO_GROUPS, ONE_HOT, PART_WORDS, SEPARATORS, FolderOptions, Listing, nfc

# usual column names, lower case without spaces, '_' and '-'; the first that is there is taken
FILE_COLUMNS = (
    *("file", "filename", "filepath", "path", "image", "imagefile", "imagename", "imagepath", "imageid"),
    *("img", "name", "id"),
)
LABEL_COLUMNS = ("label", "labels", "class", "imageclass", "classname", "labelname", "target", "category", "y")
GROUP_COLUMNS = ("group", "patient", "patientid", "donor", "specimen", "slide", "well", "wellid", "plate")
SPLIT_COLUMNS = ("split",)
YES_OR_NO = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


def find_table(
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
    needed = options.file_column or options.label_column or not subfolders(path)
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


def from_table(table: Table, pictures: list[str], options: FolderOptions) -> Listing:
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
    group_columns = _group_columns(table, options.group_column, (file_column, *columns))
    groups = _groups(table, order, group_columns, bool(options.group_column))
    if groups is not None:
        used.append(f"groups from {', '.join(map(repr, group_columns))} ({len(set(groups))})")
    return Listing(
        files=tuple(pictures),
        labels=tuple(labels),
        multilabel=bool(options.multilabel),
        order=() if label_column else tuple(map(nfc, columns)),
        rows=tuple(f"{table.name} line {table.lines[row]}" for row in order),
        parts=parts,
        groups=groups,
        group_column=",".join(group_columns),
        groups_named=bool(options.group_column),
        notes=(f"{table.name}: {', '.join(used)}", *([] if options.multilabel else _whole_labels(labels))),
    )


def _labels(table: Table, column: str, order: list[int], options: FolderOptions) -> list[tuple[str, ...]]:
    """Labels of each image from one column; none where it is empty."""
    cells = table.column(column)
    labels = []
    for row in order:
        cell = nfc(cells[row])
        found = (
            [cell] if not options.multilabel else cell.split(None if options.multilabel == " " else options.multilabel)
        )
        labels.append(tuple(dict.fromkeys(name.strip() for name in found if name.strip())))
    return labels


def _whole_labels(labels: list[tuple[str, ...]]) -> list[str]:
    """A note when a label is made of other labels, which may mean several in one cell: that is never guessed."""
    known = {label for (label,) in labels}
    for label in sorted(known, key=natural_key):
        for separator in SEPARATORS:
            pieces = [piece.strip() for piece in label.split(separator)]
            if len(pieces) > 1 and known.issuperset(pieces):
                return [f"{label!r} is one class; if it is several labels pass --multilabel '{separator}'"]
    return []


def _one_hot_columns(table: Table, file_column: str, options: FolderOptions) -> list[str]:
    """The columns with a label each: those given, or all that have no other meaning."""
    if options.label_column:
        return [name.strip() for name in options.label_column.split(",")]
    others = (file_column, table.find(SPLIT_COLUMNS), *_group_columns(table, options.group_column, (file_column,)))
    return [name for name in table.header if name not in others]


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
                labels[image].append(nfc(column))
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
                f"{table.name} line {table.lines[row]}: {cell!r} may mean {first_few(fits)}; "
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
        base = nfc(name).rpartition("/")[2]
        for end in {base, base.rpartition(".")[0]}:
            by_end.setdefault(end, []).append(name)
    return by_end


def _fits(cell: str, by_end: dict[str, list[str]]) -> list[str]:
    """The images whose path agrees with the cell's as far as both go; a whole agreement wins alone."""
    wanted = nfc(cell.replace("\\", "/").removeprefix("./"))
    fits = []
    for name in by_end.get(wanted.rpartition("/")[2], []):
        path = nfc(name)
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


def _group_columns(table: Table, given: str, taken: tuple[str, ...]) -> list[str]:
    """The columns that say together what must not straddle a split: those given, or the first that is usual."""
    if given == NO_GROUPS:
        return []
    if given:
        return [given] if given in table.header else [name.strip() for name in given.split(",")]
    found = table.find(GROUP_COLUMNS, taken)
    return [found] if found else []


def _groups(table: Table, order: list[int], columns: list[str], named: bool) -> tuple[tuple[str, ...], ...] | None:
    """Each image's group, what the columns say together; None without columns. An empty cell is refused."""
    if not columns:
        return None
    cells = [table.column(column) for column in columns]
    for row in sorted(order):
        for column, own in zip(columns, cells, strict=True):
            if not own[row]:
                how = "" if named else ", which is taken for groups,"
                raise DataError(
                    f"{table.name} line {table.lines[row]}: column {column!r}{how} is empty; fill it in, name another "
                    f"column with --group-column, or leave groups out with --group-column {NO_GROUPS}"
                )
    return tuple(tuple(own[row] for own in cells) for row in order)
