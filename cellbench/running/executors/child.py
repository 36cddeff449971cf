"""Runs in child processes of a fork server that has already done the slow imports.

Memory is thus measured for each run, a crash ends one run only, and starting a run costs only a fork.
"""

import atexit
import contextlib
import dataclasses
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

from ... import __version__
from ...core.environment import cache_folder
from ...core.errors import BackendError, CellbenchError, UnavailableError
from ...core.processes import (
    end_group,
    end_with_parent,
    ended_for_memory,
    lead_group,
    limit_memory,
    use_short_temporary_folder,
)
from ...core.runs import RunRecord
from ...core.server_start import PARENT
from ...core.shown_text import visible
from ...core.store import Predictions
from ...core.words import file_size
from ..job import Job
from ..plugins import load_plugins
from ..single_run import Listener, environment, execute, unfinished

T = TypeVar("T")

PRELOAD = ["cellbench.core.server_start", "cellbench.running.executors.preload"]
GRACE_SECONDS = 5.0
LONGEST_REASON = 1000  # characters of an error that are kept: records are read as a whole
LONGEST_TRACEBACK = 100_000  # characters that --debug shows
# What libraries' errors say; without room for its stack no thread can be started.
OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "can't start new thread")
UNGUARDED = (
    '; in a script, cellbench.run has to stand below `if __name__ == "__main__":`, as each run reads the script first'
)

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(PRELOAD)


def start_server() -> None:
    """Start the fork server now, so that its imports go on while the plan is made."""
    from multiprocessing import forkserver

    use_short_temporary_folder()
    if threading.current_thread() is threading.main_thread():  # the kernel ends the server with the thread, too
        os.environ[PARENT] = str(os.getpid())
    try:
        forkserver.ensure_running()
    finally:
        os.environ.pop(PARENT, None)
    atexit.unregister(_end_server)  # it is registered once, however often the server is started
    atexit.register(_end_server)


def _end_server() -> None:
    """End the fork server with this process: until its imports are done, it would hold the terminal's pipe open."""
    from multiprocessing import forkserver

    server = getattr(getattr(forkserver, "_forkserver", None), "_forkserver_pid", None)
    if server:
        with contextlib.suppress(OSError):
            os.kill(server, signal.SIGKILL)


def run_job(job: Job, listener: Listener, **how: Any) -> tuple[RunRecord, Predictions | None]:
    """Do one run in a child process and return its record, whatever happened, and its predictions if it is 'ok'.

    how: keyword arguments of `attempt`.
    """
    status, outcome = attempt(job, listener, **how)
    if status == "ok":
        return outcome
    return without_results(job, status, outcome, surroundings_of(job.spec.device)), None


def attempt(
    job: Job,
    listener: Listener,
    *,
    timeout: float | None = None,
    max_memory: int | None = None,
    plugins: Sequence[Path] = (),
    checkpoint: Path | None = None,
    model: Path | None = None,
    started: Callable[[int], object] = lambda process: None,
) -> tuple[str, Any]:
    """Do one run in a child process and return 'ok' with its record and predictions, or another status with the reason.

    timeout: seconds after which it is ended. max_memory: bytes that it may have. If `checkpoint` holds the progress of
    this run, it goes on from there. model: the file to write the trained model to, or None. started: called with the
    number of the child process.
    """
    if job.skip:
        return "skipped", job.skip
    kind, outcome = _in_child(_run, (job, checkpoint, model, max_memory), listener, timeout, plugins, started)
    if kind == "unavailable" and "weights" in job.overrides:  # the user asked for these weights: fail, do not skip
        kind = "failed"
    return {"done": "ok", "unavailable": "skipped"}.get(kind, kind), outcome


def without_results(job: Job, status: str, reason: str, environment: Mapping[str, Any]) -> RunRecord:
    """Return the record of a run without results; with less in it where its data set is there no longer."""
    try:
        return unfinished(job, status, reason, environment)
    except (CellbenchError, OSError, ValueError, LookupError):
        facts: dict[str, Any] = {"overrides": job.overrides, "version": __version__}
        return RunRecord(job.spec, status, reason, **facts)  # type: ignore[arg-type]


