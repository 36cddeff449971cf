"""Converts fitted machines of any backend to tensors and numbers, and these to an SVC of ours that scores alike."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..core.mixed_values import State
from .classifier import SVC
from .fitted import AnyMachine, Machine
from .kernels import Kernel
from .libraries.pairwise import by_pair

if TYPE_CHECKING:
    from sklearn.multiclass import OneVsRestClassifier


def state(model: AnyMachine) -> State:
    """Return all that a fitted SVC of any backend, or a OneVsRestClassifier of such, needs to score samples.

    kernel, vectors (support vectors, features), weights (support vectors, machines), bias (machines,); centre: what is
    subtracted from all features first, or None; double: whether kernel values are float64; classes, multilabel.
    Machines are for pairs of classes, (0, 1), (0, 2), ..., positive for the first, or one for each label.
    """
    if isinstance(model, SVC) and model._library is None:
        used = model._weights.any(1)  # vectors are those of all values of C
        return {
            **_state(model._kernel, model._vectors[used], model._weights[used], model._bias, model.classes_),
            "centre": model._centre,
            "double": model._values == torch.float64,
            "multilabel": model._multilabel,
        }
    if hasattr(model, "estimators_"):
        return {**_one_versus_rest(model), "centre": None, "double": True, "multilabel": True}
    model = getattr(model, "_library", model)
    codes = np.repeat(np.arange(len(model.n_support_)), model.n_support_)
    sign = -1 if len(model.classes_) == 2 else 1  # scikit-learn's signs of two classes are positive for the second
    weights = sign * by_pair(np.asarray(model.dual_coef_), codes, len(model.classes_))
    bias = sign * np.asarray(model.intercept_)
    return {
        **_state(_kernel(model), _float32(model.support_vectors_), torch.from_numpy(weights), bias, model.classes_),
        "centre": None,
        "double": True,
        "multilabel": False,
    }


def classifier(state: State, device: str) -> SVC:
    """Return a fitted SVC on the device with the machines that `state` returned."""
    model = SVC(kernel=state["kernel"]["name"], device=device)
    model._kernel, model._library = Kernel(**state["kernel"]), None
    model._vectors, model._weights = state["vectors"].to(device), state["weights"].to(device)
    model._centre = None if state["centre"] is None else state["centre"].to(device)
    model._values = torch.float64 if state["double"] else torch.float32
    model._bias, model._multilabel = state["bias"].numpy(), state["multilabel"]
    model.classes_, model.n_features_in_ = np.array(state["classes"]), model._vectors.shape[1]
    return model


def _state(kernel: Kernel, vectors: Tensor, weights: Tensor, bias: NDArray, classes: NDArray) -> State:
    return {
        "kernel": asdict(kernel),
        "vectors": vectors.contiguous(),
        "weights": weights.contiguous(),
        "bias": torch.from_numpy(np.ascontiguousarray(bias, np.float64)),
        "classes": classes.tolist(),
    }


def _one_versus_rest(model: "OneVsRestClassifier") -> State:
    """Return the state of a OneVsRestClassifier, in which a support vector that machines share is stored only once.

    A label that all or no training samples have, and that has no machine, gets a bias and no weights.
    """
    trained = [one for one in model.estimators_ if hasattr(one, "kernel")]
    samples = np.unique(np.concatenate([np.empty(0, int), *(one.support_ for one in trained)]))
    vectors = np.zeros((len(samples), model.n_features_in_), np.float32)
    weights, bias = np.zeros((len(samples), len(model.estimators_))), np.zeros(len(model.estimators_))
    for k, one in enumerate(model.estimators_):
        if hasattr(one, "kernel"):
            rows = np.searchsorted(samples, one.support_)
            vectors[rows], weights[rows, k] = one.support_vectors_, np.asarray(one.dual_coef_)[0]
            bias[k] = one.intercept_[0]
        else:
            bias[k] = one.y_[0]
    kernel = _kernel(trained[0]) if trained else Kernel()
    return _state(kernel, torch.from_numpy(vectors), torch.from_numpy(weights), bias, np.arange(len(bias)))


def _kernel(model: Machine) -> Kernel:
    return Kernel(model.kernel, float(model._gamma), model.degree, float(model.coef0))


def _float32(array: ArrayLike) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))  # what features are, whatever a library made of it
