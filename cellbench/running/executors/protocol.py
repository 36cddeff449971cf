"""The interface of executors: the tasks that they take, and the outcomes that they give."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from ...core.mixed_values import Facts
from ...core.records.runs import RunRecord
from ...core.records.store import Predictions
from ..job import Job

T = TypeVar("T")

# Called with the job, the kind of event and its facts: ("started", {}), ("phase", {"name": ...}), ("epoch", {...}).
Listener = Callable[[Job, str, Facts], None]


@dataclass(frozen=True)
class Task:
    """A job, and how to do it.

    timeout: seconds after which the run is ended. max_memory: bytes that it may have, None for all. plugins: Python
    files with methods and data sets that it may need. checkpoint: file for its progress; if an earlier attempt left
    one, the run goes on from there. model: the file to write the trained model to, or None.
    """

    job: Job
    timeout: float | None = None
    plugins: Sequence[Path] = ()
    checkpoint: Path | None = None
    model: Path | None = None
    max_memory: int | None = None


@dataclass(frozen=True)
class Outcome:
    """The outcome of a job: a record, whatever happened, and the predictions if its status is 'ok', else None."""

    job: Job
    record: RunRecord
    predictions: Predictions | None


class Executor(Protocol):
    """Does runs on this machine, or on others.

    An executor may also have `at_once`, how many runs are under way at a time, for the estimated time that is left;
    without it that is one.
    """

    def run(self, tasks: Iterable[Task], listener: Listener) -> Generator[Outcome, None, None]:
        """Do the tasks and yield each outcome when it is ready; closing the generator ends the current runs.

        A task is taken from `tasks` only when it can start. A run that fails also has an outcome, with a record that
        says so.
        """
        ...

    def ask(self, question: Callable[[], T], plugins: Sequence[Path] = ()) -> T:
        """Call a module-level function, or a partial of one, where the runs are done, and return its result.

        Raises BackendError if there is no result.
        """
        ...
