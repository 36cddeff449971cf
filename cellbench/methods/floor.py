"""Floors: methods that look at next to nothing. Another method that scores hardly better has learnt little."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import numpy as np

from ..core.data import Samples, count_classes
from ..core.records.runs import RunLog
from ..core.settings import setting
from ..datasets.preprocessing import Preprocessing
from ..deep.nets.table import find
from ..features.groups import values_of
from .decorator import Score, method
from .estimators import Classifier, best_classifier
from .inputs import square_side
from .svms.hybrid import A_NET, NetName, penultimate

if TYPE_CHECKING:
    from ..deep.classifier import NetClassifier

LINEAR_C = (0.01, 0.1, 1, 10, 100)


@method(
    "floor-majority",
    "always the commonest class",
    family="floor",
    backend="numpy",
    seeded=False,
    devices=("cpu",),
    cost=0.01,
)
def floor_majority(train: Samples, val: Samples, log: RunLog) -> Score:
    """Give every image the same scores: the share of training images that have each class."""
    shares = np.array(count_classes(train.labels, len(train.classes))) / len(train)
    return lambda images: np.tile(shares, (len(images), 1))


@method(
    "floor-intensity",
    "logistic regression on how bright the pixels are",
    family="floor",
    backend="scikit-learn",
    preprocessing=Preprocessing(size=None),
    standard=True,
    seeded=False,
    devices=("cpu",),
    cost=0.6,
)
def floor_intensity(train: Samples, val: Samples, log: RunLog) -> Score:
    return best_classifier(partial(values_of, ("intensity",)), linear_candidates(), train, val, log)


@method(
    "floor-untrained",
    "logistic regression on the penultimate layer of a net with random weights",
    family="floor",
    backend="scikit-learn",
    min_size=8,
    devices=("cpu",),
    cost=2.0,
)
def floor_untrained(
    train: Samples,
    val: Samples,
    log: RunLog,
    *,
    net: Annotated[NetName, setting("whose untrained layers make the features", may_be=A_NET)] = "cnn",
    seed: int,
    device: str,
) -> Score:
    with log.phase("warmup"):
        model = _untrained(net, train, seed, device)
    return best_classifier(partial(penultimate, model), linear_candidates(), train, val, log)


def _untrained(net: str, train: Samples, seed: int, device: str) -> "NetClassifier":
    import torch

    from ..core.tensors import as_tensor
    from ..deep.classifier import make_classifier
    from ..deep.recipe import Recipe

    side = square_side(train)
    torch.manual_seed(seed)
    module = find(net).build(train.images.shape[1], len(train.classes), side)
    return make_classifier(module, as_tensor(train.images), Recipe(), device)


def linear_candidates() -> list[tuple[dict[str, float], Classifier]]:
    """Return settings and unfitted logistic regressions on standardised features, strongest penalty first."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return [({"C": C}, make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=300))) for C in LINEAR_C]
