"""Which methods a figure shows that has room for a few only."""

from collections.abc import Sequence

from ...core.words import counted
from ...results.rows import Row
from .chart import measure

MOST = 4


def contenders(rows: Sequence[Row], most: int = MOST) -> tuple[list[Row], list[str]]:
    """All rows with a figure on test while they are at most `most`, else the best of each family on val, as many as
    fit, and a line that says so; the best on val first, what was not trained enough last."""
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
