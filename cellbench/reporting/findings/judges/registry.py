"""The judges of claims, named as in claims.toml: functions that make trials from a claim and pooled rows."""

from collections.abc import Callable, Sequence
from functools import partial

from ....results.rows.row import Row
from ..claim import Claim
from ..trial import Trial
from .accuracy import best_of, more_accurate, reaches
from .fitting import gap_by_n, training_error_falls, training_error_rises
from .ranks import ranks_differ
from .splits import explained_by_n
from .times import slower

Judge = Callable[[Claim, Sequence[Row]], list[Trial]]

JUDGES: dict[str, Judge] = {
    "more_accurate": more_accurate,
    "best_of": best_of,
    "slower": slower,
    "slower_across_devices": partial(slower, names=(), across=True),
    "gap_by_n": gap_by_n,
    "training_error_rises": training_error_rises,
    "training_error_falls": training_error_falls,
    "training_error_falls_with_depth": partial(training_error_rises, sign=-1),
    "reaches": reaches,
    "explained_by_n": explained_by_n,
    "ranks_differ": ranks_differ,
}
