"""Methods that combine features with a classifier of scikit-learn, for one label an image or several."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.data import Images, Labels, Samples
from ..core.mixed_values import SettingValues
from ..core.records.runs import RunLog
from .best_candidate import Candidate, best_candidate
from .inputs import check_two_classes

if TYPE_CHECKING:
    from torch import Tensor


class Classifier(Protocol):
    """A classifier as scikit-learn has them."""

    classes_: NDArray[np.int64]

    def fit(self, X: NDArray[np.float32], y: Labels) -> "Classifier": ...
    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float64]: ...


def best_classifier(
    features: Callable[["Tensor"], "Tensor"],
    candidates: Sequence[tuple[SettingValues, Classifier]],
    train: Samples,
    val: Samples,
    log: RunLog,
) -> Callable[[Images], NDArray[np.float32]]:
    """Fit the candidates to features of images and return a function that scores images with the best one on val.

    features: a function from (n, channels, height, width) to (n, features) float32. candidates: pairs of settings and
    the unfitted classifier that has them, the simplest first. For what scores are, see `log_probabilities`.
    """
    check_two_classes(train)
    classes = len(train.classes)

    def values(images: Images) -> NDArray[np.float32]:
        from ..core.tensors import as_tensor

        return features(as_tensor(images)).numpy()

    with log.phase("features"):
        seen, unseen = values(train.images), values(val.images)
    with log.phase("fit"):
        fitted = ((tried, fit_classifier(each, seen, train.labels)) for tried, each in candidates)
        scored = (Candidate(tried, each, log_probabilities(each, unseen, classes)) for tried, each in fitted)
        _, winner = best_candidate(scored, val, log)
    log.chose(**winner.settings)
    return lambda images: log_probabilities(winner.model, values(images), classes)


def fit_classifier(classifier: Classifier, features: NDArray[np.float32], labels: Labels) -> Classifier:
    """Return the classifier, fitted; for labels (n, classes) bool, one classifier for each label."""
    import warnings

    from sklearn.multiclass import OneVsRestClassifier

    with warnings.catch_warnings():
        # A label that all or no training images have: its score is constant. A regression that is not quite at its
        # optimum: val judges it as it is.
        warnings.simplefilter("ignore")
        if labels.ndim == 1:
            return classifier.fit(features, labels)
        one_a_label: Classifier = OneVsRestClassifier(classifier).fit(features, labels.astype(int))
        return one_a_label


def log_probabilities(fitted: Classifier, features: NDArray[np.float32], classes: int) -> NDArray[np.float32]:
    """Return scores (n, classes): log probabilities for one label an image, log odds for several.

    A class without training images scores lowest.
    """
    from scipy.special import logit

    least = np.finfo(np.float32).tiny
    probabilities = np.asarray(fitted.predict_proba(features))
    if hasattr(fitted, "estimators_") and hasattr(fitted, "multilabel_") and fitted.multilabel_:
        odds: NDArray[np.float64] = logit(probabilities.clip(least, 1 - np.finfo(np.float32).eps))
        return odds.astype(np.float32)
    scores = np.full((len(features), classes), np.log(least), np.float32)
    scores[:, fitted.classes_.astype(int)] = np.log(probabilities.clip(least, None))
    return scores
