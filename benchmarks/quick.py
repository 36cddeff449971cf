"""Three quick pieces of work of this version of the package, timed when another program asks for it: see parent.py.

It reads names of works from its standard input, a line each, and answers each with the seconds that the work took. The
first line that it prints has the folder of the package and the names of all works. A work that becomes slower for a
good reason gets another name: it is compared with no earlier one then, and the commit says why.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

import cellbench
from cellbench.core.records.runs import RunLog
from cellbench.datasets.toy import rings
from cellbench.deep.nets.table import find
from cellbench.deep.recipe import Recipe
from cellbench.deep.training import loop
from cellbench.features import hog
from cellbench.svm import SVC


def works() -> dict[str, Callable[[], object]]:
    """Return the works by name; each takes some tenths of a second on two cores."""
    images = rings(n=2000, size=64).images
    X, y = torch.randn(2000, 500, generator=torch.Generator().manual_seed(0)).numpy(), torch.arange(2000).numpy() % 6
    X += y[:, None] / 10
    cells = rings(n=400, size=32, classes=6)
    plain = Recipe(epochs=1, batch=32, rotate=0, flip=False, scale=0, shift=0, gain=0)

    def epoch() -> None:
        net = find("cnn").build(channels=1, classes=6, size=32)
        loop.train(net, plain, cells.part("train"), cells.part("val"), 0, "cpu", RunLog())

    return {
        "HOG of 2,000 images": lambda: hog(images),
        "SVM, 2,000 × 500 in 6 classes": lambda: SVC(C=10, device="cpu").fit(X, y),
        "an epoch of cnn on 200 cells": epoch,
    }


def main() -> None:
    known = works()
    for work in known.values():
        work()  # libraries start
    print(json.dumps({"package": str(Path(cellbench.__file__).parent), "works": list(known)}), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        known[line.rstrip("\n")]()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
