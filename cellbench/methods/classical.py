"""Features × support vector machines."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.data import Samples
from ..core.errors import UsageError
from ..core.metrics import validation_figure
from ..core.runs import RunLog
from ..svm.backends import BACKENDS, choose, use_threads
from .registry import methods

Features = Callable[[NDArray], NDArray[np.float32]]


@dataclass(frozen=True)
class SVMSettings:
    """C: one value, or several of which the best on val is taken; gamma: 'scale' as in scikit-learn, or a number."""

    C: tuple[float, ...] | float = (1, 10, 100)
    gamma: float | str = "scale"
    backend: str = "auto"

    def __post_init__(self) -> None:
        if not self.grid or not all(_is_number(c) and c > 0 for c in self.grid):
            raise UsageError(f"C is {self.C!r}; give a positive number, or a list of them such as C=1,10,100")
        if self.gamma != "scale" and not (_is_number(self.gamma) and float(self.gamma) > 0):
            raise UsageError(f"gamma is {self.gamma!r}; give 'scale' or a positive number")
        if self.backend not in ("auto", *BACKENDS):
            raise UsageError(f"backend is {self.backend!r}; choose one of auto, {', '.join(BACKENDS)}")

    @property
    def grid(self) -> tuple[Any, ...]:
        return tuple(self.C) if isinstance(self.C, list | tuple) else (self.C,)


class FeatureSVM:
    """Features, standardised by train statistics, then an RBF C-SVC; C is the one that does best on val."""

    def __init__(self, features: Features, settings: SVMSettings) -> None:
        self._features, self._settings = features, settings
        self.chosen: dict[str, Any] = {}
        self.parameters = None
        self._backend = choose(settings.backend)
        self.backend = self._backend.name

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.preprocessing import StandardScaler

        use_threads(self._backend)
        with log.phase("features"):
            # float64 statistics, float32 values; a constant feature (a dark border pixel) becomes 0
            self._scaler = StandardScaler(copy=False)
            seen = self._scaler.fit_transform(self._features(train.images))
            unseen = self._scaler.transform(self._features(val.images))
        with log.phase("fit"):
            best = -1.0
            for C in self._settings.grid:
                model = self._backend.load()(kernel="rbf", C=C, gamma=self._settings.gamma, cache_size=2000)
                if train.multilabel:
                    model = OneVsRestClassifier(model)
                with warnings.catch_warnings():
                    warnings.simplefilter(
                        "ignore"
                    )  # a label that all or no training images have: its score is constant
                    model.fit(seen, train.labels.astype(int))
                figure, score = validation_figure(val.labels, _scores(model, unseen, len(train.classes)))
                log.epoch(**{"C": C, f"val_{figure}": score})
                if score > best:  # on a tie the smaller C, the simpler machine, stays
                    best, self._model = score, model
                    self.chosen = {"C": C}
        self._classes = len(train.classes)

    def predict(self, images: NDArray) -> NDArray[np.float32]:
        return _scores(self._model, self._scaler.transform(self._features(images)), self._classes)


def _scores(model: Any, features: NDArray, n_classes: int) -> NDArray[np.float32]:
    """One-versus-rest decision values in a column a class; a class unseen in training scores lowest."""
    decision = model.decision_function(features)
    if decision.ndim == 2 and decision.shape[1] == n_classes:
        return decision.astype(np.float32)
    if decision.ndim == 1:  # two classes: one signed distance
        decision = np.stack([-decision, decision], 1)
    scores = np.full((len(features), n_classes), decision.min(initial=0) - 1, np.float32)
    scores[:, model.classes_.astype(int)] = decision
    return scores


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@methods.register(
    "svm-flat",
    summary="RBF support vector machine on flattened pixels",
    family="svm",
    defaults=SVMSettings(),
    standard=True,
    seeded=False,
    devices=("cpu",),
    cost=2.5,
)
def svm_flat(settings: SVMSettings, seed: int, device: str) -> FeatureSVM:
    from ..features.pixels import flatten

    return FeatureSVM(flatten, settings)


@methods.register(
    "svm-hog",
    summary="RBF support vector machine on histograms of oriented gradients",
    family="svm",
    defaults=SVMSettings(),
    standard=True,
    seeded=False,
    min_size=16,
    devices=("cpu",),
    cost=1.3,
)
def svm_hog(settings: SVMSettings, seed: int, device: str) -> FeatureSVM:
    from ..features.gradients import hog

    return FeatureSVM(lambda images: hog(images).numpy(), settings)
