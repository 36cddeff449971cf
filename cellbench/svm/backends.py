"""The libraries that can fit a C-SVC, behind one interface; a library that can't be used says why. One approximates."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import BackendError, did_you_mean
from ..core.text.words import counted
from .approximate import LANDMARKS, ApproximateSVC
from .classifier import SVC, path, path_scores
from .fitted import AnyMachine, Machine
from .kernels import KERNELS
from .libraries import libsvm, rapids, thunder

if TYPE_CHECKING:
    from sklearn.multiclass import OneVsRestClassifier

# What 'auto' goes by on a processor, as measured: docs/svm.md has the table. oneDAL, which never makes the whole Gram
# matrix, is the faster the fewer features there are and the fewer values of C, which share the matrix in our solver.
ONEDAL_UP_TO_FEATURES = {"one value of C": 1_000, "several values of C": 120}
# LIBSVM, which uses one thread, is faster still where few samples become support vectors.
LIBSVM_UP_TO_FEATURES = 120
LIBSVM_UP_TO_THREADS = 2
FEW_VECTORS = 0.7  # of the samples of a pilot, as `Problem.pilot` returns it
# Samples of the largest pair of classes up to which ours is chosen otherwise. In large pairs with few support vectors
# oneDAL is faster: 12,000 samples in two classes, a fifth of them support vectors, took 2.9 s and oneDAL 1.5 s,
# measured by hand.
OURS_UP_TO = 6_000


@dataclass(frozen=True)
class Backend:
    """A library that fits machines; load() returns a class with the interface of scikit-learn's SVC, or raises."""

    name: str
    title: str
    load: Callable[[], Callable[..., Machine]]
    devices: tuple[str, ...] = ("cpu",)
    kernels: tuple[str, ...] = (*KERNELS, "sigmoid")
    is_exact: bool = True


def _ours() -> type[SVC]:
    return SVC


def _approximate() -> Callable[..., Machine]:
    return lambda cache_size=0, **settings: ApproximateSVC(device="cpu", **settings)


def _onedal() -> Callable[..., Machine]:
    from sklearnex.svm import SVC

    return SVC


def _libsvm() -> Callable[..., Machine]:
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
        Backend(
            "nystroem",
            "Nyström's kernel and LIBLINEAR through scikit-learn",
            _approximate,
            kernels=KERNELS,
            is_exact=False,
        ),
    )
}


def available() -> dict[str, str]:
    """Return a mapping from every backend's name to '' if it can be used, else to the reason why not."""
    return {name: _obstacle(backend) for name, backend in BACKENDS.items()}


@dataclass(frozen=True)
class Problem:
    """What the choice of a backend depends on.

    largest_pair: samples of the largest binary machine (with several labels an image, all samples). features: of a
    sample. values: how many values of C are tried. several_labels: whether an image may have several. pilot(): the
    share of support vectors among a part of the samples, see `pilot.share_of_vectors`; it is called only if needed.
    """

    largest_pair: int
    features: int
    values: int
    several_labels: bool = False
    pilot: Callable[[], float] = lambda: 1.0

    @property
    def has_few_features(self) -> bool:
        """Whether oneDAL is faster than our solver for want of features."""
        most = ONEDAL_UP_TO_FEATURES["one value of C" if self.values == 1 else "several values of C"]
        return self.features <= most and not self.several_labels


def choose(name: str = "auto", *, device: str = "cpu", kernel: str = "rbf", problem: Problem | None = None) -> Backend:
    """Return the backend of that name; for 'auto' the one that is usually fastest for the problem.

    'auto' takes our solver on CUDA, and where the problem is not known yet. On a processor it takes oneDAL for few
    features, LIBSVM if few of the samples are support vectors as well and there are at most two threads; else ours up
    to OURS_UP_TO samples of a pair, and above that oneDAL. Where oneDAL can't be used, our solver takes its place up to
    that size, and LIBSVM above it. For a kernel that our solver hasn't it takes LIBSVM, on the processor whatever the
    device. Raises BackendError when the backend of that name can't be used.
    """
    if name == "auto":
        names = _preferred(device, kernel, problem)
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


def reason(backend: Backend, kernel: str, problem: Problem) -> str:
    """Return what is to be known of the backend in one line: that it approximates, or why 'auto' chose it.

    '' if it is our solver.
    """
    if not backend.is_exact:
        return f"approximate: kernel values with up to {LANDMARKS:,} training images stand for those with all"
    if backend.name == "torch":
        return ""
    took = f"auto took {backend.name}"
    if kernel not in KERNELS:
        return f"{took}, on the processor: the kernel {kernel} is not among {', '.join(KERNELS)}"
    # LIBSVM is either the fastest, or takes the place of oneDAL.
    if problem.has_few_features and (backend.name == "onedal" or _suits_libsvm(kernel, problem)):
        few = f"{took}: it is faster for {problem.features:,} features and {counted(problem.values, 'value')} of C"
        return f"{few}, where few samples are support vectors" if backend.name == "libsvm" else few
    return f"{took}: the largest machine has {problem.largest_pair:,} samples, more than {OURS_UP_TO:,}"


def candidates(
    backend: Backend,
    X: Tensor,
    y: NDArray,
    unseen: Tensor,
    *,
    C: Sequence[float],
    gamma: Sequence[float | str],
    **settings: Any,
) -> Iterator[tuple[dict[str, float | str], AnyMachine, NDArray]]:
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
            machine = backend.load()(C=c, gamma=g, cache_size=2000, **settings)
            takes_labels = isinstance(machine, SVC)
            fitted: AnyMachine = machine if y.ndim == 1 or takes_labels else _one_versus_rest(machine)
            fitted.fit(features, y.astype(int))
            yield {"C": c, "gamma": g}, fitted, fitted.decision_function(others)


def use_threads(backend: Backend) -> None:
    """Let the backend use as many threads as torch may, so that one number of threads holds for every method."""
    if backend.name == "onedal":
        import daal4py
        import torch

        daal4py.daalinit(torch.get_num_threads())


def _preferred(device: str, kernel: str, problem: Problem | None) -> list[str]:
    if kernel not in KERNELS:
        return ["libsvm"]
    if device == "cuda" or problem is None:
        return ["torch"]
    if problem.has_few_features:
        return ["libsvm"] if _suits_libsvm(kernel, problem) else ["onedal", _without_onedal(problem)]
    return ["torch"] if problem.largest_pair <= OURS_UP_TO else ["onedal", _without_onedal(problem)]


def _without_onedal(problem: Problem) -> str:
    """Return the backend that takes oneDAL's place: not ours for large pairs, of which it holds the Gram matrix."""
    return "torch" if problem.largest_pair <= OURS_UP_TO else "libsvm"


def _suits_libsvm(kernel: str, problem: Problem) -> bool:
    import torch

    known = kernel == "rbf" and problem.features <= LIBSVM_UP_TO_FEATURES  # of others nothing was measured
    return known and torch.get_num_threads() <= LIBSVM_UP_TO_THREADS and problem.pilot() < FEW_VECTORS


def _one_versus_rest(model: Machine) -> "OneVsRestClassifier":
    from sklearn.multiclass import OneVsRestClassifier

    return OneVsRestClassifier(model)


def _obstacle(backend: Backend) -> str:
    try:
        backend.load()
    except Exception as error:  # a broken wheel raises anything: ImportError, OSError, even FileNotFoundError
        text = str(error) if isinstance(error, BackendError) else f"{type(error).__name__}: {error}"
        return text.splitlines()[0]
    return ""
