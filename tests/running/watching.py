"""What tests of interrupted and harmful runs look at from outside, and the toy images as a plug-in."""

import time
from pathlib import Path

# The toy images as a data set that a command knows.
RINGS = """
from cellbench.datasets import dataset
from cellbench.datasets.toy import rings
@dataset("rings-toy", "", licence="", size="")
def build(scratch, source): return rings()
"""


def processes_with(mark: str) -> dict[int, str]:
    """Processes of this user whose environment has `mark`, orphans too: their ids and command lines."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # another user's, or gone
            continue
    return found


def until(condition, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
