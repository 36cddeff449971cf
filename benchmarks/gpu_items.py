"""What `gpu.py` measures on a card, the most valuable first.

An item is a function that yields its figures by name, one after the other. Tiny sizes are for a rehearsal. The seconds
that items may take sum to the nine minutes of `gpu.py`.
"""

import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from samples import overlapping
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

from cellbench.core.data import Samples
from cellbench.core.errors import CellbenchError
from cellbench.core.records.runs import RunLog
from cellbench.core.settings import replace
from cellbench.deep.nets.table import find
from cellbench.methods import methods
from cellbench.running.executors.protocol import Listener, Outcome, Task
from cellbench.running.single_run import execute

CLASSES = 12
Figures = Iterator[tuple[str, float]]
Measure = Callable[..., Figures]


class LackingError(Exception):
    """Something that an item needs is not there; the message says what, and how to get it."""


class Figure(NamedTuple):
    """How a figure is shown: its title and unit, and a format of Python."""

    title: str
    unit: str
    format: str = ",.2f"

    def shown(self, value: float) -> str:
        return f"{value:{self.format}} {self.unit}".strip()


class Item(NamedTuple):
    """Something to measure: its title, seconds that it may take, its figures by name, and what yields them."""

    title: str
    seconds: float
    figures: dict[str, Figure]
    measure: Callable[[bool], Figures]


MEMORY = Figure("device memory", "GB")
EPOCH = Figure("epoch, validation included", "s")
ITEMS: dict[str, Item] = {}


def item(name: str, title: str, seconds: float, /, *given: Any, **figures: Figure) -> Callable[[Measure], Measure]:
    """Return a decorator that puts a function into ITEMS, to be called with `given` and whether sizes are tiny.

    A function may stand in several items.
    """

    def add(measure: Measure) -> Measure:
        ITEMS[name] = Item(title, seconds, figures, partial(measure, *given))
        return measure

    return add


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a call takes until the card has finished, and its result."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    result = work()
    torch.cuda.synchronize()
    return time.perf_counter() - start, result


def rate(dtype: torch.dtype, tiny: bool) -> float:
    """Return the card's rate in products of large square matrices, in operations a second."""
    side, times = (64, 2) if tiny else (8192, 10)
    a = torch.randn(side, side, device="cuda").to(dtype)
    a @ a
    seconds, _ = timed(lambda: [a @ a for _ in range(times)])
    return 2 * times * side**3 / seconds


@item(
    "rates",
    "products of 8,192 × 8,192 matrices",
    15,
    bfloat16=Figure("bfloat16", "TFLOP/s"),
    float32=Figure("float32", "TFLOP/s"),
    float64=Figure("float64", "TFLOP/s"),
)
def rates(tiny: bool) -> Figures:
    for dtype in ("bfloat16", "float32", "float64"):
        yield dtype, rate(getattr(torch, dtype), tiny) / 1e12


@item(
    "features",
    "100,000 cells of one channel, 64 × 64",
    20,
    hog=Figure("HOG", "images/s", ",.0f"),
    texture=Figure("texture", "images/s", ",.0f"),
    combined=Figure("all groups of svm-combined", "images/s", ",.0f"),
)
def features(tiny: bool) -> Figures:
    from cellbench.features import hog
    from cellbench.features.groups import DEFAULT_GROUPS, values_of

    n = 50 if tiny else 100_000
    images = torch.randint(0, 255, (n, 1, 64, 64), dtype=torch.uint8, device="cuda")
    for name, compute in (
        ("hog", hog),
        ("texture", lambda some: values_of(("texture",), some)),
        ("combined", lambda some: values_of(DEFAULT_GROUPS, some)),
    ):
        compute(images[:10])
        yield name, n / timed(lambda compute=compute: compute(images))[0]


SVC_FIGURES = {
    "features_s": Figure("pixels as standardised features", "s"),
    "transfer_s": Figure("features to the card", "s"),
    "fit_s": Figure("fit", "s"),
    "share": Figure("Gram products alone at the card's float32 rate, of the fit", "%", ".0f"),
    "predict_s": Figure("predict", "s"),
    "gap": Figure("largest gap of a machine", "", ".1e"),
    "support_vectors": Figure("support vectors", "", ",.0f"),
    "device_gb": MEMORY,
}


def svc(n: int, width: int, classes: int, unseen: int, tiny: bool) -> Figures:
    from cellbench.features.tensors import Standardiser
    from cellbench.svm import SVC

    n, width, classes, unseen = (300, 16, 3, 50) if tiny else (n, width, classes, unseen)
    images = torch.randint(0, 255, (n, width), dtype=torch.uint8)

    def features() -> None:
        values = images.to("cuda").float()
        Standardiser.of(values)(values)

    yield "features_s", timed(features)[0]
    X, y = overlapping(n + unseen, width, classes)
    yield "transfer_s", timed(lambda: torch.from_numpy(X).to("cuda"))[0]
    there = torch.from_numpy(X).to("cuda")
    SVC(C=10, device="cuda").fit(there[: min(n, 2000)], y[: min(n, 2000)])  # starts the libraries
    seconds, model = timed(lambda: SVC(C=10, device="cuda").fit(there[:n], y[:n]))
    yield "fit_s", seconds
    yield "share", 100 * n * n * width / rate(torch.float32, tiny) / seconds  # each product is needed once
    yield "gap", float(model.gap_.max())
    yield "support_vectors", int(model.n_support_.sum())
    yield "predict_s", timed(lambda: model.predict(there[n:]))[0]


