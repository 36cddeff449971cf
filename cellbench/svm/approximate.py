"""An approximate C-SVC for very many samples: its time and memory are linear in their number."""

from itertools import combinations
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.kernel_approximation import Nystroem
from sklearn.svm import LinearSVC
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import _check_sample_weight, check_consistent_length

from .classifier import SVC
from .inputs import check_settings, classes_of, features_of, shares_of
from .kernels import Kernel, gamma_value, variance
from .libraries.pairwise import ClassWeight

LANDMARKS = 2_000


class ApproximateSVC(SVC):
    """A C-SVC on an approximate kernel, through scikit-learn's Nystroem and LinearSVC (LIBLINEAR).

    A sample is described by its kernel values with landmarks, samples drawn at random from the training set (Williams
    and Seeger, NIPS 2000). On these features a linear machine with squared hinge loss is fitted for each pair of
    classes, or for each label. C, kernel, degree, gamma, coef0, class_weight and device are as in SVC. landmarks: their
    number; all samples are landmarks if they are fewer. random_state: seed of their draw.

    Fitted, it is an SVC whose support vectors are the landmarks.
    """

    def __init__(
        self,
        *,
        C: float = 1.0,
        kernel: str = "rbf",
        degree: int = 3,
        gamma: float | str = "scale",
        coef0: float = 0.0,
        class_weight: ClassWeight = None,
        device: str = "auto",
        landmarks: int = LANDMARKS,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            C=C, kernel=kernel, degree=degree, gamma=gamma, coef0=coef0, class_weight=class_weight, device=device
        )
        self.landmarks = landmarks
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit to X (n, features) and y (n,) or (n, labels) of 0 and 1, and return the model itself.

        sample_weight: (n,), the factor of C of each sample; None for 1. Raises ValueError for input or settings that no
        machine can be trained with.
        """
        check_settings(self)
        x = features_of(self, X, reset=True)
        self._multilabel = type_of_target(y) == "multilabel-indicator"
        self.classes_, labels = classes_of(y, self._multilabel)
        check_consistent_length(x, labels)
        weight = _check_sample_weight(sample_weight, labels[:, None], dtype=np.float64, ensure_non_negative=True)
        shares = shares_of(self.class_weight, self.classes_, labels, weight)
        gamma = gamma_value(self.gamma, x.shape[1], variance(x))
        self._kernel = Kernel(self.kernel, gamma, self.degree, float(self.coef0))
        described = Nystroem(
            kernel=self.kernel,
            gamma=gamma,
            degree=self.degree,
            coef0=self.coef0,
            n_components=min(self.landmarks, len(x)),
            random_state=self.random_state,
        )
        rows = described.fit_transform(x.double().cpu().numpy())  # float32 is too coarse for landmarks that are alike
        if self._multilabel:
            machines = [self._machine(rows, labels[:, k], shares[:, k]) for k in range(labels.shape[1])]
        else:
            pairs = ((np.isin(labels, pair), pair[0]) for pair in combinations(range(len(self.classes_)), 2))
            machines = [self._machine(rows[of], labels[of] == first, shares[of]) for of, first in pairs]
        normals, bias = zip(*machines, strict=True)
        weights = described.normalization_.T.astype(np.float64) @ np.stack(normals, 1)
        self.support_ = described.component_indices_
        self._vectors = x[torch.from_numpy(self.support_).to(x.device)]
        self._weights, self._bias = torch.from_numpy(weights).to(x.device), np.array(bias)
        self._centre, self._values, self._library = None, torch.float64, None
        return self

    def _machine(self, rows: NDArray, positive: NDArray, shares: NDArray) -> tuple[NDArray, float]:
        """Return the normal and the bias of a linear machine; of samples that are all alike, 0 and their sign."""
        if positive.all() or not positive.any():
            return np.zeros(rows.shape[1]), 1.0 if positive.all() else -1.0
        machine = LinearSVC(C=self.C, dual=False).fit(rows, positive, shares)
        return machine.coef_[0].astype(np.float64), float(machine.intercept_[0])
