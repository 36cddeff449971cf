"""Finding the table of labels of a folder, and folders that a table shows to be no classes."""

from collections.abc import Mapping
from pathlib import Path

from ....core.errors import DataError
from ...files.names import first_few
from ...files.tables import TABLE_SUFFIXES, TextTable, read_table
from ..class_folders import subfolders
from ..options import FolderOptions
from .columns import FILE_COLUMNS, file_cells, file_columns, main_columns
from .metadata_tables import joined_metadata
from .plate_tables import is_plate_table, with_files, with_wells
from .row_matching import endings_of, fitting_images


def find_table(
    path: Path, files: dict[str, Path], images: list[str], options: FolderOptions
) -> tuple[TextTable | None, list[str]]:
    """The table of labels, None when there is none; and notes on tables that are not used.

    It is the one that the user gave, or the only one at the folder's top that has the columns and names an image.
    """
    if options.labels is not None:
        return _with_files(read_table(options.labels, options.labels.name), images, options), []
    if joined := joined_metadata(files):
        return joined, []
    usable: list[TextTable] = []
    notes: list[str] = []
    endings = endings_of(images)
    tables = (name for name in files if name.lower().endswith(TABLE_SUFFIXES) or is_plate_table(name))
    for name in (name for name in tables if "/" not in name):
        table = None
        try:
            table = _with_files(read_table(files[name], name), images, options)
            main, _ = main_columns(table, options)
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
            main, labels = main_columns(table, options)
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


def _with_files(table: TextTable, images: list[str], options: FolderOptions) -> TextTable:
    """Return the table; one without a column of files gets one if it says where on a plate each cell was.

    DeepProfiler's gets a column of wells.
    """
    table = with_wells(table)
    if options.file_column or file_columns(table, "") or table.find(FILE_COLUMNS):
        return table
    return with_files(table, images) or table


def _refuse_plates_as_classes(path: Path, table: TextTable) -> None:
    """Raise DataError if the folders are plates, that is, if a column of plates in a table without labels has all."""
    tops = set(subfolders(path))
    for column in table.header:
        if tops and "plate" in column.lower() and tops <= set(table.column(column)):
            raise DataError(
                f"the folders of {path} are what column {column!r} of {table.name} says, so they are no classes; name "
                f"the column of classes with --label-column (its columns are {', '.join(table.header)})"
            )
