"""The program, as a user calls it: in this process, or in one of its own where that is what the test is about."""

import contextlib
import io
import signal
import subprocess
import sys
from collections.abc import Mapping

import pytest

from cellbench.cli import main


def call(*arguments: object, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`cellbench ...` in this process: its exit code, and what it wrote to stdout and stderr.

    Whatever the console script does is done, but Python and torch are loaded once for all tests, and so is the fork
    server that runs come from. environment: variables that are set for this call.
    """
    words = ["cellbench", *map(str, arguments)]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    on_sigterm = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", words)
        patch.setenv("CELLBENCH_DEBUG", "")  # --debug sets it
        for name, value in (environment or {}).items():
            patch.setenv(name, value)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as end:
                main()
        finally:
            signal.signal(signal.SIGTERM, on_sigterm)
    code = end.value.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess(words, code, _text(out), _text(err))


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined]


def call_in_its_own_process(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The same from outside: for what a process as a whole must do, and for plug-ins, which this one would keep."""
    command = [sys.executable, "-m", "cellbench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
