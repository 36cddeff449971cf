"""How rows stand to the best: bold, level with it, worse, or not compared, as marks and as lines below a table."""

from collections.abc import Callable, Sequence

from ..results.rows.row import MOST_FILES, Line, Row
from ..results.statistics.rare import FEWEST_IMAGES
from .captions import MOST_METHODS, commands_for_seeds, intervals_of, name_in_sentence

TIE_MARK = "≈"  # marks a row that is not shown to differ from the best


def certainty_of(rows: Sequence[Row], figure: str) -> list[str]:
    """Return lines on what ± means, which row is best and which tie with it; figure: the name of what they tie in."""
    lines = [*intervals_of(rows, " of accuracy and F1"), *rare_of(rows), *_ties_of(rows, figure), *_few_seeds_of(rows)]
    if sum(len(row["runs"]) for row in rows) > MOST_FILES:
        lines.append(
            f"Intervals and ties are shown for the first rows, {MOST_FILES} runs in all; choose rows with --where."
        )
    return lines


def rare_of(rows: Sequence[Line]) -> list[str]:
    """Return a line on why macro-F1 has no interval, in a list, empty if it has one or nothing is known of it."""
    why = next((row["no_interval"] for row in rows if row.get("no_interval")), None)
    return [f"No interval of macro-F1: {why}; {FEWEST_IMAGES} of each class are the least that tell."] if why else []


def _ties_of(rows: Sequence[Row], figure: str) -> list[str]:
    """Return a line that names the best row and the rows that are not shown to differ from it.

    It is returned in a list, which is empty if no row could be compared with the best.
    """
    best = next((row for row in rows if row["best"]), None)
    compared = [row for row in rows if row["tied"] is not None and row is not best]
    if best is None or not compared:
        return []
    bold = f"Bold: the best in {figure}, {name_in_sentence(best)}"
    ties = list(dict.fromkeys(name_in_sentence(row) for row in compared if row["tied"]))
    if ties:
        named = ", ".join(ties) if len(ties) <= MOST_METHODS else f"{len(ties)} others"
        return [f"{bold}. {TIE_MARK}: not shown to differ from it (5 %, Holm): {named}."]
    which = "every other row"
    if any(row["tied"] is None for row in rows):
        which += " that could be compared"
    return [f"{bold}; {which} is worse (5 %, Holm)."]


def _few_seeds_of(rows: Sequence[Row]) -> list[str]:
    """Return a line on rows of too few seeds, with the command for more, in a list, empty if there are none."""
    few = [row for row in rows if row.too_few_seeds and row["tied"] is None and not row.undertrained]
    best = next((row for row in rows if row["best"]), None)
    if not few or best is None or len(rows) < 2:
        return []
    names = list(dict.fromkeys(name_in_sentence(row) for row in few))
    named = ", ".join(names) if len(names) <= MOST_METHODS else f"{len(names)} rows"
    what = f"Fewer than three seeds tell of these trained models, not of their methods: {named}."
    compared = "They are not compared with the best."
    if best.too_few_seeds:
        compared = "No row is compared with the best, which is one of them."
    return [f"{what} {compared} Get three with: {commands_for_seeds(few)[0]}"]


def stands_out(figure: str) -> Callable[[Line], bool]:
    """Return a function that says whether a row's `figure` is bold, as the row is the best in that figure.

    figure: 'accuracy' or 'macro_f1'. Rows are compared in macro-F1 where images have several labels, else in accuracy.
    A row that nothing could be compared with is not bold.
    """
    return lambda row: bool(row["best"] and row["tied"]) and _decides(figure, row)


def level_with_best(figure: str) -> Callable[[Line], str]:
    """Return a function that gives TIE_MARK for a row not shown to differ from the best in `figure`, else ''."""
    return lambda row: TIE_MARK if row["tied"] and not row["best"] and _decides(figure, row) else ""


def _decides(figure: str, row: Line) -> bool:
    return bool(row.get("several_labels")) == (figure == "macro_f1")
