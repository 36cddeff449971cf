"""How far an approximate SVM is from the exact one, and what it saves: by the number of landmarks.

    python benchmarks/svm_approximate.py run          adds what is missing to results/svm-approximate.csv
    python benchmarks/svm_approximate.py table

Each entry is one fit at C=10 and gamma=scale, and the scores of 2,000 unseen samples, by one thread, in seconds of the
processor. The exact machine is oneDAL's. Of HEp-2 the unseen samples are of the validation part.
"""

import time

import click
import torch
from numpy.typing import NDArray
from samples import overlapping
from tabulate import tabulate
from torch import Tensor
from trials import Trials

from cellbench import open_dataset
from cellbench.core.tensors import as_tensor
from cellbench.features.groups import values_of
from cellbench.features.tensors import Standardiser
from cellbench.svm import BACKENDS, backends, candidates
from cellbench.svm.approximate import LANDMARKS, ApproximateSVC

UNSEEN = 2_000
EXACT = 0  # landmarks
TRIALS = Trials(
    "svm-approximate",
    ("samples", "n", "features", "classes", "landmarks"),
    ("accuracy", "labelled_alike", "processor_seconds"),
)


def hep2(*groups: str) -> tuple[Tensor, NDArray, Tensor, NDArray]:
    """Return HEp-2's features of these groups and labels, of train and of 2,000 images of val."""
    data = open_dataset("hep2")
    train, val = data.part("train"), data.part("val")
    seen, unseen = (values_of(groups, as_tensor(images)) for images in (train.images, val.images[:UNSEEN]))
    scale = Standardiser.of(seen)
    return scale(seen), train.labels, scale(unseen), val.labels[:UNSEEN]


def drawn(n: int, features: int, classes: int) -> tuple[Tensor, NDArray, Tensor, NDArray]:
    """Return samples of classes that overlap."""
    X, y = overlapping(n + UNSEEN, features, classes)
    X = torch.from_numpy((X - X[:n].mean(0)) / X[:n].std(0))
    return X[:n], y[:n], X[n:], y[n:]


SAMPLES = {
    "HEp-2, texture and intensity": lambda: hep2("texture", "intensity"),
    "HEp-2, HOG": lambda: hep2("hog"),
    "overlapping": lambda: drawn(20_000, 1_000, 12),
}


@click.group()
def cli() -> None:
    """Compare the approximate SVM with the exact one."""


@cli.command()
def run() -> None:
    """Measure what is missing."""
    torch.set_num_threads(1)
    done = {(name, int(landmarks)) for name, *_, landmarks in TRIALS.done()}
    for name, make in SAMPLES.items():
        wanted = [m for m in (EXACT, LANDMARKS // 4, LANDMARKS) if (name, m) not in done]
        if not wanted:
            continue
        X, y, unseen, truth = make()
        exact, exact_seconds = _labels(EXACT, X, y, unseen)
        for landmarks in wanted:
            labels, seconds = (exact, exact_seconds) if landmarks == EXACT else _labels(landmarks, X, y, unseen)
            figures = round((labels == truth).mean(), 4), round((labels == exact).mean(), 4), round(seconds, 2)
            TRIALS.add((name, *X.shape, len(set(y)), landmarks, *figures))
            click.echo(f"{name}, {landmarks} landmarks: {figures}")


@cli.command()
def table() -> None:
    """Print the figures in Markdown."""
    rows = [
        (
            row.samples,
            f"{row.n:,} × {row.features:,}, {row.classes} classes",
            "exact" if row.landmarks == EXACT else f"{row.landmarks:,}",
            f"{100 * row.accuracy:.1f}",
            f"{100 * row.labelled_alike:.1f}",
            f"{row.processor_seconds:.1f}",
        )
        for row in TRIALS.read().itertuples()
    ]
    headers = ("samples", "size", "landmarks", "accuracy (%)", "labelled as by the exact one (%)", "seconds")
    click.echo(tabulate(rows, headers, tablefmt="github", disable_numparse=True))


def _labels(landmarks: int, X: Tensor, y: NDArray, unseen: Tensor) -> tuple[NDArray, float]:
    """Return the labels of the unseen samples, and the processor's seconds."""
    start = time.process_time()
    if landmarks == EXACT:
        backends.use_threads(BACKENDS["onedal"])
        ((_, model, _),) = candidates(BACKENDS["onedal"], X, y, unseen, C=[10.0], gamma=["scale"])
        labels = model.predict(unseen.numpy())
    else:
        labels = ApproximateSVC(C=10.0, device="cpu", landmarks=landmarks).fit(X, y).predict(unseen)
    return labels, time.process_time() - start


if __name__ == "__main__":
    cli()
