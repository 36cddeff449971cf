"""A file is fetched whole or not at all, goes on after a cut, and every failure is one line that helps."""

import contextlib
import errno
import hashlib
import io
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellbench.core.errors import DataError
from cellbench.datasets.files import download
from cellbench.datasets.files.download import RemoteFile, fetch

CONTENT = np.random.default_rng(0).bytes(300_000)
MD5 = hashlib.md5(CONTENT).hexdigest()
PAGE = b"\n<!DOCTYPE html><html><body>Please log in</body></html>"


class Server:
    """What the next answers are, and which ranges were asked for."""

    def __init__(self) -> None:
        self.content, self.status = CONTENT, 200
        self.ranges_known = True
        self.cuts: list[int] = []  # for each answer: break off after so many bytes
        self.length_told = True
        self.asked: list[str] = []
        self.url = ""

    def file(self, **changes: Any) -> RemoteFile:
        return RemoteFile(**{"url": self.url, "name": "cells.tar", "md5": MD5, **changes})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on this machine alone, ended with the test; no waiting between attempts."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            state.asked.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-") or 0) if state.ranges_known else 0
            if start >= len(state.content) > 0 and start:
                self.send_error(416)
                return
            body = state.content[start:]
            self.send_response(206 if start and state.status == 200 else state.status)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(state.content) - 1}/{len(state.content)}")
            if state.length_told:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the other side may have had enough
                self.wfile.write(body[: state.cuts.pop(0)] if state.cuts else body)

        def log_message(self, *args: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(download, "TIMEOUT", 5.0)
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{running.server_port}/data/cells.tar"
    yield state
    running.shutdown()
    running.server_close()
    thread.join(5)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_a_file_is_fetched_whole_and_its_progress_told(server: Server, tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    path = fetch(server.file(), tmp_path / "new" / "folder", lambda *facts: told.append(facts))
    assert path == tmp_path / "new" / "folder" / "cells.tar"
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["cells.tar"]
    assert told[0] == ("cells.tar", 0, 300_000)
    assert told[-1] == ("cells.tar", 300_000, 300_000)
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})


def test_a_file_that_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cells.tar").write_bytes(CONTENT)
    assert fetch(server.file(), tmp_path).read_bytes() == CONTENT
    assert server.asked == []


def test_another_file_of_that_name_is_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cells.tar").write_bytes(b"half of an old one")
    assert fetch(server.file(), tmp_path).read_bytes() == CONTENT


def test_a_dropped_connection_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000, 50_000]
    assert fetch(server.file(), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["", "bytes=100000-", "bytes=150000-"]


def test_a_later_call_goes_on_too_when_too_many_connections_dropped(server: Server, tmp_path: Path) -> None:
    server.cuts = [1000] * 4
    with pytest.raises(DataError, match=r"the connection ended after 4,000 of 300,000 bytes; by hand: save http"):
        fetch(server.file(), tmp_path)
    assert names(tmp_path) == ["cells.tar.part"]
    assert fetch(server.file(), tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] == "bytes=4000-"
    assert names(tmp_path) == ["cells.tar"]


def test_a_server_without_ranges_is_asked_for_the_whole_again(server: Server, tmp_path: Path) -> None:
    server.ranges_known = False
    (tmp_path / "cells.tar.part").write_bytes(CONTENT[:77_777])
    assert fetch(server.file(), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["bytes=77777-"]


def test_a_whole_part_is_only_renamed_and_a_longer_one_fetched_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cells.tar.part").write_bytes(CONTENT)
    assert fetch(server.file(), tmp_path).read_bytes() == CONTENT
    assert server.asked == []
    (tmp_path / "b.tar.part").write_bytes(CONTENT + b"more")
    assert fetch(server.file(name="b.tar"), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["bytes=300004-", ""]


def test_a_length_that_nobody_tells_is_no_obstacle(server: Server, tmp_path: Path) -> None:
    server.length_told = False
    assert fetch(server.file(), tmp_path).read_bytes() == CONTENT


def test_a_wrong_md5_names_both_and_removes_what_came(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"300,000 bytes came, with md5 {MD5}; md5 {'0' * 32} was expected"):
        fetch(server.file(md5="0" * 32), tmp_path)
    assert names(tmp_path) == []


def test_a_part_of_another_file_is_not_kept_for_ever(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cells.tar.part").write_bytes(b"x" * 1000)
    with pytest.raises(DataError, match="md5"):
        fetch(server.file(), tmp_path)
    assert fetch(server.file(), tmp_path).read_bytes() == CONTENT


def test_an_endless_answer_is_broken_off(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT * 100
    told: list[int] = []
    with pytest.raises(DataError, match=r"is not the cells\.tar that was published"):
        fetch(server.file(size=300_000), tmp_path, lambda name, done, total: told.append(done))
    assert told[-1] < 300_000 + download.PIECE + 1


def test_a_web_page_in_place_of_the_file_is_called_that(server: Server, tmp_path: Path) -> None:
    server.content = PAGE
    with pytest.raises(DataError, match=r"the server sent a web page \(HTML\)"):
        fetch(server.file(), tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize(("status", "reason"), [(404, "404 Not Found"), (403, "403 Forbidden"), (500, "500 Internal")])
def test_a_refusal_gives_the_manual_steps(server: Server, tmp_path: Path, status: int, reason: str) -> None:
    server.status = status
    with pytest.raises(DataError) as error:
        fetch(server.file(), tmp_path, manual="ask the authors")
    message = str(error.value)
    assert f"cannot download {server.url}: the server answers {reason}" in message
    assert f"save {server.url} as {tmp_path / 'cells.tar'} (md5 {MD5}) and type the same command again" in message
    assert message.endswith("; or ask the authors")
    assert "\n" not in message


def test_no_network_gives_the_manual_steps_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "WAITS", (60.0,))
    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/cells.tar"
        with pytest.raises(DataError, match=r"cannot download http.*: Connection refused; by hand: save http"):
            fetch(RemoteFile(url, "cells.tar", MD5), tmp_path)
    assert names(tmp_path) == []


def test_a_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/cells.tar"
        with pytest.raises(DataError, match=r"cannot download .*timed out; by hand"):
            fetch(RemoteFile(url, "cells.tar", MD5), tmp_path)


def test_two_at_once_fetch_it_once(server: Server, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: fetch(server.file(), tmp_path).read_bytes(), range(2)))
    assert both == [CONTENT, CONTENT]
    assert len(server.asked) == 1


def test_a_full_disk_is_said_in_one_line(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    really = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, mode="r", **how: Full() if mode == "ab+" else really(path, mode, **how)
    )
    with pytest.raises(DataError, match=r"cannot write .*cells\.tar\.part: No space left on device; free some space"):
        fetch(server.file(), tmp_path)


def test_a_folder_without_permission_is_said_in_one_line(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*args: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(
        DataError,
        match=r"cannot write .*cells\.tar\.part: Permission denied; choose another folder with CELLBENCH_DATA$",
    ):
        fetch(server.file(), tmp_path / "locked")
