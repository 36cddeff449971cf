"""OME-TIFFs that hold one channel each and name each other: the pattern that joins them."""

import re
from collections.abc import Mapping
from pathlib import Path

from ...core.errors import DataError
from ..files.images.ome import read_ome
from ..files.images.tiff import open_tiff

BETWEEN_WORDS = r"([_\-. ])"
TIFF = (".tif", ".tiff")


def ome_pattern(files: Mapping[str, Path]) -> str:
    """Return the pattern of files with one channel each, as the first TIFF describes itself; '' when it is whole.

    Raises DataError when an image lies in several files whose names don't show what the channel is.
    """
    first = next((name for name in files if name.lower().endswith(TIFF)), "")
    names = _files_of_one_image(files[first]) if first else ()
    if not names:
        return ""
    if pattern := _pattern_of(names):
        return pattern
    raise DataError(
        f"{first} is one of {len(names)} files of an image ({', '.join(names[:3])}), and their names differ in more "
        "than the channel; give --pattern, such as '{id}_{channel}.ome.tif', or save one file a cell"
    )


def _files_of_one_image(path: Path) -> tuple[str, ...]:
    """Return the names of the files that an OME-TIFF says its image is spread over; none for any other file."""
    try:
        with open_tiff(path) as file:
            return read_ome(file.ome_metadata).files if file.is_ome else ()
    except Exception:  # a broken file makes the parser raise anything at all; decoding will name it
        return ()


def _pattern_of(names: tuple[str, ...]) -> str:
    """Return '{id}_C{channel}.ome.tif' of 'cell1_C0.ome.tif' and 'cell1_C1.ome.tif'; '' if more words differ."""
    words = [re.split(BETWEEN_WORDS, name) for name in names]
    if len({len(of_name) for of_name in words}) > 1:
        return ""
    differing = [k for k in range(len(words[0])) if len({of_name[k] for of_name in words}) > 1]
    if len(differing) != 1:
        return ""
    place = differing[0]
    found = [re.fullmatch(r"([A-Za-z]*)\d+", of_name[place]) for of_name in words]
    numbered = {match[1] for match in found if match}  # C0, C1: only the number is the channel's name
    word = (numbered.pop() if all(found) and len(numbered) == 1 else "") + "{channel}"
    before, after = words[0][:place], words[0][place + 1 :]
    if before:
        return "{id}" + before[-1] + word + "".join(after)
    suffix = 4 if names[0].lower().endswith((".ome.tif", ".ome.tiff")) else 2  # words, the dots among them
    return word + after[0] + "{id}" + "".join(after[-suffix:]) if len(after) > suffix else ""
