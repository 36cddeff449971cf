"""Changes of files as sources have them."""

from pathlib import Path


def replace_text(path: Path, old: str, new: str, times: int = 1) -> None:
    """Replace the first `old` in a text file, which has to be there, or the first few; times=-1: every one."""
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, times))
