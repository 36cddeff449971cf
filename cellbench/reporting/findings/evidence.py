"""The evidence on a claim: the pooled rows that its conditions choose, paired for comparison, and as plain data."""

import json
import re
from collections.abc import Sequence

from ...core.errors import UsageError
from ...core.mixed_values import Document, SettingValues
from ...core.suites import titled
from ...results.certainty import over_of
from ...results.rows import selection
from ...results.rows.ranking import best_on_val, main_figure
from ...results.rows.row import DATA, HARDWARE, Row, grouped_by
from ..captions import name_in_sentence
from .claim import Claim

Evidence = Document
LONGEST = 40  # characters of settings that a sentence repeats; longer ones are left out


def matching(rows: Sequence[Row], conditions: Sequence[str]) -> list[Row]:
    """Return the rows for which the conditions hold; an empty list where none does or no row has such a setting."""
    asked = {re.split(r"[<>!=]", condition)[0].strip() for condition in conditions}
    try:
        return selection.matching(rows, conditions, [name for name in asked if rows and name in rows[0]])
    except UsageError:
        return []


def sides(claim: Claim, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows that belong to side a of the claim, and those that belong to side b."""
    return matching(rows, [*claim.both, *claim.a]), matching(rows, [*claim.both, *claim.b])


def places(a: Sequence[Row], b: Sequence[Row], names: Sequence[str] = DATA) -> list[tuple[list[Row], list[Row]]]:
    """Return pairs of lists of rows, those of a and those of b that have the same values of the columns `names`.

    Values that only one side has are left out.
    """
    of_a, of_b = (
        {tuple(group[0][name] for name in names): group for group in grouped_by(side, names)} for side in (a, b)
    )
    return [(of_a[place], of_b[place]) for place in of_a if place in of_b]


def pairs(claim: Claim, a: Sequence[Row], b: Sequence[Row], names: Sequence[str] = DATA) -> list[tuple[Row, Row]]:
    """Return the pairs of a row of a and a row of b that are compared, see `rivals`."""
    return [(one, other) for one, others in rivals(claim, a, b, names) for other in others]


def rivals(
    claim: Claim, a: Sequence[Row], b: Sequence[Row], names: Sequence[str] = DATA, among: str = ""
) -> list[tuple[Row, list[Row]]]:
    """Return rows of a, each with the rows of b that it is compared with.

    Without `apart` that is, for each combination of values of the columns `names`, the best row of a on val with the
    best row of b; with `among`, the best row of b for each value of that column or setting. With `apart` it is every
    row of a with the rows of b that differ from it in nothing else; `names` and `among` are then not used.
    """
    if "method" in claim.apart:
        met = [(one, [other for other in b if _have_equal(claim.apart, one, other)]) for one in a]
        return [(one, others) for one, others in met if others]
    if claim.apart:
        twins: dict[str, list[Row]] = {}
        for row in b:
            twins.setdefault(_all_but(claim.apart, row), []).append(row)
        return [(one, twins[key]) for one in a if (key := _all_but(claim.apart, one)) in twins]
    found = []
    for of_a, of_b in places(a, b, names):
        kinds = {setting(row, among) for row in of_b} if among else {None}
        best = [
            best_on_val([r for r in of_b if not among or setting(r, among) == kind]) for kind in sorted(kinds, key=str)
        ]
        found.append((best_on_val(of_a), [row for row in best if row]))
    return [(one, others) for one, others in found if one and others]


def setting(row: Row, name: str) -> object:
    """Return the value of a row's column, or of its setting where there is no such column; None without either."""
    return row[name] if name in row else _settings(row).get(name)


def _settings(row: Row) -> SettingValues:
    return {**json.loads(row.preprocessing), **json.loads(row.params)}


def _have_equal(apart: Sequence[str], one: Row, other: Row) -> bool:
    """Return whether all settings that the user changed in either row, but for `apart`, are the same in both.

    Settings that were changed in neither may differ, as methods have different defaults. The rows also have to be of
    the same data, split, limit and hardware.
    """
    names = {name for row in (one, other) for name in json.loads(row.overrides)} - set(apart)
    first, second = (_settings(row) for row in (one, other))
    same_place = all(one[name] == other[name] for name in (*DATA, *HARDWARE))
    return same_place and all(first.get(name) == second.get(name) for name in names)


def _all_but(apart: Sequence[str], row: Row) -> str:
    """Return a key that is equal for two rows that differ in the settings `apart` alone.

    It has the data, split, limit, hardware, method and all other settings.
    """
    same = {name: value for name, value in _settings(row).items() if name not in apart}
    return json.dumps([[str(row[name]) for name in (*DATA, *HARDWARE, "method")], same], sort_keys=True)


def figure_of(claim: Claim, row: Row) -> str:
    return claim.figure or main_figure([row])


def evidence_of(row: Row, figure: str) -> Evidence:
    """Return a row as evidence, in plain data; figure: a metric of test, or a key of the row ('train_seconds')."""
    of_test = f"test_{figure}" in row
    name = f"test_{figure}" if of_test else figure
    span = row.interval(figure) if of_test else None
    return {
        **{key: row[key] for key in ("method", "settings", "dataset", "split", "device", "machine")},
        "n": row.n_train,
        "seeds": list(row.seeds),
        "simulated": bool(row.synthetic),
        "figure": titled(name),
        "key": name,
        "value": row.get(name),
        "sd": row.get(f"{name}_sd"),
        "low": span.low if span else None,
        "high": span.high if span else None,
        "over": over_of(row, span),
    }


def brief_name(row: Row) -> str:
    """Return the name of a row for use in a sentence: its method, and its settings unless they are long."""
    return name_in_sentence(row) if len(row.settings or "") <= LONGEST else row.method
