"""Named things of one kind, found by name or glob; what cellbench brings is imported when it is first asked for."""

import fnmatch
import hashlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from .errors import UsageError, did_you_mean


class Named(Protocol):
    @property
    def name(self) -> str: ...


E = TypeVar("E", bound=Named)


class Registry(Generic[E]):
    """Entries of one kind ('method', 'data set') by name.

    package: whose modules add what cellbench brings; a new file in it is found by itself. group: the entry points by
    which other packages add to it.
    """

    def __init__(self, kind: str, package: str, group: str) -> None:
        self.kind, self._package, self._group = kind, package, group
        self._added: dict[str, E] = {}
        self._open: dict[str, Callable[[str], E]] = {}
        self._is_loaded = False

    def add(self, entry: E) -> None:
        """Add an entry; a name already taken is refused."""
        if entry.name in self._added:
            raise UsageError(f"{self.kind} {entry.name!r} is registered twice; choose another name")
        self._added[entry.name] = entry

    def add_open(self, prefix: str, entry_of: Callable[[str], E]) -> None:
        """Let every name that begins with `prefix` stand for entry_of(name), which refuses unknown ones.

        Such entries are not listed.
        """
        self._open[prefix] = entry_of

    def load(self) -> None:
        """Import what cellbench brings, once."""
        if not self._is_loaded:
            self._is_loaded = True
            package = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self._package}.{module.name}")

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
        """Names that equal a pattern or match it as a glob, each once, in the order asked; a miss is an error."""
        chosen: dict[str, None] = {}
        for pattern in patterns:
            exact = pattern in self._entries or pattern.startswith(tuple(self._open))
            hits = [pattern] if exact else [n for n in self if fnmatch.fnmatchcase(n, pattern)]
            if not hits:
                raise UsageError(f"no {self.kind} matches {pattern!r}; {did_you_mean(pattern, self._entries)}")
            chosen.update(dict.fromkeys(hits))
        return list(chosen)

    def load_plugins(self) -> None:
        """Import what other packages offer under this registry's entry-point group; it adds itself."""
        self.load()
        for point in entry_points(group=self._group):
            try:
                point.load()
            except Exception as error:
                raise UsageError(f"plug-in {point.value!r} cannot be loaded: {error}; mend or uninstall it") from error


def load_plugins(files: Iterable[Path], registries: Iterable[Registry]) -> None:
    """Make known what installed packages and `files` offer; loading again does no harm."""
    for registry in registries:
        registry.load_plugins()
    for file in files:
        load_plugin_file(file)


def load_plugin_file(path: Path) -> None:
    """Run a user's Python file that adds methods or data sets."""
    if not path.is_file():
        raise UsageError(f"plug-in {str(path)!r} is not a file; give the path of a Python file")
    name = f"cellbench_plugin_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise UsageError(f"plug-in {str(path)!r} cannot be loaded: {type(error).__name__}: {error}; mend it") from error
