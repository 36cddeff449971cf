"""A table with one row for each image: its file, its label or labels, and maybe its part and group."""

from collections.abc import Mapping
from pathlib import Path

from ...core.data import PARTS
from ...core.errors import DataError, did_you_mean
from ..files.names import first_few, natural_key, nfc
from ..files.tables import TABLE_SUFFIXES, Table, read_table
from ..splits import PART_WORDS
from .class_folders import subfolders
from .listing import Listing
from .metadata_tables import joined_metadata
from .options import NO_GROUPS, ONE_HOT, SEPARATORS, FolderOptions
from .plate_tables import is_plate_table, with_files
from .row_matching import endings_of, fitting_images, match_rows

# Usual names of columns, in lower case without spaces, '_' and '-'; of several that are there the first is taken.
FILE_COLUMNS = (
    *("file", "filename", "filepath", "path", "image", "imagefile", "imagename", "imagepath", "imageid"),
    *("img", "name", "id", "imageurl", "url"),
)
LABEL_COLUMNS = (
    *("label", "labels", "class", "imageclass", "classname", "classlabel", "labelname", "target", "category", "y"),
    *("classification", "celltype", "phenotype", "metadataclass", "metadatalabel", "metadatamoa", "metadatatreatment"),
    *("treatment", "pertname"),
)
GROUP_COLUMNS = (
    *("group", "patient", "patientid", "donor", "specimen", "slide", "well", "wellid", "plate"),
    *("metadatawell", "metadataplate", "wellname", "platename"),
)
# Behind both stands the name of the channel, and before them, in exports to a database, 'Image_'.
CELLPROFILER_FILE, CELLPROFILER_FOLDER = "FileName_", "PathName_"
FIELDS = {"Metadata_Plate", "Metadata_Well", "Metadata_Site"}  # of DeepProfiler's index.csv
SPLIT_COLUMNS = ("split",)
YES_OR_NO = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


def find_table(
    path: Path, files: dict[str, Path], images: list[str], options: FolderOptions
) -> tuple[Table | None, list[str]]:
    """The table of labels, None when there is none; and notes on tables that are not used.

    It is the one that the user gave, or the only one at the folder's top that has the columns and names an image.
    """
    if options.labels is not None:
        return _with_files(read_table(options.labels, options.labels.name), images, options), []
    if joined := joined_metadata(files):
        return joined, []
    usable: list[Table] = []
    notes: list[str] = []
    endings = endings_of(images)
    tables = (name for name in files if name.lower().endswith(TABLE_SUFFIXES) or is_plate_table(name))
    for name in (name for name in tables if "/" not in name):
        table = None
        try:
            table = _with_files(read_table(files[name], name), images, options)
            main, _ = _main_columns(table, options)
            columns = file_columns(table, options.file_column) or [main]
            if not any(fitting_images(cell, endings) for column in columns for cell in file_cells(table, column)):
                raise DataError("none of its rows names an image here")
            usable.append(table)
        except DataError as error:
            if table and not options.label_column:
                _refuse_plates_as_classes(path, table)
            notes.append(f"{name} not used: {error}")
    if len(usable) > 1:
        raise DataError(f"{path} holds several tables of labels, {', '.join(t.name for t in usable)}; give --labels")
    if not usable and not options.file_column and not options.label_column:
        _refuse_tables_in_folders(path, files, images, options)
    needed = options.file_column or options.label_column or not subfolders(path)
    if not usable and notes and needed:
        raise DataError("; ".join(notes))
    return (usable[0] if usable else None), notes


def _refuse_tables_in_folders(path: Path, files: Mapping[str, Path], images: list[str], options: FolderOptions) -> None:
    """Raise DataError if tables in sub-folders label the images there: those folders are no classes then."""
    found = []
    endings = endings_of(images)
    for name in [name for name in files if name.count("/") == 1 and name.lower().endswith(TABLE_SUFFIXES)][:5]:
        try:
            table = read_table(files[name], name)
            main, labels = _main_columns(table, options)
        except DataError:
            continue
        cells = file_cells(table, main)
        if len(set(table.column(labels))) > 1 and all(fitting_images(cell, endings) for cell in cells):
            found.append(name)
    if found:
        raise DataError(
            f"{first_few(found)} in the folders of {path} say the labels of the images there, so the folders are no "
            f"classes; give one of them, such as {path / found[0].partition('/')[0]}, or --layout '{{class}}/**' if "
            "they are the classes"
        )


def _with_files(table: Table, images: list[str], options: FolderOptions) -> Table:
    """Return the table; one without a column of files gets one if it says where on a plate each cell was."""
    if options.file_column or file_columns(table, "") or table.find(FILE_COLUMNS):
        return table
    return with_files(table, images) or table


def _refuse_plates_as_classes(path: Path, table: Table) -> None:
    """Raise DataError if the folders are plates, that is, if a column of plates in a table without labels has all."""
    tops = set(subfolders(path))
    for column in table.header:
        if tops and "plate" in column.lower() and tops <= set(table.column(column)):
            raise DataError(
                f"the folders of {path} are what column {column!r} of {table.name} says, so they are no classes; name "
                f"the column of classes with --label-column (its columns are {', '.join(table.header)})"
            )


