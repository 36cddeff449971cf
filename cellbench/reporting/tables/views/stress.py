"""Accuracy on test images that another microscope might have taken, perturbation by perturbation."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from ....core.mixed_values import SettingValues
from ....core.records.stress import StressRecord
from ....core.records.stress_answers import Answers
from ....core.text.words import counted
from ....results.rows.ranking import ranked
from ....results.rows.row import DATA, HARDWARE, Line, Row
from ....results.stress import PooledCurve, pooled, stress_of, stress_problems
from ...captions import LABELS, half_interval, intervals_of, title_of
from ..table import COUNT, PERCENT, POINTS, Column, Table

KEPT = (*DATA, *HARDWARE, "method", "settings", "params", "overrides", "several_labels", "synthetic")
STRENGTHS = range(1, 6)
TITLE = "test images as another microscope might have taken them"
COMMAND = "keep models with `cellbench run --save-models`, then: cellbench stress"
AGAIN = "`cellbench stress --force` finds them, unless a class is rare."
MEANS = {"share": "%", "of full scale": "% of full scale", "of images": "% of images"}  # units of shares, in percent


def stress(rows: Sequence[Row]) -> Table:
    """Return a table with a row for each perturbation and method that has a stress test.

    Keys of a row: `perturbation`, `unit`; `strength_1` to `strength_5`; `accuracy_0` to `accuracy_5` and `macro_f1_0`
    to `macro_f1_5`, at strength 0, the images as they are, and at the others; `fall`, the figure at the strongest minus
    that at 0; the ends of their intervals, such as `accuracy_1_low` and `fall_high`; `seen`, by which settings the
    method saw something like it in training.
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


def of_records(
    records: Mapping[Path, StressRecord], answers: Mapping[Path, Answers | None] = MappingProxyType({})
) -> list[Table]:
    """Return a table as `stress` for each data set and split, of records by the file of their model.

    answers: those that the figures come from, where there are any, for intervals. A row has the file as `model`, in
    place of what only the record of the run says.
    """
    places = dict.fromkeys((one.dataset, one.fingerprint, one.split) for one in records.values())
    return [
        _of_place(
            {file: one for file, one in records.items() if (one.dataset, one.fingerprint, one.split) == place}, answers
        )
        for place in places
    ]


def _of_place(records: Mapping[Path, StressRecord], answers: Mapping[Path, Answers | None]) -> Table:
    first = next(iter(records.values()))
    lines = _by_perturbation(
        {
            **{name: getattr(one, name) for name in ("dataset", "fingerprint", "split", "method", "seed", "device")},
            "model": str(file),
            **_figures(pooled(curve, [(one, answers.get(file))])),
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
    without = dict.fromkeys(line["method"] for line in lines if not line["interval_over"])
    return [
        *([f"{counted(n[0], 'test image')} at every strength."] if len(n) == 1 else []),
        *intervals_of(lines, ", the widest of the six, and of the fall"),
        *([f"Without intervals: {', '.join(without)}; {AGAIN}"] if without else []),
        *seen_in_training(lines),
    ]


def strengths_of(unit: str, strengths: Sequence[float]) -> str:
    """Return strengths with their unit, such as '5, 15, 30, 45, 90 degrees' or '4, 8, 12, 16, 20 %'."""
    factor = 100 if unit in MEANS else 1
    return f"{', '.join(f'{factor * one:g}' for one in strengths)} {MEANS.get(unit, unit)}"


def seen_in_training(lines: Sequence[Line]) -> list[str]:
    """Return a sentence for each method that saw something like a perturbation while it was trained.

    lines: with `method`, `perturbation` and `seen`, settings by name.
    """
    perturbations: dict[str, dict[str, list[str]]] = {}
    for line in lines:
        if line["seen"]:
            perturbations.setdefault(line["method"], {}).setdefault(line["seen"], []).append(line["perturbation"])
    return [
        f"{method} was trained on images changed in like manner: "
        + "; ".join(f"{', '.join(dict.fromkeys(names))} ({settings})" for settings, names in by_settings.items())
        + "."
        for method, by_settings in perturbations.items()
    ]


def _figures(curve: PooledCurve) -> Line:
    ends = {f"{curve.figure}_{at}": span for at, span in enumerate(curve.spans)}
    if curve.fall_span:
        ends["fall"] = curve.fall_span
    return {
        "perturbation": curve.name,
        "unit": curve.unit,
        **_numbered("strength", curve.strengths),
        **_numbered("accuracy", curve.figures.get("accuracy", ())),
        **_numbered("macro_f1", curve.figures.get("macro_f1", ())),
        "fall": curve.fall,
        **{f"{name}_low": span.low for name, span in ends.items()},
        **{f"{name}_high": span.high for name, span in ends.items()},
        "interval_over": curve.fall_span.over if curve.fall_span else None,
        "seen": settings_in_words(curve.seen),
        "seeds": curve.seeds,
        "n": curve.n,
        "remark": "",
    }


def settings_in_words(settings: SettingValues) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def _numbered(name: str, values: Sequence[float]) -> dict[str, float]:
    return {f"{name}_{at}": value for at, value in enumerate(values)}


def _without(rows: Sequence[Row], lines: Sequence[Line]) -> list[str]:
    tested = {line["method"] for line in lines}
    missing = list(dict.fromkeys(row.method for row in rows if row.method not in tested))
    return [f"Without a stress test: {', '.join(missing)}; {COMMAND}"] if missing else []


def _strengths(line: Line) -> str:
    return strengths_of(line["unit"], [line[f"strength_{at}"] for at in STRENGTHS if f"strength_{at}" in line])


def _widest(line: Line) -> float | None:
    """Return half of the widest interval of a row's figures, or None without any."""
    names = [f"{figure}_{at}" for figure in ("accuracy", "macro_f1") for at in (0, *STRENGTHS)]
    return max(filter(None, (half_interval(name)(line) for name in names)), default=None)


def _several(rows: Sequence[Line]) -> bool:
    return any(row.get("macro_f1_0") is not None for row in rows)


NAMES = (Column("perturbation", "perturbation", label=True), Column("method", "method", label=True))
FIGURE_COLUMNS = (
    Column(_strengths, "strengths 1 to 5", label=True, spare=4),
    *(Column(f"accuracy_{at}", f"acc. {at}", PERCENT, when="any") for at in (0, *STRENGTHS)),
    *(Column(f"macro_f1_{at}", f"F1 {at}", PERCENT, spare=5, when=_several) for at in (0, *STRENGTHS)),
    Column(_widest, "±", PERCENT, when="any", spare=1),
    Column("fall", "fall", POINTS, spread=half_interval("fall"), spare=2),
    Column("seen", "seen in\ntraining", label=True, when="any", spare=6),
)
COLUMNS = (
    *NAMES,
    Column("settings", "settings", label=True, when="any"),
    *LABELS,
    *FIGURE_COLUMNS,
    Column("seeds", "seeds", COUNT, spare=3),
)
COLUMNS_OF_RECORDS = (*NAMES, Column("seed", "seed", COUNT, label=True, when="varies"), *FIGURE_COLUMNS)
