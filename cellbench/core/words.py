"""Numbers in sentences."""


def signed(value: float) -> str:
    """'+11.5', '−7.7': with the sign that is as wide as a plus."""
    return f"{value:+.1f}".replace("-", "−")


def counted(n: int, noun: str, plural: str = "") -> str:
    """'1 run', '2 runs', '12,500 images'; plural: where it isn't the noun with an s."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
