"""What a saved model's classifier sees of images: embeddings of probes, last features of nets, features of SVMs."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..core.data import Dataset, Images
from ..methods.registry import Scorer
from ..running.saved_models.models import Model

BATCH = 512  # images at a time


def seen_by_classifier(
    model: Model, scorer: Scorer, data: Dataset, index: NDArray[np.int64]
) -> tuple[str, NDArray[np.float32]] | None:
    """Return what the features of images are, in words, and these features, (n, features) float32.

    index: positions of the images in the data set. None for methods that have no such features.
    """
    found = _features(scorer)
    if found is None:
        return None
    what, compute = found
    rows = [
        compute(model.prepared(np.asarray(data.images[at]))) for at in np.split(index, range(BATCH, len(index), BATCH))
    ]
    return what, np.concatenate(rows).astype(np.float32)


def _features(scorer: object) -> tuple[str, Callable[[Images], NDArray[np.float32]]] | None:
    from ..core.tensors import as_tensor
    from ..deep.classifier import NetClassifier
    from ..methods.probes.probe import FittedProbe
    from ..methods.svms.classical import FittedSVM
    from ..methods.svms.hybrid import penultimate

    if isinstance(scorer, FittedProbe):
        return "embedding by the frozen encoder", scorer.embedder
    if isinstance(scorer, NetClassifier):
        return "inputs of the net's last layer", lambda images: penultimate(scorer, as_tensor(images)).cpu().numpy()
    if isinstance(scorer, FittedSVM):
        return "scaled features of the support vector machine", lambda images: scorer.features_of(images).cpu().numpy()
    return None
