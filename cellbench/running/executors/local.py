"""Runs on this machine, one after the other, so that each has the whole machine and times can be compared."""

from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from . import child
from .protocol import Listener, Outcome, Task

T = TypeVar("T")


class LocalExecutor:
    """Does each run in a child process of its own.

    start: whether to begin at once with the imports that all runs share, while the plan is made.
    """

    def __init__(self, start: bool = True) -> None:
        if start:
            child.start_server()

    def run(self, tasks: Iterable[Task], listener: Listener) -> Generator[Outcome, None, None]:
        """Do the tasks as `Executor.run` says. An exception such as Ctrl-C ends the current run and passes through."""
        for task in tasks:
            listener(task.job, "started", {})
            record, predictions = child.run_job(
                task.job,
                partial(listener, task.job),
                timeout=task.timeout,
                max_memory=task.max_memory,
                plugins=task.plugins,
                checkpoint=task.checkpoint,
                model=task.model,
            )
            yield Outcome(task.job, record, predictions)

    def ask(self, question: Callable[[], T], plugins: Sequence[Path] = ()) -> T:
        """Return the result of a function from a child process; see `Executor.ask`."""
        return child.ask(question, plugins)
