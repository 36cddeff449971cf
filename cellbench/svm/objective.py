"""Facts of a fitted machine for the record: the number of its support vectors, and its dual objective."""

import numpy as np
import torch

from .fitted import AnyMachine
from .kernels import KERNELS, ROWS, Kernel, cross
from .libraries.pairwise import by_pair

MOST_VECTORS = 20_000  # above that the objective takes minutes


def facts(model: AnyMachine) -> dict[str, float]:
    """Return 'support_vectors' and 'dual_objective' of a fitted SVC of any backend, or a OneVsRestClassifier of such.

    'support_vectors' is the number of distinct samples. A fact that isn't known is left out.
    """
    found: dict[str, float | None] = {
        "support_vectors": _support_vectors(model),
        "dual_objective": dual_objective(model),
    }
    return {name: value for name, value in found.items() if value is not None}


def dual_objective(model: AnyMachine) -> float | None:
    """Return the sum over machines of sum|beta| - 1/2 beta' K beta, where beta = y * alpha.

    Models of our solver have it; for models of other libraries it is computed.
    None for more than MOST_VECTORS support vectors, a kernel that isn't ours, or a model that keeps no vectors.
    """
    if hasattr(model, "dual_objective_"):
        return float(model.dual_objective_.sum())
    if hasattr(model, "estimators_"):
        parts = [dual_objective(one) for one in model.estimators_ if not _is_constant(one)]
        return None if None in parts else float(sum(part for part in parts if part is not None))
    needed = ("support_vectors_", "dual_coef_", "n_support_", "_gamma")
    if not all(hasattr(model, name) for name in needed) or model.kernel not in KERNELS:
        return None
    if len(model.support_vectors_) > MOST_VECTORS:
        return None
    kernel = Kernel(model.kernel, float(model._gamma), model.degree, float(model.coef0))
    codes = np.repeat(np.arange(len(model.n_support_)), model.n_support_)
    beta = torch.from_numpy(by_pair(np.asarray(model.dual_coef_), codes, len(model.n_support_)))
    vectors = torch.from_numpy(np.asarray(model.support_vectors_))
    quadratic = 0.0
    for rows, weights in zip(vectors.split(ROWS), beta.split(ROWS), strict=True):  # never the whole Gram matrix
        quadratic += float((weights * (cross(kernel, rows, vectors, 1.0, torch.float64) @ beta)).sum())
    return float(beta.abs().sum()) - quadratic / 2


def _support_vectors(model: AnyMachine) -> int | None:
    machines = [one for one in getattr(model, "estimators_", [model]) if not _is_constant(one)]
    if not all(hasattr(one, "support_") for one in machines):
        return None
    return len(np.unique(np.concatenate([np.empty(0, int), *(one.support_ for one in machines)])))


def _is_constant(model: object) -> bool:
    """Return whether the model is a constant, which OneVsRestClassifier has for a label of all or no samples."""
    return not hasattr(model, "kernel")
