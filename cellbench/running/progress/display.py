"""How runs are shown while they go on: as bars on a terminal or in a notebook, as plain lines elsewhere."""

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.machine.contention import is_busy
from ...core.mixed_values import Facts
from ...core.records.runs import RunRecord
from ...core.text.console import note
from ...core.text.words import duration
from ..job import Job
from ..run_jobs import Watcher

if TYPE_CHECKING:
    from rich.progress import Progress


def outcome(record: RunRecord) -> str:
    """Return in a few words how a run ended: its figures on test and its training time, or why it has none."""
    if record.status != "ok":
        return f"{record.status}: {record.reason}"
    test = record.metrics["test"]
    accuracy = f"accuracy {100 * test['accuracy']:.1f} %, " if "accuracy" in test else ""
    why = f" ({record.facts['backend_reason']})" if record.facts.get("backend_reason") else ""
    others = f"; other programs had {100 * (record.others or 0.0):.0f} % of the processors"
    busy = others if is_busy(record.others) else ""
    shared = f"; {record.facts['shared']} runs shared the machine" if "shared" in record.facts else ""
    stopped = f"; stopped for {duration(record.facts['seconds_stopped'])}" if "seconds_stopped" in record.facts else ""
    trained = f"trained in {duration(record.training_seconds)}{why}{busy}{shared}{stopped}"
    if "batch_instead" in record.facts:
        trained += f"; in batches of {record.facts['batch_instead']}, as more had no room on the GPU"
    if "model_not_saved" in record.facts:
        trained += f"; its model was not saved: {record.facts['model_not_saved']}"
    return f"test {accuracy}macro-F1 {test['macro_f1']:.3f}, {trained}"


def details(kind: str, facts: Facts) -> str:
    """Return the text of an event: the name of a phase, or the figures of an epoch."""
    return facts["name"] if kind == "phase" else "  ".join(f"{name} {value:.4g}" for name, value in facts.items())


class PlainWatcher:
    """Shows runs as lines on stderr, at the start and at the end of each run.

    verbose: whether phases and epochs are shown as well. quiet: whether nothing is shown.
    """

    def __init__(self, total: int, quiet: bool, verbose: bool) -> None:
        self._total, self._quiet, self._verbose = total, quiet, verbose
        self._names: dict[str, str] = {}  # of runs under way, by key: on a cluster there are several

    def started(self, job: Job, number: int, seconds_left: float) -> None:
        self._names[job.spec.key] = f"[{number + 1}/{self._total}] {job}"
        self._say(f"{self._names[job.spec.key]} … (about {duration(seconds_left)} left in all)")

    def event(self, kind: str, facts: Facts) -> None:
        if self._verbose:
            self._say("    " + details(kind, facts))

    def expect(self, seconds_left: float) -> None:
        """Show nothing now: the time that is left is shown when the next run starts."""

    def finished(self, job: Job, record: RunRecord) -> None:
        self._say(f"{self._names.pop(job.spec.key, job)}: {outcome(record)}")

    def _say(self, text: str) -> None:
        if not self._quiet:
            note(text)


@dataclass(frozen=True)
class Countdown:
    """The time left until `end`, a time of time.monotonic(), as text such as 'about 2 min 5 s left'.

    The text is made anew each time it is shown.
    """

    end: float

    def __str__(self) -> str:
        return f"about {duration(max(0.0, self.end - time.monotonic()))} left"


class BarWatcher:
    """Shows one bar for all runs and one for the current run; finished runs stay as lines above them."""

    def __init__(self, progress: "Progress", total: int, verbose: bool) -> None:
        self._progress, self._verbose, self._total = progress, verbose, total
        self._all = progress.add_task("all runs", total=1.0, left="")
        self._run = progress.add_task("", total=1.0, left="")
        self._start = time.monotonic()

    def started(self, job: Job, number: int, seconds_left: float) -> None:
        self._progress.update(self._all, description=f"run {number + 1} of {self._total}")
        self._progress.reset(self._run, description=str(job), total=None, left="")
        self.expect(seconds_left)

    def expect(self, seconds_left: float) -> None:
        done = time.monotonic() - self._start
        left = Countdown(time.monotonic() + seconds_left)
        self._progress.update(self._all, total=done + seconds_left, completed=done, left=left)

    def event(self, kind: str, facts: Facts) -> None:
        if kind == "phase":
            self._progress.update(self._run, left=facts["name"])
        elif "epochs" in facts:
            score = f"val accuracy {100 * facts['val_accuracy']:.1f} %" if "val_accuracy" in facts else ""
            self._progress.update(self._run, total=facts["epochs"], completed=facts["epoch"], left=score)
        if self._verbose and kind == "epoch":
            self._progress.console.print("    " + details(kind, facts), highlight=False)

    def finished(self, job: Job, record: RunRecord) -> None:
        """Print the line of a finished run.

        It is one call, as the bars are redrawn after each, over any line that is not complete.
        """
        from rich.text import Text

        mark = ("✓ ", "green") if record.status == "ok" else ("✗ ", "red")
        self._progress.console.print(Text.assemble(mark, f"{job}: {outcome(record)}"), highlight=False)


class NotebookWatcher:
    """Shows the same bars as the output of a notebook's cell; finished runs are printed as lines.

    Rich's own display in notebooks needs ipywidgets, and is empty in a notebook that was saved.
    """

    def __init__(self, progress: "Progress", total: int, verbose: bool) -> None:
        from IPython.display import display

        self._progress, self._bars = progress, BarWatcher(progress, total, verbose)
        self._output = display(progress, display_id=True)

    def started(self, job: Job, number: int, seconds_left: float) -> None:
        self._bars.started(job, number, seconds_left)
        self._output.update(self._progress)

    def event(self, kind: str, facts: Facts) -> None:
        self._bars.event(kind, facts)
        self._output.update(self._progress)

    def expect(self, seconds_left: float) -> None:
        self._bars.expect(seconds_left)
        self._output.update(self._progress)

    def finished(self, job: Job, record: RunRecord) -> None:
        self._bars.finished(job, record)


@contextlib.contextmanager
def make_watcher(total: int, *, quiet: bool, verbose: bool) -> Iterator[Watcher]:
    """Yield a watcher for a terminal, for a notebook or for plain text, whichever fits; rich respects NO_COLOR."""
    notebook = in_notebook()
    if quiet or not (notebook or sys.stderr.isatty()):
        yield PlainWatcher(total, quiet, verbose)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[left]}"))
    if notebook:
        yield NotebookWatcher(Progress(*columns), total, verbose)
        return
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield BarWatcher(progress, total, verbose)


def in_notebook() -> bool:
    """Whether the code runs in a kernel, where output is displayed rather than written to a terminal."""
    ipython = sys.modules.get("IPython")  # not imported: no notebook
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")
