"""What a run has of the machine where several are done at a time: some of its processors, or one of its GPUs.

Runs on the same processors would wait for each other; each has its own, but memory and its bandwidth are shared, so
their times are marked.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...core.errors import UsageError
from ...core.machine import contention
from ...core.machine.environment import cores
from ...core.mixed_values import Facts
from ...core.text.words import counted

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Place:
    """What one run has of the machine.

    processors: numbers of those that it runs on; empty for all, or where the system cannot bind a process to some.
    threads: the most that it may use; 0 for as many as torch takes. card: the GPU that it alone has, as
    CUDA_VISIBLE_DEVICES names it; '' for whichever is the first. sharing: how many runs share the processors.
    """

    processors: tuple[int, ...] = ()
    threads: int = 0
    card: str = ""
    sharing: int = 1

    @property
    def variables(self) -> Mapping[str, str]:
        """What the environment of its process has to say."""
        return {VISIBLE: self.card} if self.card else {}

    @property
    def facts(self) -> Facts:
        """What the environment in its record says: `devices`, the GPU or the processors that were its own."""
        devices = [self.card] if self.card else [str(number) for number in self.processors]
        return {"devices": devices} if devices else {}

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Let this process, which is the run's alone, have no more than the place while the block lasts."""
        if not self.threads:
            yield
            return
        import torch
        from threadpoolctl import threadpool_limits

        threads = min(self.threads, torch.get_num_threads())
        contention.share(self.sharing, self.processors)
        if self.processors:
            os.sched_setaffinity(0, self.processors)
        torch.set_num_threads(threads)
        with threadpool_limits(threads):  # those of numpy and scikit-learn
            yield


WHOLE = Place()


def places_for(jobs: int, device: str, cards: int) -> list[Place]:
    """Return a place for each of so many runs at a time.

    cards: the number of GPUs that torch sees. Raises UsageError if there are not as many processors, or GPUs.
    """
    if jobs == 1:
        return [WHOLE]
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if jobs > cores():
        raise UsageError(f"--jobs got {jobs}, and this process may use {counted(cores(), 'processor')}; give fewer")
    shares = [tuple(usable[at * len(usable) // jobs : (at + 1) * len(usable) // jobs]) for at in range(jobs)]
    least = cores() // jobs
    if device != "cuda":
        return [Place(share[:least], least, sharing=jobs) for share in shares]
    if jobs > cards:
        raise UsageError(
            f"--jobs got {jobs}, and torch sees {counted(cards, 'GPU')}; give at most one run for each, or --device cpu"
        )
    return [Place(share[:least], least, card) for share, card in zip(shares, _cards(cards), strict=False)]


def _cards(n: int) -> Sequence[str]:
    """Return the names of the n GPUs that this process may use, as CUDA_VISIBLE_DEVICES has them."""
    given = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    return given if len(given) == n else [str(number) for number in range(n)]
