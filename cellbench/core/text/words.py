"""Functions that write numbers and nouns as text for sentences, and names for files."""

import re

IRREGULAR = {"mouse": "mice", "series": "series"}


def signed(value: float) -> str:
    """Return a number with its sign and one decimal, '+11.5' or '−7.7', with a minus as wide as a plus."""
    return true_minus(f"{value:+.1f}")


def true_minus(number: str) -> str:
    """Return a number that was formatted with its sign with a minus as wide as a plus, and with none before zero."""
    zero = not any(digit in number for digit in "123456789")
    return number.replace("-", "+" if zero and "-" in number else "−")


def counted(n: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: '1 run', '2 runs', '12,500 images'; plural: if it is not the noun with an s."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def plural(noun: str) -> str:
    """Return the plural of a noun: 'wells', 'batches', 'biopsies', 'mice'."""
    if noun in IRREGULAR:
        return IRREGULAR[noun]
    if re.search(r"(s|x|ch|sh)$", noun):
        return noun + "es"
    return re.sub(r"([^aeiou])y$", r"\1ie", noun) + "s"


def duration(seconds: float) -> str:
    """Return a length of time as people say it: 8 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 1:
        return "<1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"


def file_size(size: float) -> str:
    """Return a number of bytes as people say it: 512 B, 1.4 MB, 12.0 GB (powers of 1000)."""
    for unit in ("B", "kB", "MB"):
        if size < 999.5 or (unit == "B" and size < 1000):
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def percent(share: float) -> str:
    """Return a share in per cent with one digit: '12.3 %'."""
    return f"{100 * share:.1f} %"


def file_name(text: str) -> str:
    """Return a text as the name of a file or folder: whatever may be special in a name or a shell becomes a dash."""
    return re.sub(r"[^\w.+-]+", "-", text).strip("-.") or "unnamed"


def printed_difference(share: float, other: float) -> float:
    """Return share − other of both as they are printed, in per cent with one digit: 94.3 − 83.0 is 11.3, not 11.4."""
    return round(round(100 * share, 1) - round(100 * other, 1), 1) / 100
