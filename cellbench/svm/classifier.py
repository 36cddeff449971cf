"""C-support vector classification with scikit-learn's interface, solved on torch; machines share the Gram matrix."""

import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, check_is_fitted
from torch import Tensor

from ..core.errors import BackendError
from ..core.tensors import lacks_memory
from .inputs import check_settings, classes_of, features_of, shares_of
from .kernels import ROWS, Kernel, column_sums, cross, gamma_value, gram, variance
from .libraries import libsvm
from .libraries.pairwise import ClassWeight, by_opponent
from .machines import ClassBlocks, Solution, one_against_one, one_versus_rest, working_dtype
from .votes import one_score_per_class, votes

if TYPE_CHECKING:
    from sklearn.utils import Tags

SCORE_ROWS = 4096  # samples scored at a time
PROCESSOR_MEMORY = 2**32


class SVC(ClassifierMixin, BaseEstimator):
    """C-SVC on torch, to LIBSVM's stopping rule: parameters and attributes are those of `sklearn.svm.SVC`.

    C, kernel, degree, gamma ('scale', 'auto' or a number), coef0 (>= 0), tol, class_weight, decision_function_shape
    ('ovr' or 'ovo'), break_ties: as there. Kernels 'linear', 'rbf' and 'poly' are solved here; 'sigmoid' and
    'precomputed', X being the (n, n) Gram matrix, by LIBSVM on the processor, one label a sample.
    device: 'cpu', 'cuda', or 'auto' for CUDA if there is any. memory: bytes that Gram matrices may take on the device;
    None is half of what is free on a card, 4 GiB on a processor. One Gram matrix of all samples is made when it fits a
    half of that, else one block for each pair of classes, those of a class with itself kept while they fit.

    fit takes y of shape (n,), one-against-one, or (n, labels) of 0 and 1, one-versus-rest. After it also:
    dual_objective_ and gap_ (machines,): sum(alpha) - 1/2 alpha' Q alpha, and LIBSVM's m(alpha) - M(alpha), of what
    was solved here.
    """

    def __init__(
        self,
        *,
        C: float = 1.0,
        kernel: str = "rbf",
        degree: int = 3,
        gamma: float | str = "scale",
        coef0: float = 0.0,
        tol: float = 1e-3,
        class_weight: ClassWeight = None,
        decision_function_shape: str = "ovr",
        break_ties: bool = False,
        device: str = "auto",
        memory: int | None = None,
    ) -> None:
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.tol = tol
        self.class_weight = class_weight
        self.decision_function_shape = decision_function_shape
        self.break_ties = break_ties
        self.device = device
        self.memory = memory

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit to X (n, features) and y (n,) or (n, labels), and return the model itself.

        sample_weight: (n,), the factor of C of each sample; None for 1. For kernel='precomputed', X is (n, n).

        Raises ValueError for input or settings that no machine can be trained with.
        """
        _fit([self], X, y, sample_weight)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray:
        """Return decision values: (n,) for two classes, (n, classes) for more or, with 'ovo', (n, pairs).

        With several labels a sample they are (n, labels).
        """
        check_is_fitted(self)
        if self._library is not None:
            return self._library.decision_function(libsvm.on_processor(X))
        return self._scores(self._decisions(X))

    def predict(self, X: ArrayLike) -> NDArray:
        """Return each sample's class, (n,), or its labels, (n, labels) of 0 and 1.

        The class is the one with most votes. On a tie it is the first of them, or with break_ties the one that has the
        highest decision value.
        """
        check_is_fitted(self)
        if self._library is not None:
            return self._library.predict(libsvm.on_processor(X))
        if self._multilabel:
            return (self.decision_function(X) > 0).astype(int)
        decisions = self._decisions(X)
        if self.break_ties and len(self.classes_) > 2:
            if self.decision_function_shape == "ovo":
                raise ValueError("break_ties must be False when decision_function_shape is 'ovo'")
            return self.classes_[one_score_per_class(decisions, len(self.classes_)).argmax(1)]
        return self.classes_[votes(decisions, len(self.classes_)).argmax(1)]

    @property
    def support_vectors_(self) -> NDArray:
        """The support vectors, (support vectors, features), in the order of support_."""
        check_is_fitted(self)
        if self._library is not None:
            return self._library.support_vectors_
        vectors = self._vectors[self._weights.any(1)]
        return (vectors if self._centre is None else vectors + self._centre.to(vectors)).cpu().numpy()

    def _decisions(self, X: ArrayLike) -> NDArray:
        """Return the decisions of all machines, (n, machines).

        Machines are for pairs of classes, (0, 1), (0, 2), ..., positive for the first, or one for each label.
        """
        x = features_of(self, X, reset=False).to(self._vectors.device)
        return _decisions([self], x)[0]

    def _scores(self, decisions: NDArray) -> NDArray:
        if self._multilabel or (len(self.classes_) > 2 and self.decision_function_shape == "ovo"):
            return decisions
        return -decisions[:, 0] if len(self.classes_) == 2 else one_score_per_class(decisions, len(self.classes_))

    def __sklearn_tags__(self) -> "Tags":
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.kernel not in libsvm.KERNELS
        tags.input_tags.pairwise = self.kernel == "precomputed"
        return tags


def path(model: SVC, X: ArrayLike, y: ArrayLike, C: Sequence[float], gamma: Sequence[float | str]) -> list[SVC]:
    """Return fitted clones of `model` for every gamma and, within it, every C, ascending.

    Clones with the same gamma share the Gram matrix.
    """
    models = [[clone(model).set_params(C=c, gamma=g) for c in sorted(C)] for g in gamma]
    for along_c in models:
        _fit(along_c, X, y, None)
    return [model for along_c in models for model in along_c]


def path_scores(models: Sequence[SVC], X: ArrayLike) -> list[NDArray]:
    """Return what `decision_function` of each model returns for X; the models must be of one `path`.

    Models with the same gamma share the kernel values of X.
    """
    if models[0]._library is not None:
        return [model.decision_function(X) for model in models]
    x = features_of(models[0], X, reset=False).to(models[0]._vectors.device)
    scores: list[NDArray] = []
    for _, along_c in groupby(models, lambda model: model._kernel):
        fitted = list(along_c)
        scores += [model._scores(values) for model, values in zip(fitted, _decisions(fitted, x), strict=True)]
    return scores


def _decisions(models: Sequence[SVC], x: Tensor) -> list[NDArray]:
    """Return the decisions (n, machines) of each model; the models must be of one path and have the same gamma."""
    first, width = models[0], len(models[0]._bias)
    weights, vectors = torch.cat([model._weights for model in models], 1), first._vectors
    dtype = torch.float64 if any(model._values == torch.float64 for model in models) else torch.float32
    used = weights.any(1)  # vectors are those of the whole path
    if not used.all():
        weights, vectors = weights[used], vectors[used]
    scores = torch.empty(len(x), weights.shape[1], dtype=torch.float64, device=x.device)
    for rows, sums in zip(x.split(SCORE_ROWS), scores.split(SCORE_ROWS), strict=True):
        values = cross(first._kernel, _centred(rows, first._centre), vectors, 1.0, dtype)
        for part, into in zip(values.split(ROWS), sums.split(ROWS), strict=True):
            torch.mm(part.double(), weights, out=into)  # one class, then the other: large sums, and they cancel
    columns = scores.cpu().numpy()
    return [columns[:, i * width : (i + 1) * width] + model._bias for i, model in enumerate(models)]


@dataclass(frozen=True)
class TrainingData:
    """The training data of a fit, sorted by class; with several labels a sample, in the order of the input.

    x: (n, features) on the device, with `centre` subtracted. labels: (n,) or (n, labels). order: row i was row
    order[i] of the input. scale: the mean of k(x, x). shares: the factor of C for each sample, see `shares_of`.
    """

    x: Tensor
    labels: NDArray
    order: NDArray
    classes: NDArray
    kernel: Kernel
    centre: Tensor | None
    scale: float
    shares: Tensor


def _fit(models: Sequence[SVC], X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None) -> None:
    """Fit models that differ only in C; they must come in ascending order of it."""
    model = models[0]
    for one in models:
        check_settings(one)
    multilabel = type_of_target(y) == "multilabel-indicator"
    if model.kernel in libsvm.KERNELS:
        for one in models:
            libsvm.fit(one, X, y, sample_weight, multilabel)
        return
    given = _given(model, X, y, sample_weight, multilabel)
    bounds = [given.shares * (one.C * given.scale) for one in models]
    if (largest := float(bounds[-1].max())) > torch.finfo(torch.float32).max:
        raise ValueError(f"C times the mean of k(x, x) is {largest:.1e}; give a smaller C, or rescale X")
    solutions = _solutions(given, bounds, model.tol, model.memory or _free_memory(given.x.device))
    support = torch.stack([solution.coefficients.any(1) for solution in solutions]).any(0).nonzero()[:, 0]
    vectors = given.x[support.to(given.x.device)]  # one copy for the whole path
    for one, solution in zip(models, solutions, strict=True):
        one.classes_, one._multilabel = given.classes, multilabel
        one.n_features_in_ = model.n_features_in_
        if hasattr(model, "feature_names_in_"):
            one.feature_names_in_ = model.feature_names_in_
        one._library, one._kernel, one._vectors, one._centre = None, given.kernel, vectors, given.centre
        _keep(one, solution, support, given)


def _given(model: SVC, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, multilabel: bool) -> TrainingData:
    x = features_of(model, X, reset=True)
    classes, labels = classes_of(y, multilabel)
    check_consistent_length(x, labels)
    weight = _check_sample_weight(sample_weight, labels[:, None], dtype=np.float64, ensure_non_negative=True)
    order = np.arange(len(labels)) if multilabel else labels.argsort(kind="stable")
    copied = bool((order[1:] < order[:-1]).any())
    if copied:  # samples that come in the order of their classes are not copied
        labels, x = labels[order], x[torch.from_numpy(order).to(x.device)]
    spread = variance(x)
    gamma = gamma_value(model.gamma, x.shape[1], spread)
    kernel = Kernel(model.kernel, gamma, model.degree, float(model.coef0))
    centre = _centre(kernel, x, spread)
    x = x.sub_(centre.to(x)) if copied and centre is not None else _centred(x, centre)
    scale = kernel.mean_diagonal(x) or 1.0
    if not np.isfinite([kernel.gamma, scale]).all():
        raise ValueError(f"kernel values overflow: gamma {kernel.gamma:.3g}, mean k(x, x) {scale:.3g}; rescale X")
    shares = torch.from_numpy(shares_of(model.class_weight, classes, labels, weight[order]))
    return TrainingData(x, labels, order, classes, kernel, centre, scale, shares)


def _solutions(given: TrainingData, bounds: Sequence[Tensor], tol: float, memory: int) -> list[Solution]:
    """Return a solution for each of `bounds`.

    Raises BackendError when memory runs out; the error then keeps no large tensors alive.
    """
    try:
        return _solved(given, bounds, tol, memory)
    except RuntimeError as error:
        if not lacks_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)  # else the matrices live as long as somebody keeps the error
        raise BackendError(
            f"memory of the {given.x.device.type} ran out with {len(given.x)} samples, {memory / 2**30:.1f} GiB "
            "allowed for Gram matrices; give a smaller `memory`, so that they are made in blocks"
        ) from error


def _solved(given: TrainingData, bounds: Sequence[Tensor], tol: float, memory: int) -> list[Solution]:
    kernel, x, scale = given.kernel, given.x, given.scale
    if given.labels.ndim == 1:
        return one_against_one(ClassBlocks(kernel, x, np.bincount(given.labels).tolist(), scale, memory), bounds, tol)
    dtype = working_dtype(len(x))
    size = len(x) ** 2 * torch.finfo(dtype).bits // 8
    if size > memory:
        raise BackendError(
            f"the Gram matrix of {len(x)} samples takes {size / 2**30:.1f} GiB and {memory / 2**30:.1f} GiB may be "
            "used; one-versus-rest needs all of it: use fewer samples, or another backend"
        )
    labels = torch.from_numpy(given.labels).to(x.device)
    return one_versus_rest(
        gram(kernel, x, scale, dtype), labels, bounds, tol, lambda _: gram(kernel, x, scale, torch.float64)
    )


def _keep(model: SVC, solution: Solution, support: Tensor, given: TrainingData) -> None:
    """Set the fitted attributes of a model.

    support: the positions in `given` of the support vectors of the whole path. The signs for two classes are those of
    scikit-learn, positive for the second.
    """
    coefficients = solution.coefficients[support] / given.scale
    model._bias, model._weights = solution.bias.numpy(), coefficients.to(given.x.device)
    # Each kernel value is off by about a rounding: together, as independent errors, they must stay below the tolerance.
    blur = torch.finfo(torch.float32).eps * float(solution.coefficients.norm(dim=0).max())
    model._values = torch.float64 if blur > model.tol else working_dtype(len(given.x))
    model.gap_, model.dual_objective_ = solution.gap.numpy(), solution.objective.numpy() / given.scale
    model.fit_status_ = int(model.gap_.max() > model.tol)
    own = coefficients.any(1).numpy()
    dual, rows = coefficients.numpy()[own], support.numpy()[own]
    codes = given.labels[rows]
    model.support_ = given.order[rows]
    model.dual_coef_, model.intercept_ = dual.T, model._bias
    if model._centre is not None and model.kernel == "linear":
        normals = model._weights.to(model._vectors).T @ model._vectors  # sum(beta x), (machines, features)
        model.intercept_ = model._bias - (normals.double() @ model._centre).cpu().numpy()
    if not model._multilabel:
        model.n_support_ = np.bincount(codes, minlength=len(model.classes_)).astype(np.int32)
        sign = -1 if len(model.classes_) == 2 else 1
        model.dual_coef_ = sign * by_opponent(dual, codes, len(model.classes_))
        model.intercept_ = sign * model.intercept_
    if model.fit_status_:
        warnings.warn(
            f"{(model.gap_ > model.tol).sum()} of {len(model.gap_)} machines stopped at a gap of up to "
            f"{model.gap_.max():.1e}, above tol={model.tol}; a smaller C or gamma makes the problem easier",
            ConvergenceWarning,
            stacklevel=4,
        )


def _centre(kernel: Kernel, x: Tensor, spread: float) -> Tensor | None:
    """Return what to subtract from all features before float32 rounds their products: their mean, or None.

    RBF sees differences alone; under a linear kernel, as sum(beta) is 0, only the bias changes. spread: variance(x).
    """
    if kernel.name == "poly" or working_dtype(len(x)) == torch.float64:
        return None
    centre = column_sums(x) / len(x)
    return centre if float(centre.abs().max()) > 0.1 * spread**0.5 else None  # standardised ones are left alone


def _centred(x: Tensor, centre: Tensor | None) -> Tensor:
    return x if centre is None else x - centre.to(x)


def _free_memory(device: torch.device) -> int:
    """Return the bytes that Gram matrices may take: half of what is free on a card, 4 GiB on a processor."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # torch's own, free to use
        return (torch.cuda.mem_get_info(device)[0] + kept) // 2
    return PROCESSOR_MEMORY
