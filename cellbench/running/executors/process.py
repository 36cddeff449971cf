"""A call of a function in a child process of a fork server, seen from the process that asks for it.

The server has already done the slow imports, so that starting a call costs only a fork.
"""

import atexit
import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Generic, Literal, TypeVar

from ...core.errors import CellbenchError, UnavailableError, UsageError
from ...core.machine.environment import cache_folder
from ...core.machine.processes import (
    end_group,
    end_with_parent,
    ended_for_memory,
    lead_group,
    seconds_awake,
    stop_with_this,
    stop_with_this_no_longer,
    use_short_temporary_folder,
)
from ...core.machine.server_start import PARENT
from ...core.text.shown_text import visible
from ...core.text.words import file_size
from ..plugins import load_plugins
from ..single_run import RunListener

PRELOAD = ["cellbench.core.machine.server_start", "cellbench.running.executors.preload"]
GRACE_SECONDS = 5.0
LONGEST_REASON = 1000  # characters of an error that are kept: records are read as a whole
MOST_OUTPUT = 1_000_000  # bytes of what a run prints that are passed on
AT_ONCE = 65_536  # bytes of it
LEFT_OUT = f"\n(what it prints beyond {file_size(MOST_OUTPUT)} is left out)\n".encode()
LONGEST_TRACEBACK = 100_000  # characters that --debug shows
BEGUN = "begun"  # the first event of a process that has read all it had to
IN_A_CHILD = 87  # exit code of a child process that read a script up to a call of cellbench.run
UNGUARDED = (
    "cellbench is called at the top of a script, and each process that it starts reads the script again up to that "
    'call; put the call below `if __name__ == "__main__":`'
)

T = TypeVar("T")
Ending = tuple[Literal["done"], T] | tuple[Literal["failed", "timeout", "unavailable"], str]  # result, or the reason

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(PRELOAD)


def start_server() -> None:
    """Start the fork server now, so that its imports go on while the plan is made.

    A child process that gets here while it still reads the user's script ends, and tells its parent by its exit code.
    """
    from multiprocessing import forkserver

    if getattr(multiprocessing.current_process(), "_inheriting", False):  # its own start is not over yet
        if PRELOAD[-1] in sys.modules:  # it came from our fork server, so its parent says what is wrong
            os._exit(IN_A_CHILD)
        raise SystemExit(UNGUARDED)
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


