"""Tables that say where on a plate a cell was, in place of its file: Harmony's and Columbus's objects and wells.

Both programs write tab-separated text below a head that ends in '[Data]', with a row for each object ('Row', 'Column',
'Field', 'Object No' and what was measured) or for each well. Harmony calls images 'r02c03f01p01-ch1sk1fk1fl1.tiff': row
2, column 3, field 1. Crops whose names begin so and end in the object's number, 'r02c03f01_17.png', are found by these.
Source: Objects_Population and PlateResults files of Harmony 4 and 5, as programs that read them describe them.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from ....core.errors import DataError
from ...files.names import first_few, nfc
from ...files.tables import TextTable
from .columns import DEEPPROFILER

ROW, COLUMN, FIELD, OBJECT = ("row",), ("column", "col"), ("field",), ("objectno", "objectnumber", "object")
WELL = ("well", "wellname", "metadatawell")
PLACE = re.compile(r"(?<![a-z])r0*(?P<row>\d+)c0*(?P<column>\d+)(f0*(?P<field>\d+))?", re.IGNORECASE)
FILE_COLUMN = "file"  # what the column of files is called that is added

WellPlace = tuple[int, ...]  # row, column and, as far as the table has them, field and object


def is_plate_table(name: str) -> bool:
    """Whether a file is called like a list of objects or wells that Harmony writes."""
    return re.fullmatch(r"(objects_population.*|plateresults.*)\.txt", name, re.IGNORECASE) is not None


def with_files(table: TextTable, images: Sequence[str]) -> TextTable | None:
    """Return the table with a column of files in front, and a row for each image; None if it has no places on a plate.

    A row of a well is repeated for each of its images. A row without an image keeps the name that its image would have.
    A column 'Well' is added unless there is one. Raises DataError if two rows are about the same place.
    """
    columns = [table.find(usual) for usual in (ROW, COLUMN, FIELD, OBJECT)]
    if not all(columns[:2]):
        return None
    parts = [k for k, name in enumerate(columns) if name]
    rows: dict[WellPlace, int] = {}
    cells = list(zip(*(table.column(columns[k]) for k in parts), strict=True))
    for number, of_row in enumerate(cells):
        if not all(re.fullmatch(r"\d+(\.0*)?", cell) for cell in of_row):
            return None  # rows and columns of something else
        place = tuple(int(float(cell)) for cell in of_row)
        if place in rows:
            raise DataError(
                f"{table.name} lines {table.lines[rows[place]]} and {table.lines[number]} are both about "
                f"{_name(place, parts)}; keep one plane and one time point"
            )
        rows[place] = number
    images_of: dict[int, list[str]] = {}
    for image in images:
        if (found := _place(image, parts)) in rows:
            images_of.setdefault(rows[found], []).append(image)
    if not images_of:
        raise DataError(
            f"{table.name} says row, column and object of each cell and no file, and no image is called like "
            f"{_name(next(iter(rows)), parts)}.png; the images are {first_few(images, 2)}: name crops by row, column, "
            "field and number of the object, or add a column 'file'"
        )
    return _expanded(table, rows, images_of, parts)


def with_wells(table: TextTable) -> TextTable:
    """Return DeepProfiler's table with a column 'Well', 'plate/well' of its keys 'plate/well/site'.

    Any other table is returned as it is, and so is one that has a column of wells.
    """
    if table.name.lower() != DEEPPROFILER or "Key" not in table.header or table.find(WELL):
        return table
    wells = [key.rpartition("/")[0] for key in table.column("Key")]
    if not all(wells):
        return table
    rows = tuple((*row, well) for row, well in zip(table.rows, wells, strict=True))
    return replace(table, header=(*table.header, "Well"), rows=rows)


def _expanded(
    table: TextTable, rows: dict[WellPlace, int], images_of: dict[int, list[str]], parts: Sequence[int]
) -> TextTable:
    wells = not table.find(WELL)
    lines: list[int] = []
    found: list[tuple[str, ...]] = []
    for place, number in rows.items():
        for file in images_of.get(number, [_name(place, parts)]):
            found.append((file, *([_well(place)] if wells else []), *table.rows[number]))
            lines.append(table.lines[number])
    return replace(
        table, header=(FILE_COLUMN, *(["Well"] if wells else []), *table.header), rows=tuple(found), lines=tuple(lines)
    )


def _place(image: str, parts: Sequence[int]) -> WellPlace | None:
    """Return the place that an image's name says, as far as the table has it; None if the name lacks some of it."""
    stem = nfc(image).rpartition("/")[2].rpartition(".")[0]
    fit = PLACE.search(stem)
    if not fit:
        return None
    numbers = re.findall(r"\d+", stem[fit.end() :])
    of_name = [fit["row"], fit["column"], fit["field"], numbers[-1] if numbers else None]
    wanted = [of_name[k] for k in parts]
    return tuple(int(each) for each in wanted if each is not None) if None not in wanted else None


def _name(place: WellPlace, parts: Sequence[int]) -> str:
    """Return what an image of this place is called: 'r02c03f01_17'."""
    marks = [("r", 2), ("c", 2), ("f", 2), ("_", 1)]
    return "".join(f"{marks[k][0]}{number:0{marks[k][1]}}" for k, number in zip(parts, place, strict=True))


def _well(place: WellPlace) -> str:
    """Return a well's name, 'B03' of row 2 and column 3; rows after the 26th are AA, AB and so on."""
    row, column = place[:2]
    letter = chr(ord("A") + (row - 1) % 26)
    return f"{'A' * ((row - 1) // 26)}{letter}{column:02}"
