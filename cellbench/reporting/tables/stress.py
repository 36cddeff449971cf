"""Accuracy on test images that another microscope might have taken, perturbation by perturbation."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.stress import StressRecord
from ...core.words import counted
from ...results.ranking import ranked
from ...results.rows import DATA, HARDWARE, Line, Row
from ...results.stress import PooledCurve, pooled, stress_of, stress_problems
from ..captions import LABELS, title_of
from .table import COUNT, PERCENT, POINTS, Column, Table

KEPT = (*DATA, *HARDWARE, "method", "settings", "params", "overrides", "several_labels", "synthetic")
STRENGTHS = range(1, 6)
TITLE = "test images as another microscope might have taken them"
COMMAND = "keep models with `cellbench run --save-models`, then: cellbench stress"
MEANS = {"share": "%", "of full scale": "% of full scale", "of images": "% of images"}  # units of shares, in percent


def stress(rows: Sequence[Row]) -> Table:
    """Return a table with a row for each perturbation and method that has a stress test.

    Keys of a row: `perturbation`, `unit`; `strength_1` to `strength_5`; `accuracy_0` to `accuracy_5` and `macro_f1_0`
    to `macro_f1_5`, at strength 0, the images as they are, and at the others; `fall`, the figure at the strongest minus
    that at 0; `seen`, by which settings the method saw something like it in training.
    """
    lines = _by_perturbation(
        {**{name: row[name] for name in KEPT}, **_figures(curve)} for row in ranked(rows) for curve in stress_of(row)
    )
    notes = (
        *_notes(lines),
        *(f"passed over {problem}" for row in rows for problem in stress_problems(row)),
        *_without(rows, lines),
    )
    return Table("stress", f"{title_of(rows)}: {TITLE}", COLUMNS, tuple(lines), notes)


def of_records(records: Mapping[Path, StressRecord]) -> list[Table]:
    """Return a table as `stress` for each data set and split, of records by the file of their model.

    A row has the file as `model`, in place of what only the record of the run says.
    """
    places = dict.fromkeys((one.dataset, one.fingerprint, one.split) for one in records.values())
    return [
        _of_place({file: one for file, one in records.items() if (one.dataset, one.fingerprint, one.split) == place})
        for place in places
    ]


def _of_place(records: Mapping[Path, StressRecord]) -> Table:
    first = next(iter(records.values()))
    lines = _by_perturbation(
        {
            **{name: getattr(one, name) for name in ("dataset", "fingerprint", "split", "method", "seed", "device")},
            "model": str(file),
            **_figures(pooled(curve, [one])),
        }
        for file, one in records.items()
        for curve in one.curves
    )
    left_out = {f"{name}: {why}" for one in records.values() for name, why in one.left_out.items()}
    notes = (*_notes(lines), *([f"Left out: {'; '.join(sorted(left_out))}."] if left_out else []))
    return Table("stress", f"{first.dataset}, split {first.split}: {TITLE}", COLUMNS_OF_RECORDS, tuple(lines), notes)


def _by_perturbation(lines: Iterable[Line]) -> list[Line]:
    """Return the lines, those of one perturbation together, otherwise in the order given."""
    found = list(lines)
    order = list(dict.fromkeys(line["perturbation"] for line in found))
    return sorted(found, key=lambda line: order.index(line["perturbation"]))


def _notes(lines: Sequence[Line]) -> list[str]:
    n = sorted({line["n"] for line in lines})
    return [*([f"{counted(n[0], 'test image')} at every strength."] if len(n) == 1 else []), *seen_in_training(lines)]


def figure_of(curve: PooledCurve) -> str:
    """Return the metric that a curve is judged by: accuracy, or macro-F1 where images have several labels."""
    return "accuracy" if "accuracy" in curve.figures else "macro_f1"


def strengths_of(unit: str, strengths: Sequence[float]) -> str:
    """Return strengths with their unit, such as '5, 15, 30, 45, 90 degrees' or '4, 8, 12, 16, 20 %'."""
    factor = 100 if unit in MEANS else 1
    return f"{', '.join(f'{factor * one:g}' for one in strengths)} {MEANS.get(unit, unit)}"


def seen_in_training(lines: Sequence[Line]) -> list[str]:
    """Return a sentence for each method that saw something like a perturbation while it was trained.

    lines: with `method`, `perturbation` and `seen`, settings by name.
    """
    told: dict[str, dict[str, list[str]]] = {}
    for line in lines:
        if line["seen"]:
            told.setdefault(line["method"], {}).setdefault(line["seen"], []).append(line["perturbation"])
    return [
        f"{method} was trained on images changed in like manner: "
        + "; ".join(f"{', '.join(dict.fromkeys(names))} ({settings})" for settings, names in by_settings.items())
        + "."
        for method, by_settings in told.items()
    ]


def _figures(curve: PooledCurve) -> Line:
    values = curve.figures[figure_of(curve)]
    return {
        "perturbation": curve.name,
        "unit": curve.unit,
        **_numbered("strength", curve.strengths),
        **_numbered("accuracy", curve.figures.get("accuracy", ())),
        **_numbered("macro_f1", curve.figures.get("macro_f1", ())),
        "fall": values[-1] - values[0],
        "seen": settings_in_words(curve.seen),
        "seeds": curve.seeds,
        "n": curve.n,
        "remark": "",
    }


def settings_in_words(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def _numbered(name: str, values: Sequence[float]) -> dict[str, float]:
    return {f"{name}_{at}": value for at, value in enumerate(values)}


def _without(rows: Sequence[Row], lines: Sequence[Line]) -> list[str]:
    tested = {line["method"] for line in lines}
    missing = list(dict.fromkeys(row.method for row in rows if row.method not in tested))
    return [f"Without a stress test: {', '.join(missing)}; {COMMAND}"] if missing else []


def _strengths(line: Line) -> str:
    return strengths_of(line["unit"], [line[f"strength_{at}"] for at in STRENGTHS if f"strength_{at}" in line])


def _several(rows: Sequence[Line]) -> bool:
    return any(row.get("macro_f1_0") is not None for row in rows)


NAMES = (Column("perturbation", "perturbation", label=True), Column("method", "method", label=True))
FIGURES = (
    Column(_strengths, "strengths 1 to 5", label=True, spare=3),
    *(Column(f"accuracy_{at}", f"acc. {at}", PERCENT, when="any") for at in (0, *STRENGTHS)),
    *(Column(f"macro_f1_{at}", f"F1 {at}", PERCENT, spare=4, when=_several) for at in (0, *STRENGTHS)),
    Column("fall", "fall", POINTS, spare=1),
    Column("seen", "seen in\ntraining", label=True, when="any", spare=5),
)
COLUMNS = (
    *NAMES,
    Column("settings", "settings", label=True, when="any"),
    *LABELS,
    *FIGURES,
    Column("seeds", "seeds", COUNT, spare=2),
)
COLUMNS_OF_RECORDS = (*NAMES, Column("seed", "seed", COUNT, label=True, when="varies"), *FIGURES)
