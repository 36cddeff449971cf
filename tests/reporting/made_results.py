"""What may lie in a folder of results, as lists of made records."""

from typing import Any

import numpy as np

from cellbench.core.records.runs import RunRecord
from cellbench.core.records.store import Predictions

from .made_records import STEADY, Scored, judged, make, scores


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
