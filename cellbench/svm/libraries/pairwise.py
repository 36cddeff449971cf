"""scikit-learn's SVC interface for libraries that train one-against-one machines behind an interface of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC
from sklearn.utils._param_validation import validate_parameter_constraints
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ...core.errors import TrainingError, did_you_mean
from ..kernels import gamma_value
from ..votes import one_score_per_class, votes

ClassWeight = dict[int, float] | dict[str, float] | str | None  # factors of C by class, 'balanced', or none


@dataclass(frozen=True)
class PairProblem:
    """Training data and settings for a library; settings are as in scikit-learn, but gamma is a number.

    features: (n, features) float32; codes: (n,) int, the number of each sample's class, ascending; weights: (classes,)
    float64, the factor of C for each class.
    """

    features: NDArray[np.float32]
    codes: NDArray[np.intp]
    weights: NDArray[np.float64]
    C: float
    kernel: str
    degree: int
    gamma: float
    coef0: float
    tol: float
    cache_size: float


@dataclass(frozen=True)
class Machines:
    """Trained machines, one for each pair of classes, in the order (0, 1), (0, 2), ..., (1, 2), ...

    A positive decision is for the first class of a pair. coefficients: (n, pairs), zero for samples that are not
    support vectors; intercepts: (pairs,); decisions: a function from (m, features) float32 to decisions (m, pairs).
    """

    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    decisions: Callable[[NDArray[np.float32]], NDArray]


@dataclass(frozen=True)
class Library:
    """A library that trains machines.

    train: the function that trains them. kernels: those that work reliably there. indefinite: whether the library can
    train with the kernel 'poly' and a negative coef0, which need not be positive semi-definite.
    """

    name: str
    train: Callable[[PairProblem], Machines]
    kernels: tuple[str, ...]
    indefinite: bool


class PairwiseSVC(ClassifierMixin, BaseEstimator):
    """C-SVC by a library's one-against-one machines: parameters, attributes and signs are scikit-learn's.

    cache_size: MiB for kernel values, where the library takes it. decision_function is the one of shape 'ovr'.
    Samples become float32. Once fitted it can't be pickled: machines live in the library.
    """

    def __init__(
        self,
        library: Library,
        *,
        C: float = 1.0,
        kernel: str = "rbf",
        degree: int = 3,
        gamma: float | str = "scale",
        coef0: float = 0.0,
        tol: float = 1e-3,
        cache_size: float = 200,
        class_weight: ClassWeight = None,
    ) -> None:
        self.library = library
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.tol = tol
        self.cache_size = cache_size
        self.class_weight = class_weight

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit to X (n, features) and classes y (n,), and return the model itself.

        Raises ValueError for invalid input or settings, TrainingError if the library fails.
        """
        _check_settings(self)
        x, labels = validate_data(self, X, y, dtype=np.float32, order="C")
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"The number of classes has to be greater than one; got {len(self.classes_)} class")
        order = codes.argsort(kind="stable")
        problem = PairProblem(
            x[order],
            codes[order],
            compute_class_weight(self.class_weight, classes=self.classes_, y=labels),
            gamma=gamma_value(self.gamma, x.shape[1], float(x.var(dtype=np.float64))),
            **{name: getattr(self, name) for name in ("C", "kernel", "degree", "coef0", "tol", "cache_size")},
        )
        machines = self.library.train(problem)
        if not (np.isfinite(machines.coefficients).all() and np.isfinite(machines.intercepts).all()):
            raise TrainingError(
                f"{self.library.name} ended in values that are not numbers, with {self!r}; choose another backend"
            )
        _keep(self, machines, order, problem.codes)
        self._gamma, self.support_vectors_ = problem.gamma, x[self.support_]
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return decision values: (n,) for two classes, positive for classes_[1], else (n, classes)."""
        decisions = self._decisions_of(X)
        return -decisions[:, 0] if len(self.classes_) == 2 else one_score_per_class(decisions, len(self.classes_))

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the class with most votes for each sample, (n,), in the type of y; on a tie the first of them."""
        return self.classes_[votes(self._decisions_of(X), len(self.classes_)).argmax(1)]

    def _decisions_of(self, X: ArrayLike) -> NDArray[np.float64]:
        check_is_fitted(self)
        x = validate_data(self, X, reset=False, dtype=np.float32, order="C")
        return np.asarray(self._decisions(x), dtype=np.float64)


def by_opponent(coefficients: NDArray, codes: NDArray, n_classes: int) -> NDArray[np.float64]:
    """Return coefficients (n, pairs) in LIBSVM's layout, (n_classes - 1, n).

    A column holds a sample's coefficients against each of the other classes, in their order.
    """
    layout = np.zeros((n_classes - 1, len(codes)))
    for pair, (i, j) in enumerate(combinations(range(n_classes), 2)):
        layout[j - 1, codes == i] = coefficients[codes == i, pair]
        layout[i, codes == j] = coefficients[codes == j, pair]
    return layout


def by_pair(layout: NDArray, codes: NDArray, n_classes: int) -> NDArray[np.float64]:
    """Return coefficients (n, pairs) from LIBSVM's layout (n_classes - 1, n): the inverse of `by_opponent`."""
    coefficients = np.zeros((len(codes), n_classes * (n_classes - 1) // 2))
    for pair, (i, j) in enumerate(combinations(range(n_classes), 2)):
        coefficients[codes == i, pair] = layout[j - 1, codes == i]
        coefficients[codes == j, pair] = layout[i, codes == j]
    return coefficients


def _keep(model: PairwiseSVC, machines: Machines, order: NDArray, codes: NDArray) -> None:
    """Set the fitted attributes with scikit-learn's signs: for two classes, positive is for the second."""
    n_classes = len(model.classes_)
    support = np.flatnonzero(machines.coefficients.any(1))
    sign = -1 if n_classes == 2 else 1
    model._decisions = machines.decisions
    model.support_ = order[support].astype(np.int32)
    model.n_support_ = np.bincount(codes[support], minlength=n_classes).astype(np.int32)
    model.dual_coef_ = sign * by_opponent(machines.coefficients[support], codes[support], n_classes)
    model.intercept_ = sign * machines.intercepts


def _check_settings(model: PairwiseSVC) -> None:
    """Raise ValueError, with a message of one line, for settings that scikit-learn or the library does not take."""
    settings = model.get_params(deep=False)
    library = settings.pop("library")
    allowed = {name: SVC._parameter_constraints[name] for name in settings}
    validate_parameter_constraints(allowed, settings, caller_name=f"SVC by {library.name}")
    if model.kernel not in library.kernels:
        raise ValueError(
            f"kernel is {model.kernel!r}; {library.name}: {did_you_mean(str(model.kernel), library.kernels)}"
        )
    if model.kernel == "poly" and model.coef0 < 0 and not library.indefinite:
        raise ValueError(
            f"coef0 is {model.coef0!r}; {library.name} may never end with one below 0, choose another backend"
        )
