"""Checks the features, labels, weights and settings of our classifier, and converts them for the solver."""

import re
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data
from torch import Tensor

from ..core.errors import BackendError, did_you_mean
from .kernels import KERNELS
from .libraries import libsvm
from .libraries.pairwise import ClassWeight

if TYPE_CHECKING:
    from .classifier import SVC


def check_settings(model: "SVC") -> None:
    """Raise ValueError, with a message of one line, for an invalid setting.

    Raises BackendError if the device is CUDA and torch finds none.
    """
    if model.kernel not in (kernels := (*KERNELS, *libsvm.KERNELS)):
        raise ValueError(f"kernel is {model.kernel!r}; {did_you_mean(str(model.kernel), kernels)}")
    if not isinstance(model.device, str) or not re.fullmatch(r"auto|cpu|cuda(:\d+)?", model.device):
        raise ValueError(f"device is {model.device!r}; choose 'auto', 'cpu' or 'cuda'")
    if model.device.startswith("cuda") and not torch.cuda.is_available() and model.kernel in KERNELS:
        raise BackendError(f"device is {model.device!r} and torch finds no CUDA device; choose 'cpu'")
    if model.memory is not None and not (_is_number(model.memory) and model.memory > 0):
        raise ValueError(f"memory is {model.memory!r}; give a positive number of bytes, or None")
    for name in ("C", "tol"):
        value = getattr(model, name)
        if not (_is_number(value) and value > 0):
            raise ValueError(f"{name} is {value!r}; give a positive number")
    gamma = model.gamma
    if gamma not in ("scale", "auto") and not (_is_number(gamma) and gamma > 0):
        raise ValueError(f"gamma is {gamma!r}; give 'scale', 'auto' or a positive number")
    if model.kernel == "poly" and not (
        all(map(_is_number, (model.coef0, model.degree))) and model.coef0 >= 0 and int(model.degree) == model.degree > 0
    ):
        raise ValueError(
            f"degree is {model.degree!r} and coef0 {model.coef0!r}; a whole degree of at least 1 and coef0 of at "
            "least 0 make a kernel; for others use sklearn.svm.SVC"
        )
    if model.decision_function_shape not in ("ovr", "ovo"):
        raise ValueError(f"decision_function_shape is {model.decision_function_shape!r}; choose 'ovr' or 'ovo'")


def features_of(model: "SVC", X: ArrayLike | Tensor, reset: bool) -> Tensor:
    """Return X as a finite float tensor (n, features) on the model's device.

    With device 'auto' a tensor on a card stays there, and all else goes to the card if there is one. reset: whether to
    set the model's number of features from X, rather than to check it. Raises ValueError for other input.
    """
    if isinstance(X, Tensor):
        X = X.detach()
        if X.ndim != 2 or not X.shape[1] or not bool(X.isfinite().all()):
            raise ValueError(f"X is a tensor of shape {tuple(X.shape)}; give a finite one of shape (samples, features)")
        if reset:
            model.n_features_in_ = X.shape[1]
        elif X.shape[1] != model.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but SVC is expecting {model.n_features_in_} features as input"
            )
        tensor = X if X.dtype in (torch.float32, torch.float64) else X.double()
    else:
        array = validate_data(model, X, reset=reset, dtype=(np.float64, np.float32), order="C")
        tensor = torch.from_numpy(array if array.flags.writeable else array.copy())
    if model.device == "auto":
        return tensor if tensor.is_cuda else tensor.to("cuda" if torch.cuda.is_available() else "cpu")
    return tensor.to(model.device)


def classes_of(y: ArrayLike, multilabel: bool) -> tuple[NDArray, NDArray]:
    """Return the classes, and the position of every sample's class among them, (n,).

    With several labels a sample, returns the numbers of the labels, and which samples have them, (n, labels) bool.
    """
    check_classification_targets(y)
    if multilabel:
        positive = np.asarray(y.toarray() if hasattr(y, "toarray") else y) > 0
        return np.arange(positive.shape[1]), positive
    classes, labels = np.unique(column_or_1d(y, warn=True), return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"The number of classes has to be greater than one; got {len(classes)} class")
    return classes, labels


def shares_of(class_weight: ClassWeight, classes: NDArray, labels: NDArray, weight: NDArray) -> NDArray:
    """Return the factor of C for each sample, (n,), or for each sample in each label's machine, (n, labels)."""
    if labels.ndim == 1:
        if np.bincount(labels, weight, len(classes)).astype(bool).sum() < 2:
            raise ValueError("Invalid input - all samples with positive weights belong to the same class")
        share = compute_class_weight(class_weight, classes=classes, y=classes[labels])[labels]
        if not (share > 0).all():
            raise ValueError(f"class_weight is {class_weight!r}; give positive weights")
    elif class_weight not in (None, "balanced"):
        raise ValueError(f"class_weight is {class_weight!r}; for several labels a sample give None or 'balanced'")
    else:
        weight = weight[:, None]
        share = np.ones(labels.shape)
        if class_weight:
            positive = labels.mean(0).clip(1 / len(labels), 1 - 1 / len(labels))
            share = np.where(labels, 0.5 / positive, 0.5 / (1 - positive))
    return weight * share


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and np.isfinite(value)
