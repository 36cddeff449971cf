"""Runs on this machine: one after the other, so that each has the whole machine, or several at a time."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from ...core.records.runs import RunRecord
from . import child
from .places import WHOLE, Place
from .process import Call, start_server, wait_for
from .protocol import Listener, Outcome, Task

T = TypeVar("T")


class LocalExecutor:
    """Does each run in a child process of its own.

    start: whether to begin at once with the imports that all runs share, while the plan is made. places: what each of
    the runs at a time has of the machine, see `places.places_for`.
    """

    def __init__(self, start: bool = True, places: Sequence[Place] = (WHOLE,)) -> None:
        self.places = list(places)
        if start:
            start_server()

    @property
    def at_once(self) -> int:
        """How many runs are under way at a time."""
        return len(self.places)

    def run(self, tasks: Iterable[Task], listener: Listener) -> Generator[Outcome, None, None]:
        """Do the tasks as `Executor.run` says. An exception such as Ctrl-C ends the current runs and passes through."""
        left, free = iter(tasks), list(self.places)
        current: list[tuple[Task, Place, Call[child.Result]]] = []
        try:
            while True:
                while free and (task := next(left, None)) is not None:
                    listener(task.job, "started", {})
                    if task.job.skip:
                        yield Outcome(task.job, *child.outcome_of(task.job, "skipped", task.job.skip))
                        continue
                    place = free.pop(0)
                    current.append((task, place, _begin(task, place)))
                if not current:
                    return
                wait_for([call for _, _, call in current])
                for one in list(current):
                    task, place, call = one
                    if (ending := call.hear(partial(listener, task.job))) is not None:
                        current.remove(one)
                        call.end()
                        free.append(place)
                        kind, outcome = ending
                        record, predictions = child.outcome_of(task.job, *child.as_status(task.job, kind, outcome))
                        yield Outcome(task.job, _with_time_stopped(record, call), predictions)
        finally:
            for _, _, call in current:
                call.stop()
            for _, _, call in current:
                call.end()

    def ask(self, question: Callable[[], T], plugins: Sequence[Path] = ()) -> T:
        """Return the result of a function from a child process; see `Executor.ask`."""
        return child.ask(question, plugins)


def _with_time_stopped(record: RunRecord, call: Call[child.Result]) -> RunRecord:
    """Return the record, with how long the run was stopped by Ctrl-Z; its times, which count that, are then unknown."""
    if not call.seconds_stopped:
        return record
    return replace(record, others=None, facts={**record.facts, "seconds_stopped": call.seconds_stopped})


def _begin(task: Task, place: Place) -> Call[child.Result]:
    return child.begin(
        task.job,
        timeout=task.timeout,
        max_memory=task.max_memory,
        plugins=task.plugins,
        checkpoint=task.checkpoint,
        model=task.model,
        place=place,
    )
