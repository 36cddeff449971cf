"""Records of runs that nobody made: every figure here is invented, to test tables with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cellbench.core.runs import RunRecord, RunSpec
from cellbench.core.store import Store

CLASSES = ["Homogeneous", "Speckled", "Nucleolar", "Centromere", "NuMem", "Golgi"]
COUNTS = {
    "train": [1556, 1800, 1675, 1791, 1430, 449],
    "val": [415, 456, 394, 463, 337, 110],
    "test": [523, 575, 529, 487, 441, 165],
}
# name: family, depth, shortcuts, parameters, accuracy on train, val, test, seconds to fit, to warm up, to predict
METHODS: dict[str, tuple[Any, ...]] = {
    "svm-flat": ("svm", None, None, None, 0.999, 0.801, 0.792, 21.3, None, 1.31),
    "svm-hog": ("svm", None, None, None, 0.998, 0.846, 0.832, 9.84, None, 0.92),
    "mlp": ("deep", None, None, 2_624_006, 0.942, 0.771, 0.759, 14.2, 0.21, 0.08),
    "cnn": ("deep", None, None, 289_478, 0.911, 0.869, 0.858, 61.0, 0.62, 0.77),
    "alexnet": ("deep", None, None, 3_747_014, 0.963, 0.913, 0.905, 95.7, 0.93, 1.12),
    "vgg11": ("deep", None, None, 10_540_614, 0.989, 0.942, 0.936, 811.0, 3.71, 7.45),
    "vgg16": ("deep", None, None, 16_032_454, 0.985, 0.945, 0.934, 1502.0, 5.9, 12.6),
    "resnet18": ("deep", 18, True, 11_176_198, 0.991, 0.949, 0.938, 306.0, 2.84, 3.57),
    "resnet34": ("deep", 34, True, 21_284_358, 0.993, 0.951, 0.941, 548.0, 4.97, 6.02),
    "plain18": ("deep", 18, False, 11_001_350, 0.984, 0.941, 0.929, 288.0, 2.61, 3.31),
    "plain34": ("deep", 34, False, 21_109_510, 0.957, 0.921, 0.911, 521.0, 4.5, 5.88),
}


def make(method: str, **changes: Any) -> RunRecord:
    """A record of `method` on hep2; changes: fields of RunSpec or RunRecord, `facts`, `threads`, accuracy's `shift`."""
    family, depth, shortcuts, parameters, train, val, test, fit, warmup, predict = METHODS[method]
    defaults = {"C": [1, 10, 100]} if family == "svm" else {"epochs": 16, "lr": 0.1}
    overrides, shift = changes.get("overrides", {}), changes.pop("shift", 0.0)
    spec = RunSpec(
        dataset=changes.pop("dataset", "hep2"),
        fingerprint=changes.pop("fingerprint", "5f3a9c"),
        split=changes.pop("split", "official"),
        preprocessing={"size": 64},
        method=method,
        revision=changes.pop("revision", 1),
        params={**defaults, **overrides},
        limit=changes.pop("limit", None),
        seed=changes.pop("seed", 0),
        device=changes.pop("device", "cpu"),
    )
    facts = {
        "family": family,
        "depth": depth,
        "shortcuts": shortcuts,
        "parameters": parameters,
        "standard": True,
        "pretrained": False,
        "input": [1, 64, 64],
        "synthetic": False,
        "licence": "see the source",
        "classes": CLASSES,
        "counts": COUNTS,
        **changes.pop("facts", {}),
    }
    environment = {"processor": "Example CPU", "cores": 2, "threads": changes.pop("threads", 2), "device": spec.device}
    if spec.device == "cuda":
        environment["gpu"] = "Example GPU"
    done = {
        "metrics": {
            part: {"accuracy": a + shift, "balanced_accuracy": a + shift - 0.004, "macro_f1": a + shift + 0.003, "n": n}
            for part, a, n in (("train", train, 8701), ("val", val, 2175), ("test", test, 2720))
        },
        "seconds": {"load": 0.5, "features": 0.4, "fit": fit, "predict": predict}
        | ({} if warmup is None else {"warmup": warmup}),
        "memory": {"host": 1_200_000_000 + (parameters or 400_000_000)}
        | ({"device": 900_000_000} if spec.device == "cuda" else {}),
    }
    if changes.get("status", "ok") != "ok":
        done = {}
    fields = {"status": "ok", "facts": facts, "environment": environment, "version": "0.1.0", **done, **changes}
    return RunRecord(spec, **fields)


@pytest.fixture
def record() -> Callable[..., RunRecord]:
    return make


@pytest.fixture
def results(tmp_path: Path) -> Callable[..., Path]:
    """Save records in a results folder, `machine` by machine; returns the folder."""

    def save(*records: RunRecord, machine: str = "example-cpu-2c-abc123") -> Path:
        for one in records:
            Store(tmp_path / "results", machine).save(one)
        return tmp_path / "results"

    return save


@pytest.fixture(name="everything")
def everything_fixture() -> list[RunRecord]:
    return everything()


def everything() -> list[RunRecord]:
    """Records as a user has after some weeks: seeds, a failure, a time limit, other settings, simulated images."""
    simulated = {"synthetic": True}
    shifts = (0.0, 0.004, -0.003)
    return [
        *(
            make(m, seed=seed, shift=shifts[seed])
            for m in ("resnet18", "plain18", "plain34", "resnet34")
            for seed in range(3)
        ),
        *(make(m) for m in ("svm-flat", "svm-hog", "cnn", "alexnet", "vgg11")),
        make("mlp", shift=-0.48),
        make("svm-hog", seed=1),
        make("svm-hog", seed=2, status="failed", reason="MemoryError: the Gram matrix takes 606 MB"),
        make("vgg16", status="timeout", reason="stopped after 1,800 s, the time limit"),
        make("resnet18", device="cuda"),
        make("svm-hog", overrides={"C": 10}),
        make("svm-hog", overrides={"C": [1, 10]}),
        make("svm-hog", limit=2000, shift=-0.06),
        *(
            make(m, dataset="yeast-sim", split="by well", facts=simulated)
            for m in ("svm-hog", "cnn", "plain18", "resnet18")
        ),
        make("alexnet", dataset="blood", status="skipped", reason="needs images of 63 pixels or more, these have 28"),
        make("cnn", dataset="blood"),
    ]
