"""Backends of support vector machines against LIBSVM: do they solve the same problem, and in what time?"""

from collections.abc import Sequence

from ....results.rows.backends import is_reference, problem, references, requested, solver
from ....results.rows.row import Line, Row, grouped_by, one_label, time_counts
from ....results.rows.settings import with_settings
from ...captions import LABELS, deviation_of, fact_of, get_one, hardware_of, seeds_of, title_of
from ..table import COUNT, PERCENT, RATIO, SECONDS, Column, NumberFormat, Table

AGREEMENT = NumberFormat(((0.01, "%"),), digits=2)
DIFFERENCE = NumberFormat(((0.01, "%"), (1e-6, "ppm")), digits=1, sign="+")
OTHER_DEVICE = "†"


def parity(rows: Sequence[Row]) -> Table:
    """Return a table with a row for each SVM and backend, compared with LIBSVM on the same machine.

    Compared are the times, the decisions on test images and the dual objective.
    """
    title = f"{title_of(rows)}: SVM backends against LIBSVM"
    rows = [row for row in with_settings(rows, without=("backend",)) if requested(row)]
    if not rows:
        return Table("parity", title, (), (), ("No support vector machine has a result here.",))
    reference = references(rows)
    compared = sorted((_compared(row, reference.get(problem(row))) for row in rows), key=_order)
    return Table("parity", f"{title}\n{_shared(rows)}", COLUMNS, tuple(compared), _notes(compared))


def _shared(rows: Sequence[Row]) -> str:
    """Return the method, settings and number of test images as text, as far as all rows share them."""
    common = [rows[0][name] for name in ("method", "settings") if len({row[name] for row in rows}) == 1]
    n = fact_of(rows, "test_n")
    return "; ".join(filter(None, [", ".join(filter(None, common)), f"{n:,} test images" if n else ""]))


def _notes(rows: Sequence[Line]) -> tuple[str, ...]:
    return (*_legend(rows), *deviation_of(rows), *_missing(rows), *hardware_of(rows))


def _compared(row: Row, reference: Row | None) -> Line:
    """Return the row with its speed-ups over LIBSVM and its relative difference in the dual objective.

    Each is None unless both rows have the figure; speed-ups also where other programs disturbed either row's times.
    """

    def ratio(name: str) -> float | None:
        mine, theirs = row[name], reference[name] if reference else None
        return theirs / mine if mine and theirs else None

    dual = ratio("dual_objective")
    fair = all(time_counts(one) for one in (row, reference) if one)
    return {
        **row,
        "solver": solver(row),
        "fit_speed_up": ratio("seconds_fit") if fair else None,
        "predict_speed_up": ratio("seconds_predict") if fair else None,
        "other_device": row["device"] != "cpu",
        "dual_difference": 1 / dual - 1 if dual else None,
        "reference": reference is not None,
    }


def _order(row: Line) -> tuple[object, ...]:
    names = ("method", "settings", "machine")
    return (*(row[name] for name in names), not is_reference(row), row["device"], row["solver"] or "", requested(row))


def _legend(rows: Sequence[Line]) -> list[str]:
    if not any(row["reference"] for row in rows):
        return []
    what = (
        "test images that get the label that LIBSVM gives"
        if one_label(rows)
        else "pairs of test image and label decided as by LIBSVM"
    )
    notes = [
        f"Speed-up: LIBSVM's time divided by the row's, same machine and settings. Agrees: share of {what}.",
        "Dual: the objective that training maximises, over all machines; off: its distance from LIBSVM's, above it if "
        "positive.",
    ]
    if any(row["fit_speed_up"] and row["other_device"] for row in rows):
        notes.append(f"{OTHER_DEVICE} another device: this ran on CUDA, LIBSVM on the processor.")
    return notes


def _missing(rows: Sequence[Line]) -> list[str]:
    """Return a line for each method, settings and machine without a LIBSVM run, with the command that runs it."""
    notes = []
    several = len({row["machine"] for row in rows}) > 1
    for group in grouped_by([row for row in rows if not row["reference"]], ("method", "settings", "machine")):
        if any(is_reference(row) for row in group):  # it failed, which its row says
            continue
        row = group[0]
        named = ", ".join(filter(None, [row["method"], row["settings"]])) + (f" on {row['machine']}" if several else "")
        command = get_one({**row, "device": "cpu"}, row["method"], {"backend": "libsvm"})
        notes.append(f"{named}: no result of LIBSVM to compare with; {command}")
    return notes


def _backend(row: Line) -> str:
    return f"{row['solver']} (auto)" if requested(row) == "auto" and row["solver"] else row["solver"] or "auto"


def _mark(row: Line) -> str:
    return OTHER_DEVICE if row["other_device"] else ""


COLUMNS = (
    Column("method", "method", label=True, when="varies"),
    Column("settings", "settings", label=True, when="varies"),
    Column(_backend, "backend", label=True),
    *LABELS,
    Column("seconds_fit", "fit", SECONDS, spread=True),
    Column("fit_speed_up", "speed-\nup", RATIO, mark=_mark, when="any"),
    Column("seconds_predict", "predict", SECONDS, spread=True, spare=2),
    Column("predict_speed_up", "speed-\nup", RATIO, mark=_mark, when="any"),
    Column("agreement", "agrees", AGREEMENT, when="any"),
    Column("dual_objective", "dual", NumberFormat(), when="any", spare=3),
    Column("dual_difference", "dual\noff", DIFFERENCE, when="any"),
    Column("support_vectors", "support\nvectors", COUNT, when="any", spare=1),
    Column("test_accuracy", "accuracy", PERCENT, spread=True, when=one_label),
    Column("test_macro_f1", "macro-F1", PERCENT, spread=True, when=lambda rows: not one_label(rows)),
    Column(seeds_of, "seeds", label=True, spare=4),
)
