"""The kind of a machine: what changes a ratio of two times, so that ratios of one kind alone are compared."""

import platform
import time

from ...core.machine.environment import cores, processor

SIDE = 1024  # of the square matrices of the fixed product


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


def kind() -> str:
    """Return the kind of this machine in words: processor, cores, threads, instructions, bf16 and Python.

    bf16: whether nets are trained in it here. Nothing in it is measured: a rate near a boundary would change the kind
    from run to run, and a faster machine that is else the same does our work and a peer's faster alike.
    """
    import torch

    from ...deep.precision import choose_precision

    bf16 = "bf16" if str(choose_precision("auto", "cpu")) == "bf16" else "no bf16"
    return (
        f"{processor()}, {cores()} cores, {torch.get_num_threads()} threads, "
        f"{torch.backends.cpu.get_cpu_capability()}, {bf16}, "
        f"Python {'.'.join(platform.python_version_tuple()[:2])}"
    )
