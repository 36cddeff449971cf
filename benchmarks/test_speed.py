"""What has to be fast. The floors are far below what was measured: they catch a collapse, not a busy machine."""

import json
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pandas as pd
import torch
from joblib import Parallel, delayed
from skimage.feature import hog as scikit_image_hog
from torch.utils.data import DataLoader, TensorDataset
from torchvision.models.resnet import ResNet

from cellbench import load_results
from cellbench.core.data import Samples
from cellbench.core.records.runs import RunLog, RunRecord, RunSpec
from cellbench.core.records.store import Store
from cellbench.datasets.toy import rings
from cellbench.deep.nets.resnet import resnet
from cellbench.deep.nets.table import find
from cellbench.deep.precision import choose_precision
from cellbench.deep.recipe import Recipe
from cellbench.deep.training import loop
from cellbench.features import hog
from cellbench.methods import methods
from cellbench.reporting.tables.by_view import tables
from cellbench.running.executors.child import ask

HAS_BF16 = str(choose_precision("auto", "cpu")) == "bf16"
# Without bf16 instructions both sides compute in float32, at a tenth of the speed: fewer images, and no factor to gain.
TRAINING_IMAGES = 3_072 if HAS_BF16 else 640
LEAST_RATIO = 1.6 if HAS_BF16 else 0.75  # measured without: 0.92 to 0.96


def test_hog_of_1000_images(against):
    images = rings(n=1000, size=64).images

    def peer() -> None:
        options = {"orientations": 9, "pixels_per_cell": (8, 8), "cells_per_block": (2, 2)}
        Parallel(n_jobs=2, batch_size=50)(delayed(scikit_image_hog)(image[0] / 255, **options) for image in images)

    assert against(lambda: hog(images), peer, "scikit-image through joblib, both cores") > 3


def test_one_epoch_of_resnet18(against, monkeypatch):
    """One epoch of the same work: TRAINING_IMAGES as they are, then 64 of validation; steps before it do not count.

    Ours runs in a process as those of `cellbench run`, the peer in a fresh one, so that no setting of ours serves it.
    """

    def ours() -> float:
        return ask(our_epoch)

    def peer() -> float:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            return process.submit(plain_epoch).result()

    monkeypatch.delenv("GOMP_SPINCOUNT")  # of this process; the fork server sets it for its own
    assert against(ours, peer, "a float32 DataLoader loop", rounds=3, warm=False) > LEAST_RATIO


def test_fastnet_against_resnet18(against):
    """The same epoch of both nets in the product's loop: what a small net saves an image."""
    least = 4 if HAS_BF16 else 5  # measured: 4.8 with bf16, whose large products resnet18 gains from, 10.7 without
    fastnet = partial(our_epoch, "fastnet")
    assert against(lambda: ask(fastnet), lambda: ask(our_epoch), "resnet18", rounds=3, warm=False) > least


def cells() -> tuple[Samples, Samples]:
    """For training TRAINING_IMAGES, for validation 64."""
    return rings(n=2 * TRAINING_IMAGES, size=64, classes=6).part("train"), rings(n=256, size=64, classes=6).part("val")


def our_epoch(net: str = "resnet18") -> float:
    """Seconds of it, with the figures of the history."""
    log = RunLog()
    plain = Recipe(epochs=1, rotate=0, flip=False, scale=0, shift=0, gain=0)
    loop.train(find(net).build(channels=1, classes=6, size=64), plain, *cells(), 0, "cpu", log)
    return log.seconds["fit"]


def plain_epoch() -> float:
    """Seconds of what a tutorial writes: float32, NCHW, a DataLoader, torchvision's forward pass.

    Pixels become shares of 1 before the clock starts; ours normalises within its steps.
    """
    net = resnet(18, channels=1, classes=6, size=64).train()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    train, val = (
        TensorDataset(torch.from_numpy(part.images).float() / 255, torch.from_numpy(part.labels.copy()))
        for part in cells()
    )

    def step(batch: torch.Tensor, labels: torch.Tensor) -> None:
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(ResNet.forward(net, batch), labels).backward()
        optimiser.step()

    for _ in range(3):
        step(*train[:64])
    start = time.perf_counter()
    for batch in DataLoader(train, 64, shuffle=True):
        step(*batch)
    net.eval()
    with torch.no_grad():
        for batch, labels in DataLoader(val, 64):
            (ResNet.forward(net, batch).argmax(1) == labels).float().mean().item()
    return time.perf_counter() - start


def test_table_of_1000_records(against, tmp_path):
    store = Store(tmp_path, "machine")
    epochs = tuple({"epoch": e, "train_loss": 1 / e, "val_macro_f1": 0.5, "seconds": 1.25} for e in range(1, 31))
    figures = {
        part: {"accuracy": 0.5, "balanced_accuracy": 0.5, "macro_f1": 0.5, "n": 10} for part in ("train", "val", "test")
    }
    entry = methods["resnet18"]
    facts = {"family": entry.family, "classes": ["a", "b"], "counts": {p: [5, 5] for p in figures}, "synthetic": True}
    for seed in range(1000):
        spec = RunSpec("toy", "f", "official", {"size": 64}, "resnet18", 1, {"epochs": 30}, seed=seed)
        store.save(
            RunRecord(spec, "ok", metrics=figures, seconds={"fit": 1.0, "predict": 0.1}, history=epochs, facts=facts)
        )

    def peer() -> None:
        pd.json_normalize([json.loads(file.read_text()) for file in tmp_path.rglob("*.json")])

    assert against(lambda: tables(load_results(tmp_path)), peer, "json_normalize, no tables", rounds=3) > 0.3