@cache
def surroundings_of(device: str) -> dict[str, Any]:
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
    target: Callable,
    arguments: tuple,
    listener: Listener,
    timeout: float | None,
    plugins: Sequence[Path],
    started: Callable[[int], object] = lambda process: None,
) -> tuple[str, Any]:
    """Call `target` in a child process and return ('done', its result), or how it ended otherwise, with the reason.

    This is ('failed', reason), ('timeout', reason), or ('unavailable', reason) if it needs something that cannot be had
    here.
    """
    ours, theirs = _context.Pipe(duplex=False)
    surroundings = dict(os.environ), os.getcwd()
    child = _context.Process(target=_main, args=(theirs, target, arguments, list(plugins), *surroundings))
    ended_before = ended_for_memory()
    start_server()
    child.start()
    started(child.pid or 0)
    theirs.close()
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            # A process of its own may hold the pipe open after its death, so its death is waited for as well.
            if not wait([ours, child.sentinel], left):
                return "timeout", f"not finished after {timeout:g} seconds"
            try:
                if not ours.poll():
                    raise EOFError
                kind, facts = ours.recv()
            except (EOFError, OSError):  # it died; OSError: in the middle of a word
                child.join()
                return "failed", _cause_of_death(child.exitcode, ended_for_memory() > ended_before)
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
    _let_server_end()
    end_with_parent()  # no run may train on for hours and nobody there to save it
    lead_group()  # a method that ends its group ends this run alone
    os.dup2(2, 1)  # what a method prints is no output of the command
    # The fork server keeps what there was when it started; a notebook may have changed them since.
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    try:
        load_plugins(plugins)
        pipe.send(("done", target(lambda kind, facts: pipe.send((kind, facts)), *arguments)))
    except BrokenPipeError:
        return  # nobody listens any more: the matrix was stopped
    except BaseException as error:
        if not isinstance(error, CellbenchError) and os.environ.get("CELLBENCH_DEBUG"):
            print(traceback.format_exc()[-LONGEST_TRACEBACK:], file=sys.stderr)
        with contextlib.suppress(BrokenPipeError):
            pipe.send(("unavailable" if isinstance(error, UnavailableError) else "failed", _reason(error)))


def _let_server_end() -> None:
    """Close this child's end of the pipe by which the fork server sees that nobody needs it any more.

    The server ends when all ends are closed. With this one open it would outlive the command for as long as the run.
    """
    from multiprocessing import forkserver

    server: Any = getattr(forkserver, "_forkserver", None)
    if (end := getattr(server, "_forkserver_alive_fd", None)) is not None:
        os.close(end)
        server._forkserver_alive_fd = None


def _run(
    listener: Listener, job: Job, checkpoint: Path | None, model: Path | None, max_memory: int | None
) -> tuple[RunRecord, Predictions]:
    if max_memory is None:
        return execute(job, listener, checkpoint, model)
    limit_memory(max_memory)
    try:
        record, predictions = execute(job, listener, checkpoint, model)
        return dataclasses.replace(record, facts={**record.facts, "max_memory": max_memory}), predictions
    except (MemoryError, RuntimeError) as error:
        if not _is_of_card(error) and (
            isinstance(error, MemoryError) or any(text in str(error) for text in OUT_OF_MEMORY)
        ):
            raise BackendError(
                f"out of memory: it asked for more than the {file_size(max_memory)} of --max-memory; give it more, or "
                "fewer or smaller images with --limit or --set size="
            ) from error
        raise


def _is_of_card(error: BaseException) -> bool:
    """Whether an error is torch's for the memory of a card, which --max-memory does not limit."""
    return any(one.__name__ == "OutOfMemoryError" and one.__module__.startswith("torch") for one in type(error).__mro__)


def _watch(listener: Listener, question: Callable[[Listener], T]) -> T:
    return question(listener)


def _ask(listener: Listener, question: Callable[[], T]) -> T:
    return question()


def _reason(error: BaseException) -> str:
    """Return an error as one line, with its type and the place in the code unless it is a CellbenchError.

    Of a long message only the first LONGEST_REASON characters are kept.
    """
    try:
        text = visible(" ".join(str(error)[: 2 * LONGEST_REASON].split())) or "no message"
    except Exception:  # of an error that cannot say what it is
        text = "no message"
    text = text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]} …"
    for folder in (cache_folder(), Path.cwd(), Path.home()):  # records are shared: no path that names a user
        text = text.replace(f"{folder}{os.sep}", "")
    if isinstance(error, CellbenchError):
        return text
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{place}"


def _cause_of_death(exit_code: int | None, memory_ran_out: bool = False) -> str:
    """Return how a process ended that said nothing. memory_ran_out: whether the system ended one for that meanwhile."""
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name if -exit_code in set(signal.Signals) else f"signal {-exit_code}"
        if name == "SIGKILL" and memory_ran_out:
            return "out of memory: the system ended its process"
        hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    hint = UNGUARDED if exit_code == 1 and _is_script() else ""
    return f"its process ended with exit code {exit_code} before it had finished{hint}"


def _is_script() -> bool:
    """Whether this process runs a user's script, which children read before they start, and not a command."""
    main = sys.modules.get("__main__")
    file, spec = getattr(main, "__file__", None), getattr(main, "__spec__", None)
    return file is not None and spec is None and Path(file).suffix == ".py"


def _end(child: Any) -> None:
    """Wait shortly for a child process to end by itself, and end it if it does not, and then its own children."""
    leader = child.pid
    child.join(0.2)  # its last word was its result, or the pipe is closed: it is about to end by itself
    if child.is_alive():
        child.terminate()
        child.join(GRACE_SECONDS)
    if child.is_alive():
        child.kill()
        child.join()
    end_group(leader)
    child.close()
