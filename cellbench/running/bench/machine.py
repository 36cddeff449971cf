"""The kind of a machine: what changes a ratio of two times, so that ratios of one kind alone are compared."""

import math
import platform
import time
from functools import cache

from ...core.machine.environment import cores, processor

SIDE = 1024  # of the square matrices of the fixed product
TURNS = 10


def product_seconds(times: int = 1) -> float:
    """Return the seconds that so many products of two float32 matrices of SIDE × SIDE take on the processor.

    The work is the same in every version of cellbench, so it stands beside a time that has no peer.
    """
    import torch

    a = torch.full((SIDE, SIDE), 0.5)
    start = time.perf_counter()
    for _ in range(times):
        a @ a
    return time.perf_counter() - start


@cache
def float32_rate() -> float:
    """Return the best rate of TURNS products, in float32 operations a second; other programs lower it little."""
    product_seconds()  # torch starts its threads
    return 2 * SIDE**3 / min(product_seconds() for _ in range(TURNS))


def kind() -> str:
    """Return the kind of this machine in words: processor, cores, threads, instructions, matrix rate and Python.

    The rate is rounded to a power of 2, as models of one name run at very different speeds. bf16: whether nets are
    trained in it here.
    """
    import torch

    from ...deep.precision import choose_precision

    bf16 = "bf16" if str(choose_precision("auto", "cpu")) == "bf16" else "no bf16"
    return (
        f"{processor()}, {cores()} cores, {torch.get_num_threads()} threads, "
        f"{torch.backends.cpu.get_cpu_capability()}, {bf16}, float32 at about {rounded(float32_rate()):,} GFLOP/s, "
        f"Python {'.'.join(platform.python_version_tuple()[:2])}"
    )


def rounded(rate: float) -> int:
    """Return operations a second as GFLOP/s, rounded to a power of 2 that is at least 1."""
    return int(2 ** max(0, round(math.log2(rate / 1e9))))
