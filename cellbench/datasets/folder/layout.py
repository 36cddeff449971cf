"""Labels, groups and parts from a layout that the user gives: '{plate}/{well}/{class}/*.png'."""

import re

from ...core.errors import DataError, UsageError
from ..files.names import first_few, nfc
from ..splits import PART_WORDS
from .class_folders import part_word
from .listing import Listing
from .options import CLASS, NO_GROUPS, PART, FolderOptions


def from_layout(images: list[str], options: FolderOptions) -> Listing:
    """Return the listing of the images that fit the layout. The others are left out, and a note counts them.

    What a place stands for is its name: the class, 'split' the part; all others say together what the group is, or
    those of them that the group column names. Raises DataError when no image fits or a part has no usual name.
    """
    words = layout_expression(options.layout)
    fits = [(name, fit) for name in images if (fit := words.fullmatch(name))]
    if not fits:
        raise DataError(
            f"none of {len(images)} images fits the layout {options.layout!r}, the first is {images[0]}; "
            f"a place is one folder's name: give as many as there are folders, and {{{CLASS}}} for the class"
        )
    places = [place for place in words.groupindex if place not in (CLASS, PART)]
    columns = _group_places(places, options.group_column)
    notes = [f"layout {options.layout!r}: classes {first_few(sorted({nfc(fit[CLASS]) for _, fit in fits}))}"]
    if columns:
        notes[0] += f", groups from {', '.join(columns)} ({len({fit.group(*columns) for _, fit in fits})})"
    if odd := [name for name in images if not words.fullmatch(name)]:
        notes.append(f"{len(odd)} images that do not fit the layout left out, the first is {odd[0]}")
    return Listing(
        files=tuple(name for name, _ in fits),
        labels=tuple((nfc(fit[CLASS]),) for _, fit in fits),
        parts=tuple(_part(name, fit[PART]) for name, fit in fits) if PART in words.groupindex else None,
        groups=tuple(tuple(fit[place] for place in columns) for _, fit in fits) if columns else None,
        group_column=",".join(columns),
        groups_named=bool(options.group_column),
        notes=tuple(notes),
    )


def layout_expression(layout: str) -> re.Pattern[str]:
    """Return '{plate}/*/{class}/*.png' as a regular expression with a named group for each place.

    A place may be a part of a name, as in '{class}/{patient}_*.png': it is then the shortest that fits.
    """
    pieces = re.split(r"(\{\w+\}|\*\*|\*)", layout)
    usual = {"*": "[^/]*", "**": ".*"}
    text = "".join(
        f"(?P<{piece[1:-1]}>[^/]+?)" if piece.startswith("{") else usual.get(piece, re.escape(piece))
        for piece in pieces
    )
    return re.compile(text, re.IGNORECASE)


def _group_places(places: list[str], given: str) -> list[str]:
    """The places that say together what the group is: those that are given, or all."""
    if given == NO_GROUPS:
        return []
    wanted = [name.strip() for name in given.split(",")] if given else places
    if odd := [name for name in wanted if name not in places]:
        raise UsageError(f"the layout has no place {odd[0]!r} for --group-column; it has {', '.join(places) or 'none'}")
    return wanted


def _part(name: str, word: str) -> str:
    if not (part := part_word(word)):
        raise DataError(f"{name}: the part is {word!r}; train, val or test are expected ({', '.join(PART_WORDS)})")
    return part
