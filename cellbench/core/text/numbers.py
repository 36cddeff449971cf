"""Numbers as people type several of them: '0', '0-4', '0,3,5'."""


def ranges_in(text: str) -> list[range] | None:
    """Return the ranges of whole numbers that a text stands for, their ends included; None for any other text."""
    found = []
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()):
            return None
        found.append(range(int(first), int(last or first) + 1))
    return found if all(found) else None


def each_once(ranges: list[range]) -> tuple[int, ...]:
    """Return the numbers of several ranges in the order given, each once."""
    return tuple(dict.fromkeys(number for one in ranges for number in one))
