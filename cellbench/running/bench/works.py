"""What is timed: a piece of work that cellbench does, and the same work done by a peer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import file_works, net_works

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Call = Callable[[], object]
Prepare = Callable[[str, bool], tuple[Call, Call]]


@dataclass(frozen=True)
class Work:
    """A piece of work.

    title: what is done. peer: who does it otherwise. prepare(device, tiny): returns two functions, ours and the
    peer's; it raises ImportError or BackendError where the peer cannot be used. devices: those that ours is timed on.
    tiny: as little work as shows that the code runs.
    """

    title: str
    peer: str
    prepare: Prepare
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


def _samples(tiny: bool, classes: int = 6) -> "tuple[NDArray[np.float32], NDArray[np.int64]]":
    """Return 2,000 samples of 1,000 features in classes that overlap, float32, and their classes."""
    from sklearn.datasets import make_classification

    n, width = (60, 10) if tiny else (2000, 1000)
    X, y = make_classification(n, width, n_informative=width // 2, n_redundant=0, n_classes=classes, random_state=0)
    return X.astype("float32"), y


def _svm(library: str) -> Prepare:
    def prepare(device: str, tiny: bool) -> tuple[Call, Call]:
        from ...svm import BACKENDS, SVC

        theirs, samples = BACKENDS[library].load(), _samples(tiny)
        return lambda: SVC(C=10, device=device).fit(*samples), lambda: theirs(C=10).fit(*samples)

    return prepare


def _tuned_svm(device: str, tiny: bool) -> tuple[Call, Call]:
    """Return the choice of C among five by five folds, and a fit with all samples: what TorchKM's fit does."""
    from torchkm import TorchKMSVC

    from ...svm import SVC, path
    from ...svm.classifier import path_scores
    from ...svm.kernels import gamma_value

    X, y = _samples(tiny, classes=2)
    gamma, values = gamma_value("scale", X.shape[1], float(X.var())), [0.1, 1.0, 10.0, 100.0, 1000.0]
    folds = [[i for i in range(len(X)) if i % 5 == fold] for fold in range(5)]
    theirs = TorchKMSVC(Cs=values, cv=5, rbf_sigma=gamma / 2, device=device, random_state=0)

    def ours() -> None:
        right = [0.0] * len(values)
        for fold in folds:
            seen = sorted(set(range(len(X))) - set(fold))
            models = path(SVC(device=device), X[seen], y[seen], values, [gamma])
            for at, scores in enumerate(path_scores(models, X[fold])):
                right[at] += float(((scores > 0) == y[fold]).sum())
        SVC(C=values[right.index(max(right))], gamma=gamma, device=device).fit(X, y)

    return ours, lambda: theirs.fit(X, y)


SVM = "SVM, 2,000 × 1,000, 6 classes"
EPOCH = "an epoch of resnet18, 64 px"
WORKS: Mapping[str, Work] = {
    "hog": Work("HOG of 1,000 images", "scikit-image, all cores", _hog),
    "svm-libsvm": Work(SVM, "LIBSVM", _svm("libsvm")),
    "svm-onedal": Work(SVM, "oneDAL", _svm("onedal")),
    "svm-thundersvm": Work(SVM, "ThunderSVM", _svm("thundersvm")),
    "svm-torchkm": Work("SVM, 2,000 × 1,000, 2 classes, C of five", "TorchKM", _tuned_svm),
    "svm-cuml": Work(SVM, "cuML", _svm("cuml"), ("cuda",)),
    "resnet18": Work(EPOCH, "a plain float32 loop", net_works.epoch("plain")),
    "resnet18-skorch": Work(EPOCH, "skorch", net_works.epoch("skorch")),
    "resnet18-timm": Work(EPOCH, "timm's training loop", net_works.epoch("timm")),
    "embedding": Work("embedding of 1,000 images, 96 px", "a plain loop with timm", net_works.embedding),
    "png": Work("2,000 PNG files into an array", "a loop with Pillow", file_works.images("png"), ("cpu",)),
    "tiff": Work("2,000 TIFF files into an array", "a loop with tifffile", file_works.images("tiff"), ("cpu",)),
    "records": Work("300 records into a table", "json_normalize", file_works.records, ("cpu",)),
}
