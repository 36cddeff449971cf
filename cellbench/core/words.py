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
