"""Which library solves an SVM fastest: by the number of features, of support vectors and of values of C.

    python benchmarks/svm_backends.py run             adds what is missing to results/svm-backends.csv
    python benchmarks/svm_backends.py table

What `auto` takes (cellbench/svm/backends.py) follows from this table. Each entry is a fit for every C, ascending, and
the scores of 2,000 unseen samples, by one thread, in seconds of the processor: other programs change these little. On
two cores ours and oneDAL take about half of them by the clock, LIBSVM takes all.
"""

import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate
from trials import Trials

LIBRARIES = ("torch", "onedal", "libsvm")
GRIDS = ((10.0,), (1.0, 10.0, 100.0))
UNSEEN = 2000
SLOW_LIBSVM = 500  # features from which LIBSVM takes minutes and is left out
TRIALS = Trials(
    "svm-backends",
    ("samples", "n", "features", "classes", "C", "library"),
    ("processor_seconds", "support_vectors", "versions"),
)


class Samples(NamedTuple):
    """Training samples sorted by class, their classes, and samples to score; features are standardised float32."""

    X: NDArray
    y: NDArray
    unseen: NDArray


def _made(n: int, features: int, separation: float) -> Samples:
    from sklearn.datasets import make_classification

    X, y = make_classification(
        n + UNSEEN,
        features,
        n_informative=features // 2,
        n_redundant=0,
        n_classes=6,
        class_sep=separation,
        random_state=0,
    )
    return _sorted(X.astype(np.float32), y, n)


def _overlapping(n: int, features: int, classes: int) -> Samples:
    from samples import overlapping

    return _sorted(*overlapping(n + UNSEEN, features, classes), n)


def _sorted(X: NDArray, y: NDArray, n: int) -> Samples:
    X = (X - X[:n].mean(0)) / X[:n].std(0)
    order = y[:n].argsort(kind="stable")
    return Samples(X[:n][order], y[:n][order], X[n:])


def _hep2(groups: tuple[str, ...], components: int | None = None) -> Samples:
    from cellbench import open_dataset
    from cellbench.core.tensors import as_tensor
    from cellbench.features.groups import values_of
    from cellbench.features.tensors import Standardiser

    data = open_dataset("hep2")
    seen, unseen = (values_of(groups, as_tensor(data.part(part).images)) for part in ("train", "val"))
    scale, labels = Standardiser.of(seen), data.part("train").labels
    seen, unseen = scale(seen).numpy(), scale(unseen).numpy()
    if components:
        from sklearn.decomposition import PCA

        model = PCA(components, random_state=0).fit(seen)
        seen, unseen = model.transform(seen), model.transform(unseen)
    order = labels.argsort(kind="stable")
    return Samples(seen[order], labels[order], unseen[:UNSEEN])


SAMPLES: dict[str, Callable[[], Samples]] = {
    "HEp-2, texture and intensity": lambda: _hep2(("texture", "intensity")),
    "made, 76 features": lambda: _made(6000, 76, 2.5),
    "overlapping, 76 features": lambda: _overlapping(6000, 76, 6),
    "overlapping, 76 features, 1,500 samples": lambda: _overlapping(1500, 76, 6),
    "HEp-2, HOG, 200 components": lambda: _hep2(("hog",), 200),
    "HEp-2, HOG": lambda: _hep2(("hog",)),
    "HEp-2, HOG, 500 components": lambda: _hep2(("hog",), 500),
    "overlapping, 76 features, 2 classes": lambda: _overlapping(4000, 76, 2),
    "overlapping, 1,764 features, 1,500 samples": lambda: _overlapping(1500, 1764, 6),
}


@click.group()
def cli() -> None:
    """Time the libraries that solve support vector machines."""


@cli.command()
@click.option("--only", multiple=True, help="Samples of this name alone.")
def run(only: tuple[str, ...]) -> None:
    """Measure what is missing."""
    import torch

    from cellbench.core.machine.environment import versions

    torch.set_num_threads(1)
    known = versions()
    used = ", ".join(f"{name} {known[name]}" for name in ("torch", "scikit-learn-intelex", "scikit-learn"))
    done = {(name, str(C), library) for name, *_, C, library in TRIALS.done()}
    for name in only or SAMPLES:
        wanted = [(C, library) for C in GRIDS for library in LIBRARIES if (name, _text(C), library) not in done]
        if not wanted:
            continue
        samples = SAMPLES[name]()
        n, features = samples.X.shape
        for C in GRIDS:
            libraries = [library for grid, library in wanted if grid == C]
            if features > SLOW_LIBSVM:
                libraries = [library for library in libraries if library != "libsvm"]
            for library in libraries:
                seconds, vectors = _timed(library, samples, C)
                classes = len(np.unique(samples.y))
                TRIALS.add((name, n, features, classes, _text(C), library, round(seconds, 3), vectors, used))
                click.echo(f"{name}, C {_text(C)}, {library}: {seconds:.2f} s")


@cli.command()
def table() -> None:
    """Print the times in Markdown, and which library is the fastest."""
    rows = []
    for (name, n, features, grid), found in TRIALS.read().groupby(["samples", "n", "features", "C"], sort=False):
        seconds = dict(zip(found["library"], found["processor_seconds"], strict=True))
        share = found["support_vectors"].iloc[0] / n
        times = [f"{seconds[library]:.2f}" if library in seconds else "–" for library in LIBRARIES]
        rows.append((name, f"{n:,} × {features:,}", f"{share:.0%}", grid, *times))
    headers = ("samples", "size", "support vectors", "C", *LIBRARIES)
    click.echo(tabulate(rows, headers, tablefmt="github", disable_numparse=True))


def _timed(library: str, samples: Samples, C: tuple[float, ...]) -> tuple[float, int]:
    """Return the processor's seconds of a grid, scores included, and the support vectors of the last machine."""
    import torch

    from cellbench.svm import BACKENDS, backends

    backend = BACKENDS[library]
    backends.use_threads(backend)
    few = torch.from_numpy(samples.X[:: len(samples.X) // 100])
    labels = samples.y[:: len(samples.X) // 100]
    list(backends.candidates(backend, few, labels, few, C=[1.0], gamma=["scale"]))  # starts the library
    X, unseen = torch.from_numpy(samples.X), torch.from_numpy(samples.unseen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.process_time()
        *_, (_, model, _) = backends.candidates(backend, X, samples.y, unseen, C=C, gamma=["scale"])
        return time.process_time() - start, int(np.sum(model.n_support_))


def _text(C: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in C)


if __name__ == "__main__":
    cli()
