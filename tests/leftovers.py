"""What tests leave where they must not: in the checkout and beside the real data. The user's cache is out of reach.

Tests write to temporary folders alone. Files that appear elsewhere while they run fail the whole session, by name.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
# What Python, pytest, the linters and a build make for themselves.
OF_TOOLS = {
    ".benchmarks",
    ".git",
    ".hypothesis",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".tox",
    ".venv",
    "__pycache__",
    "build",
    "dist",
}
BY_HAND = (".py", ".md", ".toml", ".cfg")  # a developer may write them meanwhile; tests leave other things


def session_home() -> Path:
    """A temporary folder in place of the user's cache and state, the same for all processes of a session.

    Each test has a cache of its own; fixtures of a whole module, which nets and embeddings are kept for, have this one.
    """
    if "CELLBENCH_TESTS_HOME" not in os.environ:
        os.environ["CELLBENCH_TESTS_HOME"] = tempfile.mkdtemp(prefix="cellbench-tests-")
    return Path(os.environ["CELLBENCH_TESTS_HOME"])


def tests_alone() -> str:
    """A folder with nothing but the package of tests, for the path of processes that unpickle functions of tests.

    The checkout would bring the source of cellbench along, and where cellbench is installed another `tests` may be.
    """
    folder = session_home() / "path"
    folder.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):  # another process of the session was first
        (folder / "tests").symlink_to(ROOT / "tests")
    return str(folder)


def watched() -> list[Path]:
    """The folders that no test may write to."""
    real = os.environ.get("CELLBENCH_TEST_DATA")
    return [ROOT, *([Path(real)] if real else [])]


def snapshot(folders: list[Path]) -> set[str]:
    """The path of every file in `folders`, but for those of tools and those that people write."""
    return {path for folder in folders for path in _below(folder)}


def _below(folder: Path) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in OF_TOOLS and not name.endswith(".egg-info")]
        for name in files:
            if not (name.startswith(".coverage") or name.endswith(BY_HAND)):
                yield os.path.join(place, name)
