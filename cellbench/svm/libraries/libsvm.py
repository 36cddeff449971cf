"""Fits kernels that our solver does not take with scikit-learn's LIBSVM: they need not be positive semi-definite."""

from typing import TYPE_CHECKING

import sklearn.svm
from numpy.typing import ArrayLike
from torch import Tensor

if TYPE_CHECKING:
    from ..classifier import SVC

KERNELS = ("sigmoid", "precomputed")
SETTINGS = ("C", "kernel", "degree", "gamma", "coef0", "tol", "class_weight", "decision_function_shape", "break_ties")
FITTED = ("classes_", "support_", "n_support_", "dual_coef_", "intercept_", "fit_status_", "n_features_in_")


def fit(model: "SVC", X: ArrayLike | Tensor, y: ArrayLike, sample_weight: ArrayLike | None, multilabel: bool) -> None:
    """Fit an SVC of scikit-learn on the processor, and copy its fitted attributes to `model`.

    The SVC itself becomes `model._library`. Raises ValueError for several labels a sample.
    """
    if multilabel:
        raise ValueError(
            f"kernel {model.kernel!r} takes one label a sample; for several use OneVsRestClassifier over this one"
        )
    library = sklearn.svm.SVC(**{name: getattr(model, name) for name in SETTINGS})
    model._library = library.fit(on_processor(X), y, sample_weight)
    model._multilabel = False
    for name in (*FITTED, "feature_names_in_"):
        if hasattr(library, name):
            setattr(model, name, getattr(library, name))


def on_processor(X: ArrayLike | Tensor) -> ArrayLike:
    return X.detach().cpu().numpy() if isinstance(X, Tensor) else X
