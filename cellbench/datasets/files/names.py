"""Names of files: which are images, which are junk, and in what order people expect them."""

import re
import unicodedata
from collections.abc import Sequence

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".zarr")
JUNK = {"__macosx", "thumbs.db", "desktop.ini"}


def natural_key(text: str) -> tuple[list[str | int], str]:
    """A sort key that puts '2' before '10'."""
    parts = re.split(r"(\d+)", text)
    return [int(part) if i % 2 else part.casefold() for i, part in enumerate(parts)], text


def is_junk(name: str) -> bool:
    """Whether a path is hidden, or one of the files that operating systems leave behind."""
    return any(part.startswith(".") or part.lower() in JUNK for part in name.split("/"))


def is_image(name: str) -> bool:
    """Whether a file's name ends like that of an image that can be read."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def first_few(names: Sequence[str], most: int = 5) -> str:
    """The first `most` names, joined by commas, with '…' behind them when there are more."""
    return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])


def nfc(text: str) -> str:
    """Return a text with accented letters composed (NFC): macOS decomposes them in file names, tables mostly don't."""
    return unicodedata.normalize("NFC", text)
