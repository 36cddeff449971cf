"""Sentences wrapped for a terminal, with the commands in them on lines of their own."""

import re
import textwrap
from collections.abc import Iterator

COMMAND = ": cellbench "  # begins the command that a sentence ends with
NO_BREAK = "\ue000"  # stands for a space at which no line ends; a private character, that no text has
BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:%|s|ms|µs|min|h|B|kB|MB|GB|px)(?!\w))")


def filled(text: str, room: int, indent: str = "", first: str = "", break_long_words: bool = False) -> list[str]:
    """Return the lines of a text wrapped to `room` characters, between words; a number and its unit stay together.

    indent, first: what stands before all lines but the first, and before the first. break_long_words: a word longer
    than a line, such as a list of numbers, is broken; otherwise it has a line of its own.
    """
    lines = textwrap.wrap(
        BEFORE_UNIT.sub(NO_BREAK, text),
        room,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=break_long_words,
        break_on_hyphens=False,
    )
    return [line.replace(NO_BREAK, " ") for line in lines]


def wrapped(text: str, room: int, option: str = "") -> Iterator[str]:
    """Yield the lines of a text, each wrapped to `room` characters.

    A command behind a sentence stays whole on a line of its own, so that it can be copied; option: what is added to it.
    """
    for line in text.split("\n"):
        sentence, colon, command = line.partition(COMMAND)
        yield from filled(sentence + colon[:1], room) or [""]
        if command:
            yield f"  {colon[2:]}{command}{option}"
