"""Which row of a table is about which image file."""

from ....core.errors import DataError
from ...files.names import first_few, nfc
from ...files.tables import TextTable

Endings = dict[str, list[str]]  # image files by the last part of their path, with and without suffix
NUMBER = "number "  # before the number in the key of files that are called by one, 'number 7' of 007.png


def match_rows(table: TextTable, cells: list[str], images: list[str], some: bool = False) -> dict[str, int]:
    """Return the row number of each image file. cells: the column of file names, one cell for each row.

    A cell may be a path from anywhere, as long as it ends in the file's path, and may lack the suffix. Raises DataError
    unless rows and image files pair exactly. some: rows without a file and files without a row are no error.
    """
    endings = endings_of(images)
    row_of: dict[str, int] = {}
    missing = []
    for row, cell in enumerate(cells):
        fitting = fitting_images(cell, endings)
        if len(fitting) > 1:
            raise DataError(
                f"{table.name} line {table.lines[row]}: {cell!r} may mean {first_few(fitting)}; "
                "give the path inside the folder"
            )
        if not fitting:
            missing.append(row)
        elif fitting[0] in row_of:
            first = table.lines[row_of[fitting[0]]]
            raise DataError(
                f"{table.name} lines {first} and {table.lines[row]} both name {fitting[0]}; remove one of them"
            )
        else:
            row_of[fitting[0]] = row
    if missing and not some:
        raise DataError(
            f"{len(missing)} of {len(cells)} rows of {table.name} have no image file, the first is "
            f"{cells[missing[0]]!r} in line {table.lines[missing[0]]}; "
            "add the files, remove the rows, or pass --labelled-only"
        )
    if not row_of:
        raise DataError(f"no row of {table.name} names an image file; the first is {cells[0]!r}, an image {images[0]}")
    if not some and (extra := [name for name in images if name not in row_of]):
        raise DataError(
            f"{len(extra)} of {len(images)} images have no row in {table.name}, the first is {extra[0]}; "
            "add rows, move the images elsewhere, or pass --labelled-only"
        )
    return row_of


def endings_of(images: list[str]) -> Endings:
    """Image files by the last part of their path, with and without suffix."""
    found: Endings = {}
    for name in images:
        base = nfc(name).rpartition("/")[2]
        stem = base.rpartition(".")[0]
        for ending in {base, stem, *([_number(stem)] if stem.isdecimal() else [])}:
            found.setdefault(ending, []).append(name)
    return found


def fitting_images(cell: str, endings: Endings) -> list[str]:
    """Return the images whose path ends in the cell's path, or the reverse.

    If one is equal to the cell's path, only that one is returned. The suffix doesn't count where the cell lacks it, nor
    do zeros before a number where no file is called as the cell: 7 is 007.png.
    """
    wanted = nfc(cell.replace("\\", "/").removeprefix("./"))
    fitting = []
    folder, _, last = wanted.rpartition("/")
    if last not in endings and last.isdecimal():
        found = endings.get(_number(last), [])
        return [name for name in found if _ends_alike(nfc(name).rpartition("/")[0], folder)]
    for name in endings.get(last, []):
        path = nfc(name)
        if not wanted.endswith(path.rpartition("/")[2]):
            path = path.rpartition(".")[0]
        if wanted == path:
            return [name]
        if _ends_alike(path, wanted):
            fitting.append(name)
    return fitting


def _ends_alike(path: str, other: str) -> bool:
    """Whether one of two paths ends in the other; any path ends in an empty one."""
    return not path or not other or f"/{path}".endswith(f"/{other}") or f"/{other}".endswith(f"/{path}")


def _number(digits: str) -> str:
    return f"{NUMBER}{int(digits)}"
