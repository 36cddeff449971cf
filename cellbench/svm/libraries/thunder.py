"""thundersvm as a backend: checks what thundersvm itself does not check, and corrects its bias."""

from collections.abc import Callable
from functools import partial
from itertools import combinations
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray

from ...core.errors import BackendError, TrainingError
from ..fitted import HasDecisionFunction
from .pairwise import Library, Machines, PairProblem, PairwiseSVC, by_pair

# The sigmoid isn't here: where it is indefinite thundersvm leaves the bounds, returns NaN or never comes back.
KERNELS = {"linear": "linear", "rbf": "rbf", "poly": "polynomial"}


def load() -> Callable[..., PairwiseSVC]:
    """Return ThunderSVC. Raises BackendError, with the reason, if thundersvm or its library can't be loaded."""
    _module()
    return ThunderSVC


def _module() -> ModuleType:
    try:
        import thundersvm
    except ModuleNotFoundError as error:
        if error.name != "thundersvm":
            raise
        raise BackendError("thundersvm is not installed; on Linux on x86-64: pip install thundersvm-cpu") from error
    except (
        OSError
    ) as error:  # PyPI's thundersvm wants CUDA 9; both packages install the same module, the last one stays
        raise BackendError(
            f"thundersvm's library cannot be loaded ({error}); PyPI's thundersvm is for CUDA 9, replace it on Linux on "
            "x86-64: pip uninstall thundersvm; pip install --force-reinstall --no-deps thundersvm-cpu"
        ) from error
    return thundersvm


def _train(problem: PairProblem) -> Machines:
    n_classes = len(problem.weights)
    library = _module().SVC(
        C=problem.C,
        kernel=KERNELS[problem.kernel],
        degree=problem.degree,
        gamma=problem.gamma,
        coef0=problem.coef0,
        tol=problem.tol,
        class_weight=dict(enumerate(problem.weights.tolist())),
        n_jobs=torch.get_num_threads(),
    )
    # It numbers classes in the order in which they appear: codes ascend, so in theirs.
    if library.fit(problem.features, problem.codes) is None:
        raise TrainingError(f"thundersvm failed on {len(problem.codes)} samples, likely for want of memory; use fewer")
    support = library.support_
    coefficients = np.zeros((len(problem.codes), len(library.intercept_)))
    coefficients[support] = by_pair(library.dual_coef_, problem.codes[support], n_classes)
    bias = -library.intercept_  # what it calls the intercept is LIBSVM's rho
    shift = _shift(problem, coefficients, library)
    return Machines(coefficients, bias + shift, lambda X: library.decision_function(X) + shift)


def _shift(problem: PairProblem, coefficients: NDArray, library: HasDecisionFunction) -> NDArray[np.float64]:
    """Return what to add to each machine's decisions, (pairs,): 0 if it has a support vector within the bounds.

    Without one any bias in an interval is optimal and LIBSVM takes the middle; thundersvm takes a point outside of it.
    """
    shift = np.zeros(coefficients.shape[1])
    bounds = (problem.C * problem.weights)[problem.codes]
    at_bound = np.abs(coefficients) > bounds[:, None] * (1 - 1e-6)
    stuck = np.flatnonzero((at_bound | (coefficients == 0)).all(0))
    if not len(stuck):
        return shift
    decisions = library.decision_function(problem.features)
    pairs = list(combinations(range(len(problem.weights)), 2))
    for pair in stuck:
        rows = np.isin(problem.codes, pairs[pair])
        positive, bounded = problem.codes[rows] == pairs[pair][0], at_bound[rows, pair]
        to_margin = np.where(positive, 1, -1) - decisions[rows, pair]
        least = positive != bounded  # a sample outside of the margin, or within it, holds the bias from one side
        shift[pair] = (to_margin[least].max() + to_margin[~least].min()) / 2
    return shift


ThunderSVC = partial(PairwiseSVC, Library("thundersvm", _train, tuple(KERNELS), indefinite=False))
