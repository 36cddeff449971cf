"""The libraries that can fit a C-SVC, each behind the same call; what isn't there says why."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core.errors import BackendError, did_you_mean


@dataclass(frozen=True)
class Backend:
    """load() returns a class with scikit-learn's SVC interface, or raises what keeps it from doing so."""

    name: str
    title: str
    load: Callable[[], Any]


def _onedal() -> Any:
    from sklearnex.svm import SVC

    return SVC


def _libsvm() -> Any:
    from sklearn.svm import SVC

    return SVC


# In the order of preference on a processor: oneDAL fits HEp-2 about seven times as fast as LIBSVM on two cores.
BACKENDS = {
    backend.name: backend
    for backend in (
        Backend("onedal", "oneDAL through scikit-learn-intelex", _onedal),
        Backend("libsvm", "LIBSVM through scikit-learn", _libsvm),
    )
}


def available() -> dict[str, str]:
    """For every backend '' when it can be used, else the reason why not."""
    return {name: _obstacle(backend) for name, backend in BACKENDS.items()}


def choose(name: str = "auto") -> Backend:
    """The backend of that name, or the first that works for 'auto'. Raises BackendError when it can't be used."""
    if name == "auto":
        return next(backend for backend in BACKENDS.values() if not _obstacle(backend))
    if name not in BACKENDS:
        raise BackendError(f"no SVM backend is called {name!r}; {did_you_mean(name, ['auto', *BACKENDS])}")
    if reason := _obstacle(BACKENDS[name]):
        raise BackendError(f"SVM backend {name!r} cannot be used: {reason}; choose another or 'auto'")
    return BACKENDS[name]


def use_threads(backend: Backend) -> None:
    """Let the backend use as many threads as torch may, so that one number of threads holds for every method."""
    if backend.name == "onedal":
        import daal4py
        import torch

        daal4py.daalinit(torch.get_num_threads())


def _obstacle(backend: Backend) -> str:
    try:
        backend.load()
    except Exception as error:  # a broken wheel raises anything: ImportError, OSError, even FileNotFoundError
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""
