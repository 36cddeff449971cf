"""Records of runs that nobody made, and predictions: every figure is invented, to test what shows them."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.optimize
import scipy.stats

from cellbench.core.records.runs import RunRecord, RunSpec
from cellbench.core.records.store import Predictions, Store
from cellbench.core.scoring.metrics import evaluate, per_class
from cellbench.results.statistics.bootstrap import Interval

Scored = tuple[RunRecord, Predictions]
MACHINE = "example-cpu-2c-abc123"
STEADY = {"seeded": False}  # facts of a method that no seed changes, so that one seed tells of it
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
        "seeded": family == "deep",
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
            part: {"accuracy": a, "balanced_accuracy": a - 0.004, "macro_f1": min(a + 0.003, 1.0), "n": n}
            for part, a, n in (("train", train + shift, 8701), ("val", val + shift, 2175), ("test", test + shift, 2720))
        },
        "seconds": {"load": 0.5, "features": 0.4, "fit": fit, "predict": predict}
        | ({} if warmup is None else {"warmup": warmup}),
        "others": 0.01,
        "memory": {"host": 1_200_000_000 + (parameters or 400_000_000)}
        | ({"device": 900_000_000} if spec.device == "cuda" else {}),
    }
    if changes.get("status", "ok") != "ok":
        done = {}
    fields = {"status": "ok", "facts": facts, "environment": environment, "version": "0.1.0", **done, **changes}
    return RunRecord(spec, **fields)


def fitted(record: RunRecord, told: Predictions) -> Scored:
    """The two with the same classes, and the record with the figures of its predictions, as readers demand it."""
    told, facts = dict(told), dict(record.facts)
    figures = {}
    for part in ("val", "test"):
        if f"{part}_scores" not in told:
            continue
        truth, scored = told[f"{part}_labels"], told[f"{part}_scores"]
        if (more := len(facts.get("classes", ())) - scored.shape[1]) > 0:  # classes that no image has
            scored = np.pad(scored, ((0, 0), (0, more)), constant_values=scored.min() - 1)
            truth = np.pad(truth, ((0, 0), (0, more))) if truth.ndim == 2 else truth
            told |= {f"{part}_scores": scored, f"{part}_labels": truth}
        elif more < 0 and "classes" in facts:
            facts["classes"] = [
                *facts["classes"],
                *(f"class {k}" for k in range(scored.shape[1] + more, scored.shape[1])),
            ]
            facts["counts"] = {part: [*counts, *[0] * -more] for part, counts in facts.get("counts", {}).items()}
        thresholds = np.array(record.chosen.get("thresholds", 0.0)) if truth.ndim == 2 else 0.0
        figures[part] = evaluate(truth, scored, thresholds), per_class(truth, scored, thresholds)
    metrics = {**record.metrics, **{part: found for part, (found, _) in figures.items()}}
    by_class = {**record.per_class, **{part: found for part, (_, found) in figures.items()}}
    return dataclasses.replace(record, metrics=metrics, per_class=by_class, facts=facts), told


def saved(folder: Path, *records: RunRecord | Scored, machine: str = MACHINE) -> Path:
    """Save records, or pairs of record and predictions, in a results folder, and return it."""
    for one in records:
        Store(folder, machine).save(*fitted(*one) if isinstance(one, tuple) else (one,))
    return folder


def scores(labels: list[int], classes: int = 3) -> Predictions:
    """What lies beside a record whose test images are decided to be `labels`."""
    decided = np.array(labels)
    return {
        "test_scores": np.eye(classes, dtype=np.float32)[decided],
        "test_labels": np.zeros(len(decided), np.int64),
        "test_index": np.arange(len(decided)),
    }


def judged(
    method: str, share: float, luck: int = 0, classes: int = 6, images: int = 600, groups: int = 0, **changes: Any
) -> Scored:
    """A record whose test images are right with chance `share`, `luck` decides which; `groups`: kept, of one class."""
    rng = np.random.default_rng(luck)
    truth = np.arange(images) % classes
    right = rng.random(images) < share
    decided = np.where(right, truth, (truth + rng.integers(1, classes, images)) % classes)
    told = {**scores(decided.tolist(), classes), "test_labels": truth}
    if groups:
        told["test_groups"] = truth * groups + np.arange(images) // classes % groups
    record = make(method, **changes)
    metrics = {**record.metrics, "test": evaluate(truth, told["test_scores"])}
    by_class = {"test": per_class(truth, told["test_scores"])}
    return dataclasses.replace(record, metrics=metrics, per_class=by_class), told


def joint_p(difference: float, images: Interval, a: Sequence[float], b: Sequence[float]) -> float:
    """The p at which an interval over images, of Student's t, and Welch's of a against b just reach 0 together."""
    over_seeds = scipy.stats.ttest_ind(b, a, equal_var=False)
    error = abs((np.mean(b) - np.mean(a)) / over_seeds.statistic)
    over_images = images.half_width / scipy.stats.t.ppf(0.975, images.n - 1)

    def half(p: float) -> float:
        of_images, of_seeds = scipy.stats.t.isf(p / 2, (images.n - 1, over_seeds.df))
        return float(np.hypot(over_images * of_images, error * of_seeds))

    return float(scipy.optimize.brentq(lambda p: half(p) - abs(difference), 1e-12, 1))


def measured(val_f1: float, test_accuracy: float, fit: float = 10.0) -> dict[str, Any]:
    """Fields of a record with these figures, macro-F1 on val and accuracy on test, and seconds to fit."""
    figures = {"val": val_f1, "test": test_accuracy}
    return {
        "metrics": {
            part: {"accuracy": share, "balanced_accuracy": share, "macro_f1": share, "n": 100}
            for part, share in figures.items()
        },
        "seconds": {"fit": fit, "predict": 1.0},
        "memory": {"host": 1000},
    }


def of_several_labels(macro_f1: float) -> dict[str, Any]:
    """Fields of a record of a data set whose images have several labels."""
    figures = {"macro_f1": macro_f1, "micro_f1": 0.6, "exact_match": 0.3, "sample_averaged_f1": 0.45}
    figures |= {"mean_average_precision": 0.55, "n": 100}
    return {"metrics": dict.fromkeys(("train", "val", "test"), figures)}


def epochs(*losses: float) -> tuple[dict[str, float], ...]:
    """A history with an epoch for each loss on val; accuracies rise by a tenth an epoch."""
    return tuple(
        {
            "epoch": at + 1,
            "epochs": len(losses),
            "train_loss": loss + 0.1,
            "train_accuracy": 0.5 + at / 10,
            "val_loss": loss,
            "val_accuracy": 0.4 + at / 10,
        }
        for at, loss in enumerate(losses)
    )


def of_size(record, method: str, n: int, **changes: Any):
    """A record that was trained on n images."""
    return record(method, limit=n, facts={"n": {"train": n, "val": 500, "test": 500}}, **changes)


def predictions(truth: list[int], taken: list[int], n: int = 6) -> dict[str, np.ndarray]:
    """What lies beside a record of n classes whose images, on val as on test, are decided to be `taken`."""
    arrays = {"scores": np.eye(n, dtype=np.float32)[taken], "labels": np.array(truth), "index": np.arange(len(truth))}
    return {f"{part}_{name}": array for part in ("val", "test") for name, array in arrays.items()}


TRUTH = [0] * 4 + [1] * 5 + [2] * 4 + [3] * 4 + [4] * 2
TAKEN = [0, 0, 3, 3] + [1] * 5 + [2, 2, 2, 4] + [3, 3, 3, 0] + [4, 4]


def several_labels(record, method: str = "cnn", **changes: Any):
    """A record and its predictions, of 80 images with some of six labels, then their truth and their scores."""
    draws = np.random.default_rng(1)
    truth = draws.random((80, 6)) < 0.3
    scores = (draws.normal(0, 2, (80, 6)) + 2 * truth - 1).astype(np.float32)
    arrays = {"scores": scores, "labels": truth, "index": np.arange(80)}
    kept = {f"{part}_{name}": array for part in ("val", "test") for name, array in arrays.items()}
    return (record(method, dataset="atlas", facts={"multilabel": True}, **changes), kept), truth, scores