LARGE = (65_000, 8192, 12, 12_500)
HEP2 = (8701, 4096, 6, 2720)
item("svc-8701", "SVC, 8,701 × 4,096 in 6 classes, 2,720 predictions", 25, *HEP2, **SVC_FIGURES)(svc)
item("svc-65000", "SVC, 65,000 × 8,192 in 12 classes, 12,500 predictions", 65, *LARGE, **SVC_FIGURES)(svc)


CUML_FIGURES = {"cuml_s": Figure("cuML's fit, transfer included", "s"), "ratio": Figure("times as fast is ours", "×")}


def cuml(n: int, width: int, classes: int, unseen: int, tiny: bool) -> Figures:
    from cellbench.svm import SVC
    from cellbench.svm.libraries import rapids

    theirs = rapids.load()
    X, y = overlapping(*((300, 16, 3) if tiny else (n, width, classes)))
    seconds = {}
    for name, make in (("ours", lambda **settings: SVC(device="cuda", **settings)), ("cuml", theirs)):
        make(C=10).fit(X[:1000], y[:1000])
        seconds[name] = timed(lambda make=make: make(C=10).fit(X, y))[0]
    yield "cuml_s", seconds["cuml"]
    yield "ratio", seconds["cuml"] / seconds["ours"]


item("cuml-8701", "cuML on 8,701 × 4,096 in 6 classes", 20, *HEP2, **CUML_FIGURES)(cuml)


