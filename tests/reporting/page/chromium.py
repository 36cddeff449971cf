"""A page in headless Chromium, spoken to through a pipe in the DevTools protocol: no driver, no library, no port."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
WAIT = 60  # seconds for an answer: machines may be busy
# Chromium reads from file descriptor 3 and writes to 4, so a small process puts the pipes there.
START = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execvp(sys.argv[3], sys.argv[3:])"
)


def program() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """events: what the browser told, (method, parameters)."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read, self._buffer, self._last = write, read, b"", 0
        self.session = ""
        self.events: list[tuple[str, dict[str, Any]]] = []

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        os.write(
            self._write, json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0"
        )
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]

    def run(self, script: str) -> Any:
        """What an expression of JavaScript comes to, promises awaited."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        typed = {"text": "\r"} if key == "Enter" else {}
        for kind, further in (("keyDown", typed), ("keyUp", {})):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key], **further)

    def of(self, method: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.events if name == method]

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + WAIT
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0, end - time.monotonic()))
            assert ready, f"no answer from the browser in {WAIT} s"
            chunk = os.read(self._read, 1 << 20)
            assert chunk, "the browser closed"
            self._buffer += chunk
        text, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(text)
        if "method" in message:
            self.events.append((message["method"], message["params"]))
        return message


KEYS = {"Tab": 9, "Enter": 13, "ArrowRight": 39, "ArrowLeft": 37}


@contextmanager
def opened(file: Path, width: int = 1280, height: int = 900) -> Iterator[Page]:
    """The page in `file`, loaded; what it logs and asks for is in `events` from the start on."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_read, from_write)]  # clear of 3 and 4
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        options += ["--remote-debugging-pipe", f"--user-data-dir={profile}", f"--window-size={width},{height}"]
        browser = subprocess.Popen(
            [sys.executable, "-c", START, *map(str, ends), str(program()), *options, "about:blank"],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (*ends, to_read, from_write):
            os.close(end)
        page = Page(to_write, from_read)
        try:
            targets = page.ask("Target.getTargets")["targetInfos"]
            target = next(one["targetId"] for one in targets if one["type"] == "page")
            page.session = page.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                page.ask(f"{domain}.enable")
            page.ask("Page.navigate", url=file.resolve().as_uri())
            while not page.of("Page.loadEventFired"):
                page._next()
            yield page
        finally:
            page.session = ""
            with suppress(AssertionError, OSError):
                page.ask("Browser.close")
            browser.wait(WAIT)
            os.close(to_write)
            os.close(from_read)
