"""What is timed: a piece of work that cellbench does, and the same work done by a peer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...core.data import Samples

Call = Callable[[], object]


@dataclass(frozen=True)
class Work:
    """A piece of work.

    title: what is done. peer: who does it otherwise. prepare(device, tiny): returns two functions, ours and the
    peer's; it raises ImportError or BackendError where the peer cannot be used. devices: those that ours is timed on.
    tiny: as little work as shows that the code runs.
    """

    title: str
    peer: str
    prepare: Callable[[str, bool], tuple[Call, Call]]
    devices: tuple[str, ...] = ("cpu", "cuda")


def _hog(device: str, tiny: bool) -> tuple[Call, Call]:
    from joblib import Parallel, delayed
    from skimage.feature import hog as by_scikit_image

    from ...core.machine.environment import cores
    from ...core.tensors import as_tensor
    from ...datasets.toy import rings
    from ...features.gradients import hog

    images = rings(n=20 if tiny else 1000, size=64).images
    there = as_tensor(images).to(device)
    cells = {"orientations": 9, "pixels_per_cell": (8, 8), "cells_per_block": (2, 2)}

    def theirs() -> None:
        work = (delayed(by_scikit_image)(image[0] / 255, **cells) for image in images)
        Parallel(n_jobs=1 if tiny else cores(), batch_size=50)(work)

    return lambda: hog(there).cpu(), theirs


def _samples(tiny: bool) -> "tuple[NDArray[np.float32], NDArray[np.int64]]":
    """Return 2,000 samples of 1,000 features in six classes that overlap, float32, and their classes."""
    from sklearn.datasets import make_classification

    n, width = (60, 10) if tiny else (2000, 1000)
    X, y = make_classification(n, width, n_informative=width // 2, n_redundant=0, n_classes=6, random_state=0)
    return X.astype("float32"), y


def _svm(library: str) -> Callable[[str, bool], tuple[Call, Call]]:
    def prepare(device: str, tiny: bool) -> tuple[Call, Call]:
        from ...svm import BACKENDS, SVC

        theirs, samples = BACKENDS[library].load(), _samples(tiny)
        return lambda: SVC(C=10, device=device).fit(*samples), lambda: theirs(C=10).fit(*samples)

    return prepare


def _epoch(device: str, tiny: bool) -> tuple[Call, Call]:
    """Return an epoch of resnet18 in our loop, and in a plain one: float32, a DataLoader, torch's defaults.

    Each returns the seconds that count, those of the epoch after the first.
    """
    from ...core.records.runs import RunLog
    from ...core.settings import replace
    from ...datasets.toy import rings
    from ...methods import methods

    n = 64 if tiny else 3072 if device == "cuda" else 640
    data = rings(n=2 * n, size=64, classes=6)
    entry = methods["mlp" if tiny else "resnet18"]
    plain = {"rotate": 0, "flip": False, "scale": 0, "shift": 0, "gain": 0}

    def ours() -> float:
        log = RunLog()
        entry.factory(replace(entry.defaults, epochs=2, batch=64, **plain), 0, device).fit(
            data.part("train"), data.part("val"), log
        )
        return float(log.history[-1]["seconds"])

    return ours, lambda: _plain_epoch(data.part("train"), data.part("val"), entry.name, device)


def _plain_epoch(train: "Samples", val: "Samples", net: str, device: str) -> float:
    import time

    import torch
    from torch.utils.data import DataLoader, TensorDataset

    from ...core.tensors import as_tensor
    from ...deep.device import synchronise
    from ...deep.nets.table import find

    module = find(net).build(channels=1, classes=6, size=64).to(device)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    parts = (TensorDataset(as_tensor(part.images).float() / 255, as_tensor(part.labels)) for part in (train, val))
    learnt, scored = (DataLoader(part, 64, shuffle=True) for part in parts)
    start = 0.0
    for _ in range(2):  # the second counts
        synchronise(device)
        start = time.perf_counter()
        module.train()
        for batch, labels in learnt:
            optimiser.zero_grad()
            torch.autograd.backward(torch.nn.functional.cross_entropy(module(batch.to(device)), labels.to(device)))
            optimiser.step()
        module.eval()
        with torch.no_grad():
            for batch, labels in scored:
                (module(batch.to(device)).argmax(1) == labels.to(device)).float().mean().item()
        synchronise(device)
    return time.perf_counter() - start


WORKS: Mapping[str, Work] = {
    "hog": Work("HOG of 1,000 images", "scikit-image, all cores", _hog),
    "svm-libsvm": Work("SVM, 2,000 × 1,000, 6 classes", "LIBSVM", _svm("libsvm")),
    "svm-onedal": Work("SVM, 2,000 × 1,000, 6 classes", "oneDAL", _svm("onedal")),
    "svm-cuml": Work("SVM, 2,000 × 1,000, 6 classes", "cuML", _svm("cuml"), ("cuda",)),
    "resnet18": Work("an epoch of resnet18, 64 px", "a plain float32 loop", _epoch),
}
