"""How long runs may take, for the plan and the progress bar: rough, but sound from tiny runs to full ones.

A run costs something fixed and something in proportion to its work. This machine's records of the same method and data
set say how much of either; a rough prior speaks where they are too far away.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..core.runs import RunRecord, RunSpec, canonical
from ..core.store import Store
from ..methods.registry import MethodEntry, methods
from .job import Job

ONCE = 5.0  # seconds until the imports of all runs are done
EACH = 0.5  # seconds for a process a run, its plug-ins, and saving
FARTHEST = 10  # a record is believed of a run with up to this many times its work
FORWARD = 1 / 3  # a forward pass, as a share of a training step
FIXED_PHASES = ("load", "warmup")
MEASURED_ON = {"train": 8_701, "val": 2_175, "test": 2_720}  # images that MethodEntry.cost was measured on


def total(estimates: Sequence[float]) -> float:
    """Seconds for several runs, one after the other."""
    return ONCE + sum(estimates) if estimates else 0.0


def estimate(job: Job, store: Store) -> float:
    """Seconds a run may take.

    From two amounts of work on record: a line through them, neither part of it negative. From one: its loading and
    warming up, and the rest in proportion to the work.
    """
    if job.skip:
        return 0.0
    entry = methods[job.spec.method]
    wanted = work(entry, job.n, job.spec.params)
    known = [(work(entry, record.facts["n"], record.spec.params), record) for record in _peers(job, store)]
    known = [(done, record) for done, record in known if FARTHEST * done >= wanted]
    if not known:
        return EACH + prior(entry, wanted)
    works = np.array([done for done, _ in known])
    seconds = np.array([_seconds(record) for _, record in known])
    if len(np.unique(works)) > 1:
        from scipy.optimize import nnls  # a quarter of a second, that the first plan on a machine needn't wait

        unit = works.max()
        fixed, rate = nnls(np.stack([np.ones_like(works), works / unit], 1), seconds)[0]
        return EACH + float(fixed + rate * wanted / unit)
    fixed = np.mean([sum(record.seconds.get(phase, 0.0) for phase in FIXED_PHASES) for _, record in known])
    return EACH + float(fixed + (seconds.mean() - fixed) * wanted / works[0])


def seconds_left(seen: Sequence[float], epochs: float) -> float:
    """Seconds for so many more epochs, when those before took the seconds in `seen`."""
    return epochs * sum(seen) / len(seen)


def work(entry: MethodEntry, n: Mapping[str, int], params: Mapping[str, object]) -> float:
    """Work in a unit of its own: a net's training steps, an SVM's kernel values, of other families images. n: by part.

    A net sees train and val each epoch, and all parts once for their scores; an SVM compares train with all parts;
    probes, classic methods and floors take a time in proportion to the images that they make features of.
    """
    everything = sum(n.values())
    if entry.family == "svm":
        return float(n["train"] * everything)
    if entry.family != "deep":
        return float(everything)
    epochs = params.get("epochs", 1)
    return float(epochs * (n["train"] + FORWARD * n["val"]) + FORWARD * everything)  # type: ignore[operator]


def prior(entry: MethodEntry, wanted: float) -> float:
    """Seconds for some work before anything is on record here; two processor cores, 64×64 pixels."""
    usual = entry.suited(entry.defaults, MEASURED_ON["train"]) if entry.suited else entry.defaults
    defaults = {"epochs": getattr(usual, "epochs", 1)}
    return entry.cost * MEASURED_ON["train"] / 1000 * wanted / work(entry, MEASURED_ON, defaults)


def _seconds(record: RunRecord) -> float:
    """All that a run took: its phases, and the scoring of train and val, which has none."""
    scored = {part: figures["n"] for part, figures in record.metrics.items()}
    untimed = sum(n for part, n in scored.items() if part != "test") / scored["test"]
    return sum(record.seconds.values()) + untimed * record.seconds.get("predict", 0.0)


def _peers(job: Job, store: Store) -> list[RunRecord]:
    """This machine's records of the method, data set and device: of the same settings but epochs, if there are any."""
    peers = [
        record for record in _siblings(job, store) if record.status == "ok" and record.spec.device == job.spec.device
    ]
    alike = [record for record in peers if _settings(record.spec) == _settings(job.spec)]
    return alike or peers


def _settings(spec: RunSpec) -> object:
    params = {name: value for name, value in spec.params.items() if name != "epochs"}
    return canonical([spec.preprocessing, params])


def _siblings(job: Job, store: Store) -> Iterable[RunRecord]:
    for path in sorted(store.path(job.spec).parent.glob("s*.json")):
        try:
            yield RunRecord.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
