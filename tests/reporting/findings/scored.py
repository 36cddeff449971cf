"""Records with predictions that decide a claim as one wants."""

import dataclasses

import numpy as np

from cellbench.core.scoring.metrics import evaluate
from cellbench.reporting.findings import claim as claims
from cellbench.reporting.findings import load as load_claims

from ..made_records import make, scores

YEAST = "deepyeast"
EPOCHS = 100_000  # as many as any source's protocol asks for, however few images there are


def scored(method, right, named=None, train=None, val=None, truth=None, n=None, params=None, **changes):
    """A record and predictions: right, of each test image whether it is; `truth` and `right` as labels if it is given.

    named: the method's name, if not that of the record it is made from.
    Nets have EPOCHS unless params say otherwise. train, val: accuracies. n: training images. Without a seed the record
    is of a method that no seed changes.
    """
    facts = {**({"n": {"train": n}} if n else {}), **({} if "seed" in changes else {"seeded": False})}
    facts |= changes.pop("facts", {})
    record = make(method, facts=facts, **changes)
    labels = np.where(np.array(right, bool), 0, 1) if truth is None else np.array(right)
    kept = scores(labels.tolist())
    if truth is not None:
        kept["test_labels"] = np.array(truth)
    test = evaluate(kept["test_labels"], kept["test_scores"])
    metrics = {**record.metrics, "test": test}
    for part, value in (("train", train), ("val", val)):
        if value is not None:
            metrics[part] = {**metrics[part], "accuracy": value, "macro_f1": value}
    long = {"epochs": EPOCHS} if "epochs" in record.spec.params else {}
    params = {**record.spec.params, **long, **(params or {})}
    spec = dataclasses.replace(record.spec, method=named or method, params=params)
    return dataclasses.replace(record, spec=spec, metrics=metrics), kept


def first_right(k, n=40):
    """The first k of n images right."""
    return [i < k for i in range(n)]


def claim_with(name, **changes):
    (claim,) = claims.chosen(load_claims(), [name])
    return dataclasses.replace(claim, **changes)


def seeded_net(one, seed):
    """The record as one of a net, that a seed changes."""
    record, kept = one
    spec = dataclasses.replace(record.spec, seed=seed)
    return dataclasses.replace(record, spec=spec, facts={**record.facts, "seeded": True}), kept


def scored_several_labels(right, method="resnet18", named=None, params=None, **changes):
    """A record of images with two labels of three each; the second one is missed where `right` says no."""
    truth = np.tile([[True, True, False], [False, True, True]], (len(right) // 2, 1))
    decided = truth.copy()
    decided[~np.array(right), 1] = False
    logits = np.where(decided, 1.0, -1.0).astype(np.float32)
    kept = {"test_scores": logits, "test_labels": truth, "test_index": np.arange(len(truth))}
    record = make(method, **changes)
    spec = dataclasses.replace(record.spec, method=named or method, params={**record.spec.params, **(params or {})})
    facts = {**record.facts, "multilabel": True, "seeded": False}
    metrics = {**record.metrics, "test": evaluate(truth, logits, 0.0)}
    return dataclasses.replace(record, spec=spec, facts=facts, metrics=metrics), kept
