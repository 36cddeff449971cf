"""Fit time against the number of training images: how it grows, by method, backend and device."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from ....core import suites
from ....results.rows.backends import solver
from ....results.rows.row import (
    HARDWARE,
    SCOPE,
    SETTINGS_OF_ALL_SIZES,
    Line,
    Row,
    disturbance,
    grouped_by,
    is_disturbed,
    load_unknown,
)
from ....results.rows.settings import with_settings
from ...captions import device_of, get_one, hardware_of, title_of
from ..table import Column, NumberFormat, Table

CURVE = (*SETTINGS_OF_ALL_SIZES, *HARDWARE, "processor", "gpu", "solver", "version")
EXPONENT = NumberFormat(digits=2)
FIT = NumberFormat(((1, "s"),))  # the same unit in all columns, as they are read from one to the next
LEAST = 3  # sizes for an exponent: through two a line always fits exactly, so its error would be unknown
LEGEND = (
    "Fit time by training images; what is chosen on val (C, epoch) is within it. b: time grows as n^b, by least "
    f"squares in logarithms, ± its standard error, from {LEAST} sizes on."
)
STUDY = "yeast"  # the suite whose entries have a learning curve as their authors give it: nobody measured it here
STAND_IN = "synthetic-yeast-full"  # as many simulated images as that study had


def scaling(rows: Sequence[Row]) -> Table:
    """Return a table of fit times, with a column for each number of training images and the exponent last.

    There is a row for each method, its settings, backend and hardware, and one for the times that the study claimed
    where the data set is the study's or its simulated stand-in.
    """
    title = title_of([row.having(limit=None) for row in rows])
    with_solvers = with_settings([row.having(solver=solver(row)) for row in rows], without=("backend",))
    curves = sorted((_curve(group) for group in grouped_by(with_solvers, CURVE)), key=_order)
    study = suites.load(STUDY)
    points = _points(study) if rows[0]["dataset"] in (study.dataset, STAND_IN) else {}
    notes = [LEGEND, *_shortfall(curves, rows), *_claims(points, study), *hardware_of(rows)]
    curves += [_claimed(rows[0], points)] if points else []
    sizes = sorted({n for curve in curves for n in curve["sizes"]})
    return Table("scaling", f"{title}: fit time by training images", _columns(sizes), tuple(curves), tuple(notes))


def exponent(seconds: Mapping[int, float]) -> tuple[float | None, float | None]:
    """Return b of seconds = a * n^b, by least squares in logarithms, and its standard error.

    seconds: fit time by number of training images n. Both are None with fewer than LEAST sizes.
    """
    if len(seconds) < LEAST:
        return None, None
    n, t = (np.log(np.array(values, float)) for values in (list(seconds), list(seconds.values())))
    n = n - n.mean()
    b = n @ t / (n @ n)
    left = t - t.mean() - b * n
    return float(b), float(np.sqrt(left @ left / (len(n) - 2) / (n @ n)))


def _curve(rows: Sequence[Row]) -> Line:
    rows = sorted(rows, key=_size)
    fitted = {_size(row): row["seconds_fit"] for row in rows if row["seconds_fit"] and not is_disturbed(row)}
    wrong = {_size(row): row["remark"] for row in rows if row["n_runs"] > len(row["files"])}
    wrong |= {_size(row): f"left out, {what}" for row in rows if (what := disturbance(row))}
    unknown = [_size(row) for row in rows if row["seconds_fit"] and load_unknown(row)]
    counted = {size: seconds for size, seconds in fitted.items() if size not in unknown}
    wrong |= dict.fromkeys(unknown, "whether other programs ran is unknown, so it is not in b")
    bad = [f"{size:,} images: {what}" for size, what in wrong.items()]
    kept = (*SCOPE, "method", "settings", "params", "preprocessing", "overrides", "solver", *HARDWARE)
    return {
        **{name: rows[0][name] for name in (*kept, "several_labels", "synthetic")},
        "limit": None,
        **_figures(fitted, counted),
        "sizes_tried": [_size(row) for row in rows],
        "claimed": False,
        "status": "ok" if fitted else rows[0]["status"],
        "remark": "; ".join(bad),
    }


def _figures(fitted: Mapping[int, float], counted: Mapping[int, float]) -> Line:
    """Return times by number of images, and the exponent of those that can be compared."""
    b, error = exponent(counted)
    return {"sizes": list(fitted), "fit_seconds": list(fitted.values()), "exponent": b, "exponent_error": error}


def _size(row: Line) -> int:
    return row["n_train"] or row["limit"] or 0


def _order(curve: Line) -> tuple[str, ...]:
    return tuple(str(curve[name]) for name in ("method", "settings", "solver", *HARDWARE))


def _points(study: suites.Suite) -> dict[int, suites.Figures]:
    """Return the study's claimed figures that include a fit time, by number of training images, in ascending order."""
    claimed = [(entry.limit, entry.claimed) for entry in study.entries if entry.claimed]
    timed = {limit or figures.n or 0: figures for limit, figures in claimed if "fit_seconds" in figures.values}
    return dict(sorted(timed.items()))