def _main_columns(table: Table, options: FolderOptions) -> tuple[str, str]:
    """The names of the columns of files and of labels; '' for the latter when each label has its own column."""
    first = next(iter(file_columns(table, options.file_column)), "")
    file_column = _column(table, "file", first, FILE_COLUMNS)
    if options.multilabel == ONE_HOT:
        return file_column, ""
    return file_column, _column(table, "label", options.label_column, LABEL_COLUMNS)


def file_columns(table: Table, given: str) -> list[str]:
    """Return the columns of files that are given, or those that CellProfiler gave file names, such as FileName_DNA."""
    if given:
        return [given] if given in table.header else [name.strip() for name in given.split(",")]
    return [name for name in table.header if CELLPROFILER_FILE in name]


def file_cells(table: Table, column: str) -> list[str]:
    """Return the file of each row; where CellProfiler has a column of folders as well, with its folder."""
    cells = table.column(column)
    folder = column.replace(CELLPROFILER_FILE, CELLPROFILER_FOLDER)
    if CELLPROFILER_FILE not in column or folder not in table.header:
        return cells
    return [f"{path}/{cell}" for path, cell in zip(table.column(folder), cells, strict=True)]


def _yes_no_columns(table: Table) -> list[str]:
    """Return the columns that hold both 0 and 1 and nothing else; none if there is only one."""
    found = [name for name in table.header if set(table.column(name)) == {"0", "1"}]
    return found if len(found) > 1 else []


def _column(table: Table, what: str, given: str, usual: tuple[str, ...]) -> str:
    """The name of a column: the given one, else a usual one. Raises DataError when the table has none."""
    name = given or table.find(usual)
    if not name and what == "label" and (several := _yes_no_columns(table)):
        raise DataError(
            f"{table.name} has no column of labels, but {len(several)} of 0 and 1 ({', '.join(several[:4])}): pass "
            "--multilabel onehot if each is a label"
        )
    if not name and what == "file" and FIELDS.issubset(table.header):
        raise DataError(
            f"{table.name} lists fields of view by plate, well and site, as DeepProfiler's index.csv does; name its "
            "columns of files, one a channel, with --file-column DNA,ER, or export single cells by DeepProfiler and "
            "give the folder with its sc-metadata.csv"
        )
    if not name:
        raise DataError(
            f"{table.name} has no column called {what!r} or alike; its header is {', '.join(table.header)}: "
            f"name the column with --{what}-column"
        )
    table.column(name)
    return name


def from_table(table: Table, images: list[str], options: FolderOptions) -> Listing:
    """Return the listing of the images with what the table says of each one.

    Raises DataError unless rows and image files pair exactly.
    """
    file_column, label_column = _main_columns(table, options)
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


def _unused_split(table: Table, parts: tuple[str, ...] | None) -> list[str]:
    """A note on a column that looks like a split and cannot be read as one, where no other gives the split."""
    named = [name for name in table.header if "split" in name.casefold()]
    if parts is not None or not named:
        return []
    found = first_few(sorted(set(table.column(named[0]))), 4)
    return [f"column {named[0]!r} ({found}) is not used: a column 'split' has train, val and test"]


def _labels(table: Table, column: str, order: list[int], options: FolderOptions) -> list[tuple[str, ...]]:
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


def _one_hot_columns(table: Table, file_column: str, options: FolderOptions) -> list[str]:
    """The columns that stand for one label each: those that are given, or all that have no other meaning."""
    if options.label_column:
        return [name.strip() for name in options.label_column.split(",")]
    others = (
        file_column,
        table.find(SPLIT_COLUMNS) or _split_column(table),
        *_group_columns(table, options.group_column, (file_column,)),
    )
    return [name for name in table.header if name not in others]


def _one_hot(table: Table, columns: list[str], order: list[int]) -> list[tuple[str, ...]]:
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


def _parts(table: Table, images: list[str], order: list[int], used: list[str]) -> tuple[str, ...] | None:
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


def _split_column(table: Table) -> str:
    """Return the first column with 'split' in its name, such as train_test_split, whose cells are all parts."""
    named = (name for name in table.header if "split" in name.casefold())
    return next((name for name in named if all(cell.lower() in PART_WORDS for cell in table.column(name))), "")


def _group_columns(table: Table, given: str, taken: tuple[str, ...]) -> list[str]:
    """The columns which say together what a split must keep whole: those that are given, or the first usual one."""
    if given == NO_GROUPS:
        return []
    if given:
        return [given] if given in table.header else [name.strip() for name in given.split(",")]
    found = table.find(GROUP_COLUMNS, taken)
    return [found] if found else []


def _groups(table: Table, order: list[int], columns: list[str], named: bool) -> tuple[tuple[str, ...], ...] | None:
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
