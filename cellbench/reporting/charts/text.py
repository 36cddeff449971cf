"""The width of text, where its lines break, and which of its characters no font on this machine has."""

import functools
import unicodedata
from collections.abc import Iterable

import vl_convert

FONT = "Liberation Sans, Arimo, Helvetica, Arial, sans-serif"  # equally wide; the first comes with vl-convert

# Widths of Latin letters in these fonts, in thousandths of the font size.
_WIDTHS = {
    letter: width
    for width, letters in {
        191: "'", 222: "ijl", 260: "|", 278: " !,./:;I[\\]ft", 333: "()-`r", 355: '"', 389: "*", 469: "^",
        500: "Jcksvxyz", 556: "#$0123456789?L_abdeghnopqu", 584: "+<=>~−×±", 611: "FTZ", 667: "&ABEKPSVXY",
        722: "CDHNRUw", 778: "GOQ", 833: "Mm", 889: "%", 944: "W", 1015: "@",
    }.items()
    for letter in letters
}  # fmt: skip
_OTHER, _FULL, _BOLD = 600, 1000, 1.08
NO_LETTER = "\U0010fffd"  # in an area of Unicode for which no font has letters


def width(text: str, size: float, bold: bool = False) -> float:
    """Return the width of the longest line of `text`, in the unit of `size`, the font size."""
    longest = max(sum(map(_letter, line)) for line in text.split("\n"))
    return longest * size / 1000 * (_BOLD if bold else 1)


def _letter(letter: str) -> int:
    if letter in _WIDTHS:
        return _WIDTHS[letter]
    return _FULL if unicodedata.east_asian_width(letter) in "WF" else _OTHER


def wrap(text: str, room: float, size: float, bold: bool = False, indent: str = "") -> list[str]:
    """Return the text in lines no wider than about `room`, all but the first indented; longer words are broken."""
    lines: list[str] = []
    for word in _words(text, room, size, bold):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size, bold) <= room:
            lines[-1] = longer
        else:
            lines.append(indent + word if lines else word)
    return lines


def _words(text: str, room: float, size: float, bold: bool) -> Iterable[str]:
    for word in text.split():
        piece = ""
        for letter in word:
            if piece and width(piece + letter, size, bold) > 0.95 * room:
                yield piece
                piece = ""
            piece += letter
        yield piece


def without_font(text: str) -> set[str]:
    """Return the characters of `text` that no font on this machine can draw; they would appear as boxes."""
    return {letter for letter in set(text) if not letter.isascii() and letter not in _WIDTHS and not _has_font(letter)}


@functools.cache
def _has_font(letter: str) -> bool:
    """Whether a font can draw a letter: it is no control or unassigned character, and is not drawn as NO_LETTER is."""
    return unicodedata.category(letter) not in ("Cc", "Cs", "Cn", "Co") and _drawn(letter) != _drawn(NO_LETTER)


@functools.cache
def _drawn(letter: str) -> bytes:
    text = f'<text y="13" font-family="{FONT}">{letter}</text>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16">{text}</svg>'
    return bytes(vl_convert.svg_to_png(svg))
