"""The judge of whether one method takes longer to train than another."""

import math
from collections.abc import Sequence

from ....results.certainty import log_time
from ....results.rows.row import DATA, HARDWARE, Row, time_counts
from ....results.statistics.comparisons import Comparison, compare_over_seeds
from ....results.statistics.intervals import FEWEST_SEEDS
from ...captions import device_of
from ...tables.table import SECONDS
from ..claim import Claim
from ..evidence import brief_name, evidence_of, pairs, sides
from ..trial import (
    Trial,
    p_text,
    settling_seeds,
    trial,
)

OF_ONE_RUN = 2.0  # the ratio that times of fewer than three seeds have to exceed: they vary by a tenth or more
SAME_MACHINE = (*HARDWARE, "processor", "gpu")


def slower(claim: Claim, rows: Sequence[Row], names: Sequence[str] = SAME_MACHINE, across: bool = False) -> list[Trial]:
    """Return a trial for each pair of rows of a and b: whether a takes longer to train.

    With three seeds or more of each, Welch's t test on the logarithms of times decides, else a factor of two. Times
    that other programs at work made too long, or may have made so, are left out.

    names: columns that both rows share, besides the data. across: whether the rows may be from unlike devices, so that
    each time is printed with its hardware.
    """
    trials = []
    for a, b in pairs(claim, *sides(claim, rows), (*DATA, *names)):
        if not (a.train_seconds and b.train_seconds and time_counts(a) and time_counts(b)):
            continue
        logs = [log_time(row) for row in (b, a)]
        difference, found = logs[1][0] - logs[0][0], compare_over_seeds(logs[0], logs[1], "train_seconds")
        n = min(len(a.seeds), len(b.seeds))
        few = {"needs": f"{FEWEST_SEEDS - n} more seeds of each would show how times vary", "seeds": FEWEST_SEEDS}
        sds = [sd or 0.0 for _, sd, _ in logs]
        facts = {
            "said": _times_text(a, b, difference, found, across),
            "evidence": tuple({**evidence_of(row, "train_seconds"), "hardware": _hardware(row)} for row in (a, b)),
            **(settling_seeds(difference, sds, n) if found else few),
        }
        sure = found is None and abs(difference) > math.log(OF_ONE_RUN)
        trials.append(trial(a, (), difference=difference, p=found.p if found else None, sure=sure, **facts))
    return trials


def _times_text(a: Row, b: Row, difference: float, found: Comparison | None, across: bool) -> str:
    times = " against ".join(
        f"{brief_name(row)} {_time(row['train_seconds'])}" + (f" on {_hardware(row)}" if across else "")
        for row in (a, b)
    )
    span = ""
    if found and found.interval:
        low, high = math.exp(found.interval.low), math.exp(found.interval.high)
        span = f" (95 % interval over seeds: {low:.2g} to {high:.2g}; Welch's t, {p_text(found.p)})"
    rule = "" if found else f"; fewer than three seeds of each, so a factor of {OF_ONE_RUN:g} is asked for"
    mark = "; UNLIKE DEVICES: this tells of the hardware as much as of the methods" if across else f", {_hardware(a)}"
    return f"{times} of training: {math.exp(difference):.2g} ×{span}{mark}{rule}"


def _hardware(row: Row) -> str:
    return f"{device_of(row)} of {row['machine']}"


def _time(seconds: float) -> str:
    size, unit = next((one for one in SECONDS.units if seconds >= one[0]), SECONDS.units[-1])
    return f"{seconds / size:.3g} {unit}"