class Call(Generic[T]):
    """A function at work in a child process.

    target: called with a listener, whose events come to `hear`, and the arguments. timeout: seconds after which it is
    ended. plugins: files that it may need. variables: of its environment, which differ from those of this process.
    """

    def __init__(
        self,
        target: Callable[..., T],
        arguments: tuple[object, ...],
        timeout: float | None = None,
        plugins: Sequence[Path] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._pipe, theirs = _context.Pipe(duplex=False)
        self._output, printed = _context.Pipe(duplex=False)
        os.set_blocking(self._output.fileno(), False)
        self._bytes_printed = 0
        surroundings = {**os.environ, **(variables or {})}, os.getcwd()
        self._process = _context.Process(
            target=_main, args=(theirs, printed, target, arguments, list(plugins), *surroundings)
        )
        self._ended_before = ended_for_memory()
        start_server()
        self._process.start()
        theirs.close()
        printed.close()
        stop_with_this(self.number)
        self._start = time.monotonic(), seconds_awake()
        self._has_begun = False
        self._timeout = timeout
        self._deadline = None if timeout is None else seconds_awake() + timeout

    @property
    def number(self) -> int:
        """The process id of the child."""
        return self._process.pid or 0

    @property
    def seconds_stopped(self) -> float:
        """For how long the call was stopped with this process, by Ctrl-Z; 0.0 if it never was."""
        stopped = (time.monotonic() - self._start[0]) - (seconds_awake() - self._start[1])
        return stopped if stopped > 1e-3 else 0.0

    def hear(self, listener: RunListener) -> Ending[T] | None:
        """Pass on what the call has said, one event, or return how it ended; None while it goes on.

        It ended as 'done', with its result, 'failed' or 'timeout', with the reason, or 'unavailable', with the reason,
        if it needs something that cannot be had here. Does not wait. Raises UsageError if the process could not begin,
        as it reads a script that calls cellbench outside of `if __name__ == "__main__":`.
        """
        self._pass_on()
        # A process of its own may hold the pipe open after its death, so its death is looked at as well.
        if not wait([self._pipe, self._process.sentinel], 0):
            if self._deadline is None or seconds_awake() < self._deadline:
                return None
            return "timeout", f"not finished after {self._timeout:g} seconds"
        try:
            if not self._pipe.poll():
                raise EOFError
            kind, facts = self._pipe.recv()
        except (EOFError, OSError):  # it died; OSError: in the middle of a word
            self._process.join()
            if self._process.exitcode == IN_A_CHILD and not self._has_begun:
                raise UsageError(UNGUARDED) from None
            return "failed", _cause_of_death(self._process.exitcode, ended_for_memory() > self._ended_before)
        if kind == BEGUN:
            self._has_begun = True
            return None
        if kind in ("done", "failed", "unavailable"):
            return kind, facts
        listener(kind, facts)
        return None

    def _pass_on(self) -> bool:
        """Write some of what the child printed to stderr, MOST_OUTPUT bytes of it in all. False if there is none."""
        if self._output.closed:
            return False
        try:
            text = os.read(self._output.fileno(), AT_ONCE)
        except BlockingIOError:
            return False
        if not text:  # nobody can print any more
            self._output.close()
            return False
        room = MOST_OUTPUT - self._bytes_printed
        self._bytes_printed += len(text)
        if room >= 0:
            _to_stderr(text if len(text) <= room else text[:room] + LEFT_OUT)
        return True

    def stop(self) -> None:
        """Ask the child process to end; `end` waits for that."""
        self._process.terminate()

    def end(self) -> None:
        """Wait shortly for the child process to end by itself, and end it if it does not, and then its own children."""
        self._pipe.close()
        stop_with_this_no_longer(self.number)
        child, leader = self._process, self._process.pid
        child.join(0.2)  # its last word was its result, or the pipe is closed: it is about to end by itself
        if child.is_alive():
            child.terminate()
            child.join(GRACE_SECONDS)
        if child.is_alive():
            child.kill()
            child.join()
        if leader:
            end_group(leader)
        for _ in range(MOST_OUTPUT // AT_ONCE):
            if not self._pass_on():
                break
        self._output.close()
        child.close()


def wait_for(calls: Iterable[Call[T]]) -> None:
    """Wait until one of the calls has something to `hear`: an event, its end, or that its time is over."""
    calls = list(calls)
    deadlines = [call._deadline for call in calls if call._deadline is not None]
    left = max(0.0, min(deadlines) - seconds_awake()) if deadlines else None
    prints = [call._output for call in calls if not call._output.closed]
    wait([*prints, *(one for call in calls for one in (call._pipe, call._process.sentinel))], left)


def _to_stderr(text: bytes) -> None:
    with contextlib.suppress(OSError):  # it is closed, or its disk is full
        while text:
            text = text[os.write(2, text) :]


def _main(
    pipe: Connection,
    printed: Connection,
    target: Callable[..., object],
    arguments: tuple[object, ...],
    plugins: Sequence[Path],
    variables: Mapping[str, str],
    folder: str,
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it ends its children
    _let_server_end()
    end_with_parent()  # no run may train on for hours and nobody there to save it
    lead_group()  # a method that ends its group ends this run alone
    for stream in (1, 2):  # what a method prints is no output of the command
        os.dup2(printed.fileno(), stream)
    printed.close()
    # The fork server keeps what there was when it started; a notebook may have changed them since.
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    try:
        pipe.send((BEGUN, {}))
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

    server = getattr(forkserver, "_forkserver", None)
    if server is not None and (end := getattr(server, "_forkserver_alive_fd", None)) is not None:
        os.close(end)
        server._forkserver_alive_fd = None


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
    return f"its process ended with exit code {exit_code} before it had finished"
