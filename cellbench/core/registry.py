"""A registry of entries by name. Those that come with cellbench are imported when the registry is first used."""

import fnmatch
import hashlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Generic, Protocol, TypeVar

from .errors import UsageError, did_you_mean
from .machine.files import check_regular

LARGEST_PLUGIN = 10e6  # bytes


class Named(Protocol):
    @property
    def name(self) -> str: ...


class HasPlugins(Protocol):
    def load_plugins(self) -> None: ...


E = TypeVar("E", bound=Named)


def import_all(package: ModuleType) -> None:
    """Import every module of a package, and of the packages in it."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)


class Registry(Generic[E]):
    """Entries of one kind ('method', 'data set') by name.

    package: the package whose modules add the entries of cellbench; all of them are imported, those in its folders too.
    group: the entry point group by which other packages add entries.
    """

    def __init__(self, kind: str, package: str, group: str) -> None:
        self.kind, self._package, self._group = kind, package, group
        self._added: dict[str, E] = {}
        self._open: dict[str, Callable[[str], E]] = {}
        self._is_loaded = False

    def add(self, entry: E) -> None:
        """Add an entry. Raises UsageError if its name is taken already."""
        if entry.name in self._added:
            raise UsageError(f"{self.kind} {entry.name!r} is registered twice; choose another name")
        self._added[entry.name] = entry

    def add_open(self, prefix: str, entry_of: Callable[[str], E]) -> None:
        """Make every name that begins with `prefix` stand for the entry entry_of(name), which may refuse the name.

        Such entries are found by name, but are not listed.
        """
        self._open[prefix] = entry_of

    def load(self) -> None:
        """Import the modules that add the entries of cellbench, if that was not done yet."""
        if not self._is_loaded:
            self._is_loaded = True
            import_all(importlib.import_module(self._package))

    @property
    def _entries(self) -> dict[str, E]:
        self.load()
        return self._added

    def __getitem__(self, name: str) -> E:
        if name in self._entries:
            return self._entries[name]
        for prefix, entry_of in self._open.items():
            if name.startswith(prefix):
                return entry_of(name)
        raise UsageError(f"no {self.kind} is called {name!r}; {did_you_mean(name, self._entries)}")

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> list[E]:
        return [self._entries[name] for name in self]

    def select(self, patterns: Iterable[str]) -> list[str]:
        """Return the names that equal a pattern or match it as a glob, each once, in the order of the patterns.

        A name with an open prefix, such as torchvision:NAME, is returned as it is; only looking it up refuses it.
        Raises UsageError for a pattern without a match.
        """
        chosen: dict[str, None] = {}
        for pattern in patterns:
            exact = pattern in self._entries or pattern.startswith(tuple(self._open))
            hits = [pattern] if exact else [n for n in self if fnmatch.fnmatchcase(n, pattern)]
            if not hits:
                raise UsageError(f"no {self.kind} matches {pattern!r}; {did_you_mean(pattern, self._entries)}")
            chosen.update(dict.fromkeys(hits))
        return list(chosen)

    def load_plugins(self) -> None:
        """Import the plug-ins of installed packages in this registry's entry point group; they add their entries.

        Raises UsageError if one cannot be loaded.
        """
        self.load()
        for point in entry_points(group=self._group):
            try:
                point.load()
            except Exception as error:
                raise UsageError(f"plug-in {point.value!r} cannot be loaded: {error}; mend or uninstall it") from error


def load_plugins(files: Iterable[Path], registries: Iterable[HasPlugins]) -> None:
    """Add the entries of installed packages and of the Python files `files`; loading them again does nothing."""
    for registry in registries:
        registry.load_plugins()
    for file in files:
        load_plugin_file(file)


def load_plugin_file(path: Path) -> None:
    """Run a user's Python file that adds methods or data sets, once. Raises UsageError if it cannot be loaded."""
    if not path.is_file():
        raise UsageError(f"plug-in {str(path)!r} is not a file; give the path of a Python file")
    try:
        check_regular(path, LARGEST_PLUGIN)
    except OSError as error:
        raise UsageError(f"plug-in {str(path)!r} is not read: {error}; give the path of a Python file") from None
    name = f"cellbench_plugin_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"plug-in {str(path)!r} is no Python file; give one whose name ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UsageError(f"plug-in {str(path)!r} cannot be loaded: {type(error).__name__}: {error}; mend it") from error