def cells(n: int, channels: int) -> tuple[Samples, Samples]:
    """Return noise in place of cells, 64 × 64, for training and validation: only their size counts."""
    rng = np.random.default_rng(0)
    return tuple(  # type: ignore[return-value]
        Samples(
            rng.integers(0, 255, (m, channels, 64, 64), dtype=np.uint8),
            rng.integers(0, CLASSES, m),
            tuple(map(str, range(CLASSES))),
            tuple(f"channel {k}" for k in range(channels)),
        )
        for m in (n, max(64, n // 20))
    )


def epoch_seconds(name: str, n: int, **settings: Any) -> float:
    """Return the seconds of the second epoch of a net on n cells of two channels, validation left out."""
    entry, log = methods[name], RunLog()
    method = entry.factory(replace(entry.defaults, epochs=2, **settings), 0, "cuda")
    method.fit(*cells(n, 2), log)
    return float(log.history[-1]["seconds"])


def plain_epoch(n: int) -> float:
    """Return the seconds of an epoch of what a tutorial writes: float32, torchvision's resnet18, a DataLoader."""
    from torchvision.models import resnet18

    net = resnet18(num_classes=CLASSES)
    net.conv1 = torch.nn.Conv2d(2, 64, 7, 2, 3, bias=False)
    net = net.to("cuda").train()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    data = TensorDataset(torch.rand(n, 2, 64, 64), torch.randint(0, CLASSES, (n,)))

    def step(batch: torch.Tensor, labels: torch.Tensor) -> None:
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(batch.to("cuda")), labels.to("cuda")).backward()
        optimiser.step()

    step(*data[:64])
    return timed(lambda: [step(*batch) for batch in DataLoader(data, 64, shuffle=True)])[0]


@item(
    "resnet18",
    "resnet18, an epoch of 65,000 × 2 × 64 × 64",
    65,
    epoch_s=EPOCH,
    ratio=Figure("times as fast as a plain float32 loop, an image", "×"),
    large_batches=Figure("epoch in batches of 512", "s"),
    device_gb=MEMORY,
)
def resnet18_epoch(tiny: bool) -> Figures:
    net, n, few, large = ("cnn", 64, 64, 32) if tiny else ("resnet18", 65_000, 13_000, 512)
    seconds = epoch_seconds(net, n)
    yield "epoch_s", seconds
    yield "ratio", (plain_epoch(few) / few) / (seconds / n)
    yield "large_batches", epoch_seconds(net, n, batch=large)


@item(
    "vgg16",
    "vgg16, an epoch of 20,000 × 2 × 64 × 64",
    30,
    epoch_s=EPOCH,
    share=Figure("of the card's bfloat16 rate", "%", ".0f"),
    device_gb=MEMORY,
)
def vgg16(tiny: bool) -> Figures:
    name, n = ("cnn", 64) if tiny else ("vgg16", 20_000)
    seconds = epoch_seconds(name, n)
    yield "epoch_s", seconds
    net = find(name).build(channels=2, classes=CLASSES, size=64).to("meta")
    with FlopCounterMode(display=False) as counter:
        net(torch.empty(2, 2, 64, 64, device="meta"))
    operations = 3 * counter.get_total_flops() / 2 * n  # the backward pass has two products for each one forward
    yield "share", 100 * operations / seconds / rate(torch.bfloat16, tiny)


SUITE_FIGURES = {"seconds": Figure("all runs", "s"), "runs": Figure("runs", "", ".0f")}
PRETRAINED = "resnet18-*"  # entries that need weights from the network
DEEP = ("*32", "*44", "*56", "*110", "*18", "vgg16")  # entries that a rehearsal leaves out


class InThisProcess:
    """An executor whose runs are done here: a rehearsal's card is not there for other processes."""

    def run(self, tasks: Iterable[Task], listener: Listener) -> Generator[Outcome, None, None]:
        for task in tasks:
            listener(task.job, "started", {})
            yield Outcome(task.job, *execute(task.job))

    def ask(self, question: Callable[[], Any], plugins: Sequence[Path] = ()) -> Any:
        return question()


def suite(name: str, seeds: str, exclude: tuple[str, ...], tiny: bool) -> Figures:
    """Yield how many runs of a suite on simulated yeast cells end well, and the seconds that all of them take."""
    import cellbench

    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        dataset = few_cells(folder / "cells") if tiny else "synthetic-yeast"
        cellbench.open_dataset(dataset)  # it is simulated when it is first asked for
        options: dict[str, Any] = {"suites": name, "seeds": seeds, "exclude": exclude, "timeout": 60}
        if tiny:
            options |= {"seeds": "0", "exclude": (*exclude, *DEEP), "set": ["size=32"], "epochs": 1}
            options |= {"executor": InThisProcess()}
        options |= {"datasets": dataset, "device": "cuda", "quiet": True, "output": folder / "results"}
        seconds, results = timed(lambda: cellbench.run(**options))
        yield from (("seconds", seconds), ("runs", int((results.to_frame()["status"] == "ok").sum())))


def few_cells(folder: Path) -> str:
    """Write 30 images of toy cells below `folder`, in a sub-folder for each class, and return the path of `folder`."""
    from PIL import Image

    from cellbench.datasets.toy import rings

    data = rings(n=30, size=32)
    for i, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        place = folder / data.classes[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(place / f"{i}.png")
    return str(folder)


item(
    "yeast-fair", "the suite yeast-fair on 2,200 simulated cells", 85, "yeast-fair", "0", (PRETRAINED,), **SUITE_FIGURES
)(suite)
item("depth", "the suite depth on 2,200 simulated cells, 3 seeds", 100, "depth", "0-2", (), **SUITE_FIGURES)(suite)


@item(
    "hep2",
    "resnet18 on HEp-2, official split",
    50,
    seconds=Figure("training until an epoch has 96 % of val right", "s"),
    best=Figure("best accuracy on val", "%", ".1f"),
)
def hep2(tiny: bool) -> Figures:
    from cellbench import open_dataset
    from cellbench.datasets.toy import rings

    try:
        data = rings(n=48) if tiny else open_dataset("hep2")
    except CellbenchError as error:
        raise LackingError(f"no HEp-2 images: {error}") from error
    entry, log = methods["mlp" if tiny else "resnet18"], RunLog()
    settings = {"epochs": 2, "batch": 8} if tiny else {}
    entry.factory(replace(entry.defaults, **settings), 0, "cuda").fit(data.part("train"), data.part("val"), log)
    scored = [(row.get("val_accuracy", 0.0), row["epoch"]) for row in log.history]
    yield "best", 100 * max(accuracy for accuracy, _ in scored)
    if reached := [epoch for accuracy, epoch in scored if accuracy >= 0.96]:
        yield "seconds", sum(row["seconds"] for row in log.history if row["epoch"] <= reached[0])


@item("probe", "the default encoder on 20,000 cells, 96 × 96", 20, embedding=Figure("embedding", "images/s", ",.0f"))
def probe(tiny: bool) -> Figures:
    from cellbench.deep.pretrained import encoders
    from cellbench.methods.probes.embedding import Embedder
    from cellbench.methods.probes.probe import ENCODER, SIZE

    n, size = (8, 32) if tiny else (20_000, SIZE)
    embedder = Embedder(encoders.untrained(ENCODER, size, None, "head", "cuda"), "each", 255.0, 1, "cuda")
    images = np.random.default_rng(0).integers(0, 255, (n, 1, size, size), dtype=np.uint8)
    embedder(images[:4])
    yield "embedding", n / timed(lambda: embedder(images))[0]


item("cuml-65000", "cuML on 65,000 × 8,192 in 12 classes", 45, *LARGE, **CUML_FIGURES)(cuml)
