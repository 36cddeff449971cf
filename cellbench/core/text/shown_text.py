"""Text from files, folders and other people's code, made safe to show: nothing in it acts on what shows it."""

import re

# Control characters (a terminal obeys them), marks that turn the direction of text or are not seen, line and paragraph
# ends, halves of characters that no encoding can write.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_MARKUP = re.compile(r"[\\|<>*_\[\]`]")
_BEGINS_FORMULA = ("=", "+", "-", "@")  # tabs and returns before one are written out


def visible(text: str, lines: bool = False) -> str:
    r"""Return a text with its control characters written out, such as \x1b; lines: keep the ends of lines."""
    if _CONTROL.search(text) is None:
        return text
    return _CONTROL.sub(lambda found: found[0] if lines and found[0] == "\n" else _written_out(found[0]), text)


def visible_in(value: object) -> object:
    """Return plain data with every text in it, keys too, made `visible`."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible_in(key): visible_in(inner) for key, inner in value.items()}
    return [visible_in(inner) for inner in value] if isinstance(value, list) else value


def may_need_it(json: str) -> bool:
    """Whether a text of JSON may hold a control character in one of its texts; quick, for ten thousand records."""
    return "\\" in json or _CONTROL.search(json.replace("\n", "")) is not None


def csv_cell(value: object, bytes_stay: bool = False) -> object:
    """Return a cell of a CSV file that no spreadsheet takes for a formula: such a text gets a ' in front.

    bytes_stay: leave bytes of file names that are no UTF-8, for programs that open these files.
    """
    if not isinstance(value, str):
        return value
    shown = "".join(one if bytes_stay and "\udc80" <= one <= "\udcff" else visible(one, lines=True) for one in value)
    return f"'{shown}" if shown.startswith(_BEGINS_FORMULA) else shown


def markdown(text: str) -> str:
    """Return a text that Markdown shows as it is: no name in it becomes markup or HTML."""
    return _MARKUP.sub(r"\\\g<0>", visible(text))


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