def _claimed(row: Line, points: Mapping[int, suites.Figures]) -> Line:
    """Return the study's claimed fit times as a row, which is never marked as simulated: the study had real images."""
    unknown = dict.fromkeys(("settings", "params", "preprocessing", "overrides", "machine", "threads", "limit"))
    seconds = {n: figures.values["fit_seconds"] for n, figures in points.items()}
    return {
        **{name: row[name] for name in (*SCOPE, "several_labels")},
        **unknown,
        **_figures(seconds, seconds),
        "method": "study's SVM",
        "solver": "claimed",
        "device": "cpu",
        "synthetic": False,
        "sizes_tried": list(points),
        "claimed": True,
        "status": "ok",
        "remark": "",
    }


def _claims(points: Mapping[int, suites.Figures], study: suites.Suite) -> list[str]:
    if not points:
        return []
    accuracies = ", ".join(f"{100 * figures.values['accuracy']:.1f} % with {n:,}" for n, figures in points.items())
    devices = ", ".join(dict.fromkeys(figures.device for figures in points.values()))
    source = f"{devices}, {study.url.removeprefix('https://')}"
    return [f"claimed, {source}: times, and an accuracy of {accuracies} training images; not measured here."]


def _shortfall(curves: Sequence[Line], rows: Sequence[Line]) -> list[str]:
    """Return a line with the command that runs one more size, in a list, empty if any curve has an exponent."""
    if any(curve["exponent"] is not None for curve in curves):
        return []
    most = max(curves, key=lambda curve: len(curve["sizes"]))
    tried = {_size(row) for row in rows}
    smaller = next((n for n in (min(tried) // 2, min(tried) // 4) if n), 1)
    return [f"No exponent yet; {get_one(most, most['method'], {}, smaller)}"]


def _at(n: int, curve: Line) -> float | None:
    return dict(zip(curve["sizes"], curve["fit_seconds"], strict=True)).get(n)


def _several_machines(curves: Sequence[Line]) -> bool:
    return len({curve["machine"] for curve in curves if not curve["claimed"]}) > 1


def _columns(sizes: Sequence[int]) -> tuple[Column, ...]:
    """Return the columns of the table; where space is short, the times of the fewest images are left out first."""
    times = [Column(partial(_at, n), f"n={n:,}", FIT, spare=len(sizes) - 1 - place) for place, n in enumerate(sizes)]
    return (
        Column("method", "method", label=True),
        Column("settings", "settings", label=True, when="any"),
        Column("solver", "backend", label=True),
        Column(lambda curve: "CPU" if curve["claimed"] else device_of(curve), "device\n(threads)", label=True),
        Column("machine", "machine", label=True, when=_several_machines),
        *times,
        Column("exponent", "b", EXPONENT, spread="exponent_error"),
    )
