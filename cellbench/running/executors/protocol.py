"""What an executor is asked, and what it gives."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ...core.runs import RunRecord
from ...core.store import Predictions
from ..job import Job

T = TypeVar("T")

# Called with the job, the kind of event and its facts: ("started", {}), ("phase", {"name": ...}), ("epoch", {...}).
Listener = Callable[[Job, str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Task:
    """A job, and how it is to be done.

    timeout: seconds after which it is ended. plugins: Python files with methods and data sets that it may need.
    checkpoint: a file from which it goes on, where an earlier attempt left one. model: where to write what was trained.
    """

    job: Job
    timeout: float | None = None
    plugins: Sequence[Path] = ()
    checkpoint: Path | None = None
    model: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a job: a record, whatever happened, and the predictions of a run that is ok."""

    job: Job
    record: RunRecord
    predictions: Predictions | None


class Executor(Protocol):
    """Does runs somewhere: on this machine, or on others."""

    def run(self, tasks: Iterable[Task], listener: Listener) -> Generator[Outcome, None, None]:
        """Do the tasks and give each outcome when it is there; closing the generator ends the runs at work.

        A task is taken from `tasks` no sooner than it can start. A run that fails gives a record that says so.
        """
        ...

    def ask(self, question: Callable[[], T], plugins: Sequence[Path] = ()) -> T:
        """The answer of a module-level function, or a partial of one, from where the runs are done.

        Raises BackendError when there is no answer.
        """
        ...
