"""The libraries that can fit a C-SVC, behind one interface; a library that can't be used says why."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import BackendError, did_you_mean
from . import libsvm, rapids, thunder
from .classifier import SVC, path, path_scores
from .kernels import KERNELS

# Samples of the largest pair of classes up to which ours is chosen on a processor. With many classes and values of C,
# which share its Gram matrix, ours is the fastest: `cellbench table results/ --view parity` has it beside the others on
# HEp-2, 8,701 images in six classes. In large pairs with few support vectors oneDAL is, which never makes the whole
# matrix: 12,000 samples in two classes, a fifth of them support vectors, took 2.9 s and oneDAL 1.5 s, measured by hand.
OURS_UP_TO = 6_000


@dataclass(frozen=True)
class Backend:
    """A library that fits machines; load() returns a class with the interface of scikit-learn's SVC, or raises."""

    name: str
    title: str
    load: Callable[[], Any]
    devices: tuple[str, ...] = ("cpu",)
    kernels: tuple[str, ...] = (*KERNELS, "sigmoid")


def _ours() -> Any:
    return SVC


def _onedal() -> Any:
    from sklearnex.svm import SVC

    return SVC


def _libsvm() -> Any:
    from sklearn.svm import SVC

    return SVC


BACKENDS = {
    backend.name: backend
    for backend in (
        Backend("torch", "cellbench's own solver on torch", _ours, ("cpu", "cuda"), KERNELS),
        Backend("onedal", "oneDAL through scikit-learn-intelex", _onedal),
        Backend("libsvm", "LIBSVM through scikit-learn", _libsvm, kernels=(*KERNELS, *libsvm.KERNELS)),
        Backend("thundersvm", "ThunderSVM", thunder.load, kernels=tuple(thunder.KERNELS)),
        Backend("cuml", "cuML of RAPIDS", rapids.load, ("cuda",)),
    )
}


def available() -> dict[str, str]:
    """Return a mapping from every backend's name to '' if it can be used, else to the reason why not."""
    return {name: _obstacle(backend) for name, backend in BACKENDS.items()}


def choose(name: str = "auto", *, device: str = "cpu", kernel: str = "rbf", largest_pair: int = 0) -> Backend:
    """Return the backend of that name; for 'auto' the one that is usually fastest.

    largest_pair: the number of samples of the largest binary machine (with several labels an image, all samples).
    'auto' takes our solver on CUDA, and on a processor up to OURS_UP_TO samples; above that it takes oneDAL, or LIBSVM
    if oneDAL can't be used. For a kernel that our solver hasn't it takes LIBSVM, on the processor whatever the device.
    Raises BackendError when the backend of that name can't be used.
    """
    if name == "auto":
        names = _preferred(device, kernel, largest_pair)
        name = next(name for name in names if not _obstacle(BACKENDS[name]))
        device = device if device in BACKENDS[name].devices else "cpu"
    if name not in BACKENDS:
        raise BackendError(f"no SVM backend is called {name!r}; {did_you_mean(name, ['auto', *BACKENDS])}")
    backend = BACKENDS[name]
    if kernel not in backend.kernels:
        raise BackendError(
            f"SVM backend {name!r} has no kernel {kernel!r}; it has {', '.join(backend.kernels)}: choose one, or 'auto'"
        )
    if reason := _obstacle(backend):  # before the device: nobody is sent to one that isn't there
        raise BackendError(f"SVM backend {name!r} cannot be used: {reason}; choose another or 'auto'")
    if device not in backend.devices:
        raise BackendError(
            f"SVM backend {name!r} runs on {', '.join(backend.devices)}, not on {device}; take --device "
            f"{backend.devices[0]}, or another backend"
        )
    return backend


def reason(backend: Backend, kernel: str, largest_pair: int) -> str:
    """Return why 'auto' chose a backend other than our solver, in one line; '' if it chose our solver."""
    if backend.name == "torch":
        return ""
    if kernel not in KERNELS:
        return f"auto took {backend.name}, on the processor: the kernel {kernel} is not among {', '.join(KERNELS)}"
    return f"auto took {backend.name}: the largest machine has {largest_pair:,} samples, more than {OURS_UP_TO:,}"


def candidates(
    backend: Backend,
    X: Tensor,
    y: NDArray,
    unseen: Tensor,
    *,
    C: Sequence[float],
    gamma: Sequence[Any],
    **settings: Any,
) -> Iterator[tuple[dict[str, Any], Any, NDArray]]:
    """Yield, for each gamma and each C, the two settings, the fitted model and its decision_function(unseen).

    Values of C ascend. X, unseen: (n, features) float32; y: (n,) class numbers, or (n, labels) bool for one machine a
    label.
    """
    if backend.name == "torch":
        for g in gamma:
            models = path(SVC(device=X.device.type, **settings), X, y, C, [g])
            for model, scores in zip(models, path_scores(models, unseen), strict=True):
                yield {"C": model.C, "gamma": g}, model, scores
        return
    features, others = X.cpu().numpy(), unseen.cpu().numpy()
    for g in gamma:
        for c in sorted(C):
            model = backend.load()(C=c, gamma=g, cache_size=2000, **settings)
            if y.ndim == 2:
                model = _one_versus_rest(model)
            model.fit(features, y.astype(int))
            yield {"C": c, "gamma": g}, model, model.decision_function(others)


def use_threads(backend: Backend) -> None:
    """Let the backend use as many threads as torch may, so that one number of threads holds for every method."""
    if backend.name == "onedal":
        import daal4py
        import torch

        daal4py.daalinit(torch.get_num_threads())


def _preferred(device: str, kernel: str, largest_pair: int) -> list[str]:
    if kernel not in KERNELS:
        return ["libsvm"]
    if device == "cuda" or largest_pair <= OURS_UP_TO:
        return ["torch"]
    return ["onedal", "libsvm"]


def _one_versus_rest(model: Any) -> Any:
    from sklearn.multiclass import OneVsRestClassifier

    return OneVsRestClassifier(model)


def _obstacle(backend: Backend) -> str:
    try:
        backend.load()
    except Exception as error:  # a broken wheel raises anything: ImportError, OSError, even FileNotFoundError
        said = str(error) if isinstance(error, BackendError) else f"{type(error).__name__}: {error}"
        return said.splitlines()[0]
    return ""
