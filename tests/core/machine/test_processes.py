"""What processes do with their memory."""

import platform
import subprocess
import sys

import pytest

# Where the system gives memory by the 2 MiB, few faults tell of much: this process has it by pages.
FAULTS = """
import ctypes, resource
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE
from cellbench.core.machine.processes import keep_memory
{}
for _ in range(3):
    [b"x" * 2**24 for _ in range(4)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    [b"x" * 2**24 for _ in range(4)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_freed_memory_is_used_again_and_not_asked_of_the_system():
    def faults(line: str) -> int:
        return int(subprocess.run([sys.executable, "-c", FAULTS.format(line)], capture_output=True, check=True).stdout)

    pages = 4 * 2**24 // 4096
    assert faults("keep_memory()") < 2 * pages
    assert faults("") > 10 * pages  # so that the test would see it
