"""Times ours and the peer in turn, so that other programs slow both alike; the ratio of their medians counts."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial

from ...core.errors import BackendError
from ...core.machine.contention import Spent
from ...core.machine.environment import versions
from ...core.mixed_values import Document, Facts
from ..executors.child import ask
from ..single_run import peak_memory
from . import machine
from .judging import Judgement, judge
from .works import WORKS, Call


@dataclass(frozen=True)
class Timing:
    """Median seconds of ours and of the peer, and memory.

    memory, peer_memory: bytes at most of a process that does the work once, libraries and input included, but no
    processes that it starts; on a card the device memory of ours alone. 0 where it is not known. missing: why nothing
    was timed, or empty.
    """

    ours: float = 0.0
    peer: float = 0.0
    memory: int = 0
    missing: str = ""
    peer_memory: int = 0

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.peer / self.ours


@dataclass(frozen=True)
class Measurement:
    """What was timed, by name of the work, on what, and the share of the processors' time that other programs had.

    machine: the kind of machine, of which earlier measurements can be compared: processor or card, cores and versions.
    """

    machine: str
    device: str
    timings: dict[str, Timing]
    others: float | None

    def to_json(self) -> Document:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Facts) -> "Measurement":
        timings = {name: Timing(**timing) for name, timing in data["timings"].items()}
        return cls(data["machine"], data["device"], timings, data["others"])

    def alike(self, earlier: Sequence["Measurement"]) -> list["Measurement"]:
        """Return those of the same kind of machine, packages included, and device."""
        return [one for one in earlier if (one.machine, one.device) == (self.machine, self.device)]

    def judged(self, earlier: Sequence["Measurement"]) -> dict[str, Judgement]:
        """Return what is said of each ratio, by those of earlier measurements on the same machine and device."""
        alike = self.alike(earlier)
        found = {}
        for name, timing in self.timings.items():
            if not timing.missing:
                before = [one.timings[name] for one in alike if name in one.timings]
                found[name] = judge(timing.ratio, [one.ratio for one in before if not one.missing], len(self.timings))
        return found


def measure(names: Sequence[str], device: str, rounds: int, tiny: bool = False) -> Measurement:
    """Time these works on a device in `rounds` turns each, after one that does not count."""
    import torch

    started = Spent.now()
    timings = {name: _timing(name, device, rounds, tiny) for name in names}
    others = (Spent.now() - started).of_others
    card = f"{torch.cuda.get_device_name()}; " if device == "cuda" else ""
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    return Measurement(f"{card}{machine.kind()}; {packages}", device, timings, others)


def _timing(name: str, device: str, rounds: int, tiny: bool) -> Timing:
    import torch

    work = WORKS[name]
    if device not in work.devices:
        return Timing(missing=f"runs on {', '.join(work.devices)}")
    try:
        ours, peer = work.prepare(device, tiny)
    except (BackendError, ImportError) as error:
        return Timing(missing=str(error))
    ours(), peer()  # libraries start, kernels are chosen
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    pairs = [(_seconds(ours, device), _seconds(peer, device)) for _ in range(rounds)]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    if device == "cuda":
        return Timing(mine, theirs, torch.cuda.max_memory_allocated())
    return Timing(mine, theirs, _memory(name, 0, tiny), peer_memory=_memory(name, 1, tiny))


def _memory(name: str, side: int, tiny: bool) -> int:
    """Return the memory that a process of its own takes at most for ours, side 0, or the peer's work, side 1.

    0 if the process ends otherwise than well.
    """
    try:
        return ask(partial(_memory_here, name, side, tiny))
    except BackendError:
        return 0


def _memory_here(name: str, side: int, tiny: bool) -> int:
    WORKS[name].prepare("cpu", tiny)[side]()
    return peak_memory("cpu")["host"]


def _seconds(work: Call, device: str) -> float:
    """Return the seconds that a call takes, or those that it returns, if it is a float."""
    from ...deep.device import synchronise

    start = time.perf_counter()
    own = work()
    synchronise(device)
    return own if isinstance(own, float) else time.perf_counter() - start
