"""Records of runs that nobody made: every figure here is invented, to test tables with."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from sklearn.metrics import accuracy_score, f1_score

from cellbench import load_results
from cellbench.core.metrics import evaluate, per_class
from cellbench.core.runs import RunRecord, RunSpec
from cellbench.core.store import Predictions, Store
from cellbench.core.stress import Curve, StressRecord
from cellbench.core.stress_answers import Answers
from cellbench.reporting.tables.views import tables
from cellbench.results.bootstrap import Interval

Scored = tuple[RunRecord, Predictions]
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


@pytest.fixture
def record() -> Callable[..., RunRecord]:
    return make


@pytest.fixture
def results(tmp_path: Path) -> Callable[..., Path]:
    """Save records, or pairs of record and predictions, in a results folder, `machine` by machine; returns it."""

    def save(*records: RunRecord | Scored, machine: str = "example-cpu-2c-abc123") -> Path:
        for one in records:
            Store(tmp_path / "results", machine).save(*fitted(*one) if isinstance(one, tuple) else (one,))
        return tmp_path / "results"

    return save


def _answers(stressed: StressRecord) -> tuple[Answers, dict[str, dict[str, tuple[float, ...]]]]:
    """Return answers of a model of two classes with the accuracies of a stress test, and the figures they give."""
    truth = np.arange(stressed.n) % 2
    place = np.random.default_rng(stressed.seed).permutation(stressed.n)  # of the images, from the easiest on
    predicted = {
        curve.name: np.array(
            [np.where(place < round(p * len(place)), truth, 1 - truth) for p in curve.figures["accuracy"]]
        )
        for curve in stressed.curves
    }
    figures = {
        name: {
            "accuracy": tuple(float(accuracy_score(truth, one)) for one in by_strength),
            "macro_f1": tuple(float(f1_score(truth, one, average="macro")) for one in by_strength),
        }
        for name, by_strength in predicted.items()
    }
    return Answers(np.arange(stressed.n), truth, None, 2, predicted), figures


@pytest.fixture
def under_stress(tmp_path: Path) -> Callable[..., None]:
    """Write a stress test beside a record of `results`: accuracy and macro-F1 by perturbation, from strength 0 to 5."""

    def write(
        record: RunRecord,
        seen: Any = None,
        machine: str = "example-cpu-2c-abc123",
        answered: bool = False,
        **falls: Any,
    ) -> None:
        spec, seen = record.spec, seen or {}
        curves = tuple(
            Curve(
                name.replace("_", "-"),
                "degrees" if name == "rotation" else "share",
                (0, 5, 15, 30, 45, 90) if name == "rotation" else (0, 0.1, 0.2, 0.4, 0.6, 0.8),
                {"accuracy": tuple(values), "macro_f1": tuple(value - 0.01 for value in values)},
                seen.get(name, {}),
            )
            for name, values in falls.items()
        )
        facts = {name: getattr(spec, name) for name in ("method", "dataset", "fingerprint", "split", "seed")}
        file = Store(tmp_path / "results", machine).path(spec).with_suffix(".stress")
        file.parent.mkdir(parents=True, exist_ok=True)
        stressed = StressRecord(model="0" * 12, n=2720, draws=0, curves=curves, **facts)
        if answered:
            answers, figures = _answers(stressed)
            answers.save(file)
            curves = tuple(replace(curve, figures=figures[curve.name]) for curve in curves)
        replace(stressed, curves=curves).save(file)

    return write


@pytest.fixture
def view(results):
    """The one table of a view of some records."""

    def show(name, *records):
        (table,) = tables(load_results(results(*records)), name)
        return table

    return show


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
    over_images = images.half / scipy.stats.t.ppf(0.975, images.n - 1)

    def half(p: float) -> float:
        of_images, of_seeds = scipy.stats.t.isf(p / 2, (images.n - 1, over_seeds.df))
        return float(np.hypot(over_images * of_images, error * of_seeds))

    return float(scipy.optimize.brentq(lambda p: half(p) - abs(difference), 1e-12, 1))


def judgements() -> list[Scored]:
    """Methods with the predictions that their figures rest on: two that tie, three seeds, one of another device."""
    return [
        judged("resnet18", 0.93, 1, facts=STEADY),
        judged("vgg11", 0.925, 2, facts=STEADY),
        *(judged("cnn", 0.86, 10 + seed, seed=seed) for seed in range(3)),
        judged("svm-hog", 0.80, 3),
        judged("svm-hog", 0.78, 4, device="cuda"),
        (make("mlp", status="failed", reason="no memory"), {}),
        judged("cnn", 0.7, 5, dataset="wells", groups=8),
        judged("svm-hog", 0.8, 6, dataset="wells", groups=8),
    ]


def sure() -> list[RunRecord | Scored]:
    """Methods whose scores say how sure they are, on val and test, and one without predictions."""

    def scored(method: str, sharpness: float, luck: int, **changes: Any) -> Scored:
        images, own = np.random.default_rng(0), np.random.default_rng(luck)
        kept: Predictions = {}
        for part, n in (("val", 200), ("test", 300)):
            logits = images.normal(0, 2, (n, 6))
            truth = (logits + images.gumbel(size=logits.shape)).argmax(1)
            scores = sharpness * (logits + own.normal(0, 0.5, logits.shape))
            kept |= {f"{part}_scores": scores.astype(np.float32), f"{part}_labels": truth}
            kept[f"{part}_index"] = np.arange(n)
        return make(method, **changes), kept

    return [*(scored("cnn", 3.0, 1 + seed, seed=seed) for seed in range(2)), scored("svm-hog", 0.5, 3), make("mlp")]


def solved(backend: str, fit: float, predict: float, dual: float, vectors: int, **changes: Any) -> RunRecord:
    """A record of svm-hog with C=10 by one backend, on 2,000 images."""
    fields: dict[str, Any] = {
        "overrides": {"C": 10, "backend": backend},
        "limit": 2000,
        "backend": backend,
        "seconds": {"features": 0.4, "fit": fit, "predict": predict},
        "facts": {"support_vectors": vectors, "dual_objective": dual},
    }
    return make("svm-hog", **{**fields, **changes})


def backends() -> list[RunRecord | Scored]:
    """One problem solved by LIBSVM and others, one that LIBSVM was never set."""
    labels = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    right = {**scores(labels), "test_labels": np.array(labels)}
    one_differs = {**scores([1, *labels[1:]]), "test_labels": np.array(labels)}
    return [
        (solved("libsvm", 20, 4, 1000, 500), right),
        (solved("torch", 5, 0.5, 1000.1, 501), one_differs),
        (solved("torch", 0.2, 0.1, 999.99, 500, device="cuda"), right),
        solved("onedal", 8, 1, 1000, 500),
        solved("thundersvm", 0, 0, 0, 0, status="failed", reason="its process was ended by SIGSEGV"),
        solved("torch", 30, 2, 4000, 3000, limit=None, overrides={"C": [1, 10], "backend": "auto"}),
        make("cnn", dataset="blood"),
    ]


def donors() -> list[RunRecord]:
    """Two methods on a random split, and with each of six donors left out; a third on the random split alone."""
    facts = {"n": {"train": 500, "val": 100, "test": 100}}
    falls = (0.05, 0.12, 0.08, 0.02, 0.15, 0.06)
    left_out = [
        make(method, split=f"leave-one-out:donor@{k}", shift=-times * fall, facts=facts)
        for method, times in (("svm-hog", 1), ("cnn", 2))
        for k, fall in enumerate(falls)
    ]
    return [*left_out, *(make(method, split="stratified", facts=facts) for method in ("svm-hog", "cnn", "mlp"))]


def sizes() -> list[RunRecord]:
    """Fit times that are exact powers of n, two sizes, one size that ran out of time, on images of the yeast study."""

    def timed(method: str, n: int, fit: float, **changes: Any) -> RunRecord:
        facts = {"n": {"train": n, "val": 500, "test": 500}, "synthetic": True}
        given = {"dataset": "synthetic-yeast-full", "limit": n, "facts": facts, "seconds": {"fit": fit}}
        return make(method, **{**given, **changes})

    def set_to(backend: str) -> dict[str, Any]:
        return {"overrides": {"C": 10, "backend": backend}, "backend": backend}

    late = {"status": "timeout", "reason": "not finished after 3600 seconds"}
    return [
        *(timed("svm-hog", n, 2e-5 * n**1.5, **set_to("torch")) for n in (100, 2500, 10000)),
        *(timed("svm-hog", n, 1e-4 * n**2, **set_to("libsvm")) for n in (100, 2500)),
        timed("svm-hog", 10000, 0, **set_to("libsvm"), **late),
        *(timed("cnn", n, 0.01 * n, device="cuda", backend="torch bf16") for n in (100, 2500, 10000)),
    ]
