"""Floors: what a method scores that looks at next to nothing. A method close to one has learnt little."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

from ..core.data import Samples, count_classes
from ..core.runs import RunLog
from ..core.settings import Settings, setting
from ..datasets.preprocessing import Preprocessing
from ..deep.nets.table import find
from ..features.groups import values_of
from .estimators import FeatureClassifier
from .hybrid import A_NET, NetName, penultimate
from .inputs import square_side
from .registry import methods

if TYPE_CHECKING:
    from ..deep.classifier import NetClassifier

LINEAR_C = (0.01, 0.1, 1, 10, 100)


class NoSettings(Settings):
    """A method without settings."""


class UntrainedSettings(Settings):
    """net: whose first weights, drawn at random, make the features."""

    net: Annotated[NetName, setting("whose untrained layers make the features", may_be=A_NET)] = "cnn"


class Majority:
    """Gives every image the same scores: how often training images have each class."""

    backend, parameters = "numpy", None

    def __init__(self) -> None:
        self.chosen: Mapping[str, Any] = {}

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        with log.phase("fit"):
            counts = np.array(count_classes(train.labels, len(train.classes)))
            self._scores = (counts / len(train)).astype(np.float32)

    def predict(self, images: NDArray) -> NDArray[np.float32]:
        return np.tile(self._scores, (len(images), 1))


class UntrainedFloor:
    """Logistic regression on what a net of random weights hands to its last layer."""

    def __init__(self, settings: UntrainedSettings, seed: int, device: str) -> None:
        self._net, self._seed, self._device = find(settings.net), seed, device
        self.backend, self.parameters = "scikit-learn", None
        self.chosen: Mapping[str, Any] = {}

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        with log.phase("warmup"):
            model = self._untrained(train)
        self._floor = FeatureClassifier(partial(penultimate, model), linear_candidates())
        self._floor.fit(train, val, log)
        self.chosen = self._floor.chosen

    def predict(self, images: NDArray) -> NDArray[np.float32]:
        return self._floor.predict(images)

    def _untrained(self, train: Samples) -> "NetClassifier":
        import torch

        from ..core.tensors import as_tensor
        from ..deep.classifier import make_classifier
        from ..deep.recipe import Recipe

        side = square_side(train)
        torch.manual_seed(self._seed)
        net = self._net.build(train.images.shape[1], len(train.classes), side)
        return make_classifier(net, as_tensor(train.images), Recipe(), self._device)


def linear_candidates() -> list[tuple[dict[str, float], Any]]:
    """Logistic regressions on standardised features, the most restrained first."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return [({"C": C}, make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=300))) for C in LINEAR_C]


@methods.register(
    "floor-majority",
    summary="always the commonest class",
    family="floor",
    defaults=NoSettings(),
    seeded=False,
    devices=("cpu",),
    cost=0.01,
)
def floor_majority(settings: NoSettings, seed: int, device: str) -> Majority:
    return Majority()


@methods.register(
    "floor-intensity",
    summary="logistic regression on how bright the pixels are",
    family="floor",
    defaults=NoSettings(),
    preprocessing=Preprocessing(size=None),
    standard=True,
    seeded=False,
    devices=("cpu",),
    cost=0.6,
)
def floor_intensity(settings: NoSettings, seed: int, device: str) -> FeatureClassifier:
    return FeatureClassifier(partial(values_of, ("intensity",)), linear_candidates())


@methods.register(
    "floor-untrained",
    summary="logistic regression on the penultimate layer of a net with random weights",
    family="floor",
    defaults=UntrainedSettings(),
    min_size=8,
    devices=("cpu",),
    cost=2.0,
)
def floor_untrained(settings: UntrainedSettings, seed: int, device: str) -> UntrainedFloor:
    return UntrainedFloor(settings, seed, device)
