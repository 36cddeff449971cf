"""cuML as a backend: its two-class machine, once for every pair of classes.

For more classes cuML would take gamma='scale' of each pair's own samples; in some versions it drops class weights.
"""

from collections.abc import Callable
from functools import partial
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray

from ...core.errors import BackendError
from .pairwise import Library, Machines, PairProblem, PairwiseSVC


def load() -> Callable[..., PairwiseSVC]:
    """Return CumlSVC. Raises BackendError, with the reason, if there is no CUDA device or cuML can't be imported."""
    if not torch.cuda.is_available():
        raise BackendError("cuML needs a CUDA device, and torch finds none")
    try:
        import cuml.svm  # noqa: F401
    except ImportError as error:
        raise BackendError(f"cuML cannot be imported ({error}); for CUDA 13: pip install cuml-cu13") from error
    return CumlSVC


def _train(problem: PairProblem) -> Machines:
    import cupy
    from cuml.svm import SVC

    features, pairs = cupy.asarray(problem.features), list(combinations(range(len(problem.weights)), 2))
    coefficients, intercepts = np.zeros((len(problem.codes), len(pairs))), np.zeros(len(pairs))
    machines = []
    for pair, (i, j) in enumerate(pairs):
        rows = np.flatnonzero(np.isin(problem.codes, (i, j)))
        codes = problem.codes[rows]
        machine = SVC(
            C=problem.C,
            kernel=problem.kernel,
            degree=problem.degree,
            gamma=problem.gamma,
            coef0=problem.coef0,
            tol=problem.tol,
            cache_size=problem.cache_size,
            output_type="numpy",
        )
        weights = problem.weights[codes].astype(np.float32)
        machine.fit(features[rows], (codes == i).astype(np.int32), sample_weight=weights)
        coefficients[rows[cupy.asnumpy(machine.support_)], pair] = cupy.asnumpy(machine.dual_coef_).ravel()
        intercepts[pair] = cupy.asnumpy(machine.intercept_).item()
        machines.append(machine)

    def decisions(X: NDArray[np.float32]) -> NDArray:
        x = cupy.asarray(X)
        return np.stack([cupy.asnumpy(machine.decision_function(x)).ravel() for machine in machines], 1)

    return Machines(coefficients, intercepts, decisions)


CumlSVC = partial(PairwiseSVC, Library("cuML", _train, ("linear", "rbf", "poly", "sigmoid"), indefinite=True))
