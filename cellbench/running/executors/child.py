"""Runs in child processes of a fork server that has already done the slow imports.

Memory is thus measured for each run, a crash ends one run only, and starting a run costs only a fork.
"""

import contextlib
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from ...core.environment import cache_folder
from ...core.errors import BackendError, CellbenchError, UnavailableError
from ...core.processes import end_with_parent
from ...core.runs import RunRecord
from ...core.store import Predictions
from ..job import Job
from ..plugins import load_plugins
from ..single_run import Listener, environment, execute, unfinished

T = TypeVar("T")

PRELOAD = ["cellbench.running.executors.preload"]
GRACE_SECONDS = 5.0

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(PRELOAD)


def start_server() -> None:
    """Start the fork server now, so that its imports go on while the plan is made."""
    from multiprocessing import forkserver

    forkserver.ensure_running()


def run_job(
    job: Job,
    listener: Listener,
    *,
    timeout: float | None = None,
    plugins: Sequence[Path] = (),
    checkpoint: Path | None = None,
    model: Path | None = None,
) -> tuple[RunRecord, Predictions | None]:
    """Do one run in a child process and return its record, whatever happened, and its predictions if it is 'ok'.

    If `checkpoint` holds the progress of this run, it goes on from there. model: the file to write the trained model
    to, or None.
    """
    if job.skip:
        return unfinished(job, "skipped", job.skip, _environment(job.spec.device)), None
    kind, outcome = _in_child(_run, (job, checkpoint, model), listener, timeout, plugins)
    if kind == "done":
        return outcome
    if kind == "unavailable" and "weights" in job.overrides:  # the user asked for these weights: fail, do not skip
        kind = "failed"
    status = {"unavailable": "skipped"}.get(kind, kind)
    return unfinished(job, status, outcome, _environment(job.spec.device)), None


@cache
def _environment(device: str) -> dict[str, Any]:
    """Return the environment for the record of an unfinished run; empty if no child process can find it out."""
    try:
        return ask(partial(environment, device))
    except BackendError:
        return {}


def ask(question: Callable[[], T], plugins: Sequence[Path] = ()) -> T:
    """Call a module-level function in a child process and return its result, so that torch is not imported here.

    Raises BackendError if there is no result.
    """
    kind, answer = _in_child(_ask, (question,), lambda kind, facts: None, None, plugins)
    if kind != "done":
        raise BackendError(f"a child process could not answer: {answer}")
    return answer


def watch(
    question: Callable[[Listener], T], listener: Listener, timeout: float | None = None, plugins: Sequence[Path] = ()
) -> tuple[str, Any]:
    """Call a module-level function of a listener in a child process; see `_in_child` for what is returned.

    An exception that the listener raises here ends the child process and passes through.
    """
    return _in_child(_watch, (question,), listener, timeout, plugins)


def _in_child(
    target: Callable, arguments: tuple, listener: Listener, timeout: float | None, plugins: Sequence[Path]
) -> tuple[str, Any]:
    """Call `target` in a child process and return ('done', its result), or how it ended otherwise, with the reason.

    This is ('failed', reason), ('timeout', reason), or ('unavailable', reason) if it needs something that cannot be had
    here.
    """
    ours, theirs = _context.Pipe(duplex=False)
    surroundings = dict(os.environ), os.getcwd()
    child = _context.Process(target=_main, args=(theirs, target, arguments, list(plugins), *surroundings))
    child.start()
    theirs.close()
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not ours.poll(left):
                return "timeout", f"not finished after {timeout:g} seconds"
            try:
                kind, facts = ours.recv()
            except (EOFError, OSError):  # it died; OSError: in the middle of a word
                child.join()
                return "failed", _cause_of_death(child.exitcode)
            if kind in ("done", "failed", "unavailable"):
                return kind, facts
            listener(kind, facts)
    finally:
        ours.close()
        _end(child)


def _main(
    pipe: Connection,
    target: Callable,
    arguments: tuple,
    plugins: Sequence[Path],
    variables: Mapping[str, str],
    folder: str,
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it ends its children
    end_with_parent()  # no run may train on for hours and nobody there to save it
    # The fork server keeps what there was when it started; a notebook may have changed them since.
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    try:
        load_plugins(plugins)
        pipe.send(("done", target(lambda kind, facts: pipe.send((kind, facts)), *arguments)))
    except BrokenPipeError:
        return  # nobody listens any more: the matrix was stopped
    except Exception as error:
        if not isinstance(error, CellbenchError) and os.environ.get("CELLBENCH_DEBUG"):
            traceback.print_exc()
        with contextlib.suppress(BrokenPipeError):
            pipe.send(("unavailable" if isinstance(error, UnavailableError) else "failed", _reason(error)))


def _run(listener: Listener, job: Job, checkpoint: Path | None, model: Path | None) -> tuple[RunRecord, Predictions]:
    return execute(job, listener, checkpoint, model)


def _watch(listener: Listener, question: Callable[[Listener], T]) -> T:
    return question(listener)


def _ask(listener: Listener, question: Callable[[], T]) -> T:
    return question()


def _reason(error: Exception) -> str:
    """Return an error as one line, with its type and the place in the code unless it is a CellbenchError."""
    text = " ".join(str(error).split()) or "no message"
    for folder in (cache_folder(), Path.cwd(), Path.home()):  # records are shared: no path that names a user
        text = text.replace(f"{folder}{os.sep}", "")
    if isinstance(error, CellbenchError):
        return text
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{place}"


def _cause_of_death(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with exit code {exit_code} before it had finished"


def _end(child: Any) -> None:
    """Wait shortly for a child process to end by itself, and end it if it does not."""
    child.join(0.2)  # its last word was its result, or the pipe is closed: it is about to end by itself
    if child.is_alive():
        child.terminate()
        child.join(GRACE_SECONDS)
    if child.is_alive():
        child.kill()
        child.join()
    child.close()
