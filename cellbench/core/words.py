"""Numbers in sentences."""


def signed(value: float) -> str:
    """'+11.5', '−7.7': with the sign that is as wide as a plus."""
    return true_minus(f"{value:+.1f}")


def true_minus(number: str) -> str:
    """A number that was formatted with its sign: with a minus as wide as a plus, and none before zero."""
    zero = not any(digit in number for digit in "123456789")
    return number.replace("-", "+" if zero and "-" in number else "−")


def counted(n: int, noun: str, plural: str = "") -> str:
    """'1 run', '2 runs', '12,500 images'; plural: where it isn't the noun with an s."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """A length of time as people say it: 8 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 1:
        return "<1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"


def file_size(size: float) -> str:
    """Bytes as people say them: 512 B, 1.4 MB, 12.0 GB (powers of 1000)."""
    for unit in ("B", "kB", "MB"):
        if size < 999.5 or (unit == "B" and size < 1000):
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
