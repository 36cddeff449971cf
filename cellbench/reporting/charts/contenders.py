"""Which methods are shown in a chart that has room for only a few."""

from collections.abc import Sequence

from ...core.text.words import counted
from ...results.rows.row import Row
from ..captions import get_one
from .chart import LackingError, measure

MOST = 4


def contenders(rows: Sequence[Row], most: int = MOST) -> tuple[list[Row], list[str]]:
    """Return the rows to draw, and a line that says which were left out, if any were.

    These are all rows with a score on test if there are at most `most`, else the best of each family by macro-F1 on
    val, `most` of them at most. They are ordered by macro-F1 on val, the best first, undertrained rows last.
    """
    name, _ = measure(rows)
    scored = [row for row in rows if row[f"test_{name}"] is not None]
    ranked = sorted(scored, key=lambda row: (bool(row["undertrained"]), -(row["val_macro_f1"] or 0), row["label"]))
    if len(ranked) <= most:
        return ranked, []
    best = {family: row for row in reversed(ranked) if (family := row["family"])}
    chosen = [row for row in ranked if row is best.get(row["family"])][:most]
    left_out = len(ranked) - len(chosen)
    return chosen, [
        f"Drawn: the best of {'each family' if len(best) <= most else f'the {most} best families'} by macro-F1 on val; "
        f"{counted(left_out, 'other')} not: "
        f"choose up to {most} with --where method=NAME."
    ]


def without_predictions(rows: Sequence[Row]) -> LackingError:
    """Return the error for a chart of probabilities where no row has predictions on val and on test."""
    return LackingError(
        f"no run with predictions on val and test beside its record; {get_one(rows[0], 'svm-hog cnn')} --force"
    )
