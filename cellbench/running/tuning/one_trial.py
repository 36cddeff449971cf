"""One trial: a method with some settings, trained in a child process and scored on val."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import CellbenchError
from ...core.mixed_values import Facts
from ..executors import child
from ..job import Job
from ..single_run import RunListener, validate

if TYPE_CHECKING:
    from optuna.trial import Trial

EPOCH_FIGURES = ("val_macro_f1", "val_accuracy")  # of the history, by which a trial is pruned: the first that is there


class TrialError(CellbenchError):
    """A trial without a figure: its method failed, or it took longer than the budget had left."""


@dataclass
class Pruner:
    """Ends a trial whose val figure, epoch by epoch, is below the median of earlier trials at the same point.

    The point is a percentage of the epochs, since trials may differ in their number.
    """

    trial: "Trial"

    def __call__(self, kind: str, facts: Facts) -> None:
        import optuna

        if kind != "epoch" or not {"epoch", "epochs"} <= facts.keys():
            return
        figure = next((facts[name] for name in EPOCH_FIGURES if name in facts), None)
        if figure is None:
            return
        self.trial.report(figure, round(100 * facts["epoch"] / facts["epochs"]))
        if self.trial.should_prune():
            raise optuna.TrialPruned


def run_trial(trial: "Trial", job: Job, seconds: float | None, plugins: Sequence[Path]) -> float:
    """Return the figure on val of a job with a trial's settings, and note in the trial what it cost.

    seconds: those after which it is ended, None without a limit. Raises TrialError, or TrialPruned.
    """
    start = time.monotonic()
    kind = "stopped"
    try:
        ending = child.watch(partial(_validate, job), Pruner(trial), seconds, plugins)
        kind = ending[0]
    except KeyboardInterrupt:  # it says nothing of the settings, and costs nothing
        raise
    except Exception:
        kind = "pruned"
        raise
    finally:
        if kind != "stopped":
            trial.set_user_attr("seconds", time.monotonic() - start)
    if ending[0] != "done":
        trial.set_user_attr("reason", f"{kind}: {ending[1]}"[:1000])
        raise TrialError(f"{kind}: {ending[1]}")
    found = ending[1]
    trial.set_user_attr("figure", found["figure"])
    return float(found["value"])


def _validate(job: Job, listener: RunListener) -> Facts:
    return validate(job, listener)
