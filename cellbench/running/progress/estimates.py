"""Estimates of how long runs may take, for the plan and the progress bar; they are rough.

The time of a run has a fixed part and a part in proportion to its work. Both are estimated from this machine's records
of the same method and data set, or from a rough prior if these had much less work.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ...core.records.runs import RunRecord, RunSpec, canonical, canonical_text
from ...core.records.store import Store, read_record
from ...methods.registry import MethodEntry, methods
from ..job import Job

SECONDS_TO_START = 5.0  # seconds until the imports of all runs are done
SECONDS_A_RUN = 0.5  # seconds for a process a run, its plug-ins, and saving
FARTHEST = 10  # a record is used for runs with up to this many times its work
FORWARD = 1 / 3  # a forward pass, as a share of a training step
FIXED_PHASES = ("load", "warmup")
MEASURED_ON = {"train": 8_701, "val": 2_175, "test": 2_720}  # images that MethodEntry.cost was measured on


def total(estimates: Sequence[float]) -> float:
    """Return the seconds for several runs, one after the other; 0 for none."""
    return SECONDS_TO_START + sum(estimates) if estimates else 0.0


def estimates(jobs: Sequence[Job], store: Store) -> list[float]:
    """Return `estimate` of each job. Records are read once, and what differs in the seed alone is estimated once."""
    read: dict[Path, list[RunRecord]] = {}
    found: dict[tuple[object, ...], float] = {}
    seconds = []
    for job in jobs:
        folder = store.path(job.spec).parent
        if folder not in read:
            read[folder] = list(_siblings(folder))
        alike = (folder, job.spec.device, canonical_text(job.spec.params), canonical_text(job.spec.preprocessing))
        kind = (*alike, *sorted(job.n.items()), bool(job.skip))
        if kind not in found:
            found[kind] = _estimate(job, read[folder])
        seconds.append(found[kind])
    return seconds


def estimate(job: Job, store: Store) -> float:
    """Return the seconds that a run may take; 0 if it is to be skipped.

    If records have two amounts of work or more, it is a least-squares line through their times, of which neither part
    is negative. If they have one amount, the fixed part is the time for loading and warm-up, and the rest is in
    proportion to the work. Without records, it is the prior.
    """
    return estimates([job], store)[0]


def _estimate(job: Job, siblings: Sequence[RunRecord]) -> float:
    if job.skip:
        return 0.0
    entry = methods[job.spec.method]
    wanted = amount_of_work(entry, job.n, job.spec.params)
    known = [(amount_of_work(entry, record.facts["n"], record.spec.params), record) for record in _peers(job, siblings)]
    known = [(done, record) for done, record in known if FARTHEST * done >= wanted]
    if not known:
        return SECONDS_A_RUN + prior(entry, wanted)
    works = np.array([done for done, _ in known])
    seconds = np.array([_seconds(record) for _, record in known])
    if len(np.unique(works)) > 1:
        from scipy.optimize import nnls  # a quarter of a second, that the first plan on a machine needn't wait

        unit = works.max()
        fixed, rate = nnls(np.stack([np.ones_like(works), works / unit], 1), seconds)[0]
        return SECONDS_A_RUN + float(fixed + rate * wanted / unit)
    fixed = np.mean([sum(record.seconds.get(phase, 0.0) for phase in FIXED_PHASES) for _, record in known])
    return SECONDS_A_RUN + float(fixed + (seconds.mean() - fixed) * wanted / works[0])


def seconds_left(seen: Sequence[float], epochs: float) -> float:
    """Return the seconds for `epochs` more epochs, from the seconds of each earlier epoch in `seen`."""
    return epochs * sum(seen) / len(seen)


def amount_of_work(entry: MethodEntry, n: Mapping[str, int], params: Mapping[str, object]) -> float:
    """Return the amount of work of a run, in a unit that differs between families of methods.

    For a net it is the number of images trained on: train and, at lower cost, val in each epoch, and all parts once for
    their scores. For an SVM it is the number of kernel values between train and all parts. For other families it is
    the number of images. n: number of images by part.
    """
    everything = sum(n.values())
    if entry.family == "svm":
        return float(n["train"] * everything)
    if entry.family != "deep":
        return float(everything)
    epochs = params.get("epochs", 1)
    return float(epochs * (n["train"] + FORWARD * n["val"]) + FORWARD * everything)  # type: ignore[operator]


def prior(entry: MethodEntry, wanted: float) -> float:
    """Return the seconds for the work `wanted` without any record, on two processor cores with 64×64 pixels."""
    usual = entry.suited(entry.defaults, MEASURED_ON["train"]) if entry.suited else entry.defaults
    return entry.cost * MEASURED_ON["train"] / 1000 * wanted / amount_of_work(entry, MEASURED_ON, vars(usual))


def _seconds(record: RunRecord) -> float:
    """Return the seconds that a run took: all its phases, and the scoring of train and val, which is not timed.

    The latter is in proportion to the time for the test images.
    """
    scored = {part: figures["n"] for part, figures in record.metrics.items()}
    untimed = sum(n for part, n in scored.items() if part != "test") / scored["test"]
    return sum(record.seconds.values()) + untimed * record.seconds.get("predict", 0.0)


def _peers(job: Job, siblings: Iterable[RunRecord]) -> list[RunRecord]:
    """Return the successful ones among this machine's records of the job's method and data set, of its device.

    If any of them have the same settings but for epochs, only these are returned.
    """
    of_device = [record for record in siblings if record.spec.device == job.spec.device]
    peers = [record for record in of_device if record.status == "ok" and "n" in record.facts and record.metrics]
    alike = [record for record in peers if _settings(record.spec) == _settings(job.spec)]
    return alike or peers


def _settings(spec: RunSpec) -> object:
    params = {name: value for name, value in spec.params.items() if name != "epochs"}
    return canonical([spec.preprocessing, params])


def _siblings(folder: Path) -> Iterable[RunRecord]:
    for path in sorted(folder.glob("s*.json")):
        if record := read_record(path):
            yield record
