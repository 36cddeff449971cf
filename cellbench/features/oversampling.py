"""SMOTE on features: every class gets as many training samples as the largest, the new ones between two of its own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import BackendError, DataError

if TYPE_CHECKING:
    from imblearn.over_sampling import SMOTE

NEIGHBOURS = 5  # among which the second of the two is drawn; fewer where the smallest class has fewer


def load() -> "type[SMOTE]":
    """Return imbalanced-learn's class SMOTE. Raises BackendError if imbalanced-learn cannot be imported."""
    try:
        from imblearn.over_sampling import SMOTE
    except ImportError as error:
        raise BackendError(
            f"SMOTE needs imbalanced-learn, which cannot be imported ({error}); pip install imbalanced-learn"
        ) from error
    return SMOTE


def smote(features: Tensor, labels: NDArray[np.int64], classes: Sequence[str]) -> tuple[Tensor, NDArray[np.int64]]:
    """Return features (n, features) float32 and class numbers (n,) with new samples added, sorted by class.

    A class without any sample gets none. The random seed is 0. Computed on the processor, returned on the features'
    device. Raises DataError when a class has a single sample.
    """
    counts = np.bincount(labels, minlength=len(classes))
    if alone := [name for name, count in zip(classes, counts, strict=True) if count == 1]:
        raise DataError(
            f"SMOTE draws between two training images of a class, and {', '.join(alone)} has one; use smote=false, or "
            "more images"
        )
    sampler = load()(random_state=0, k_neighbors=min(NEIGHBOURS, int(counts[counts > 0].min()) - 1))
    more, more_labels = sampler.fit_resample(features.cpu().numpy(), labels)
    order = more_labels.argsort(kind="stable")
    return torch.from_numpy(np.ascontiguousarray(more[order], np.float32)).to(features.device), more_labels[order]
