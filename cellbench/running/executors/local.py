"""Runs on this machine, one after the other, so that each has all of it and times compare."""

from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from . import child
from .protocol import Listener, Outcome, Task

T = TypeVar("T")


class LocalExecutor:
    """One child process a run.

    start: begin now with the imports that all runs share, so that they go on while the plan is made.
    """

    def __init__(self, start: bool = True) -> None:
        if start:
            child.start_server()

    def run(self, tasks: Iterable[Task], listener: Listener) -> Generator[Outcome, None, None]:
        """See Executor. An exception that comes while a run is at work, such as Ctrl-C, ends it and passes through."""
        for task in tasks:
            listener(task.job, "started", {})
            record, predictions = child.run_job(
                task.job,
                partial(listener, task.job),
                timeout=task.timeout,
                plugins=task.plugins,
                checkpoint=task.checkpoint,
                model=task.model,
            )
            yield Outcome(task.job, record, predictions)

    def ask(self, question: Callable[[], T], plugins: Sequence[Path] = ()) -> T:
        """See Executor."""
        return child.ask(question, plugins)
