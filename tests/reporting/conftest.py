"""Records that nobody made, and folders of them, for tests of what shows records."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from cellbench import load_results
from cellbench.core.records.runs import RunRecord
from cellbench.core.records.store import Store
from cellbench.core.records.stress import Curve, StressRecord
from cellbench.core.records.stress_answers import Answers
from cellbench.reporting.tables.by_view import tables

from .made_records import MACHINE, make, saved
from .made_results import everything


@pytest.fixture
def record() -> Callable[..., RunRecord]:
    return make


@pytest.fixture
def results(tmp_path: Path) -> Callable[..., Path]:
    """Save records, or pairs of record and predictions, in a results folder, `machine` by machine; returns it."""

    return partial(saved, tmp_path / "results")


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
        machine: str = MACHINE,
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
