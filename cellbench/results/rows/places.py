"""Where runs stand together: draws of one split are pooled, and rows of unlike draws are not compared."""

from collections.abc import Iterator

import pandas as pd

from ...core.records.runs import canonical_text
from ...core.split_names import draws_in, named, rule_of
from .row import as_rows
from .settings import fixed_params

OF_PLACE = ("dataset", "fingerprint", "rule", "limit")
OF_SIZE = ["params", "val_limit"]  # they may follow from the number of training images, which differs from draw to draw


def in_places(frame: pd.DataFrame, row: tuple[str, ...]) -> pd.DataFrame:
    """Return the runs with all draws of a split as one split, 'id-block@0-4', and their number in the column `draw`.

    Runs of a row (equal values in the columns `row` but for the draw) are pooled over its draws. So that figures side
    by side are of the same draws, a row stands in each place whose draws it has: if another row has draw 0 alone, runs
    of draws 0 to 4 count for 'id-block@0-4' and, those of draw 0, for 'id-block' as well.
    """
    if not frame["split"].str.contains("@").any():
        return frame.assign(draw=0)
    frame = frame.assign(
        rule=frame["split"].map(rule_of),
        draw=frame["split"].map(lambda name: draws_in(name)[0]),
        settings_of_all_sizes=[canonical_text(fixed_params(line)) for line in as_rows(frame[["params", "follows"]])],
    )
    found: list[pd.DataFrame] = []
    for _, place in frame.groupby(list(OF_PLACE), dropna=False, sort=False):
        rows = list(_rows(place, row))
        for draws in dict.fromkeys(_draws(one) for one in rows):
            found += [_pooled(one, draws) for one in rows if set(draws) <= set(_draws(one))]
    return pd.concat(found)[[*(name for name in frame if name not in ("rule", "settings_of_all_sizes"))]]


def _rows(place: pd.DataFrame, row: tuple[str, ...]) -> Iterator[pd.DataFrame]:
    """Yield the runs of each row of a place, with all of its draws."""
    exact = [name for name in row if name != "split"]
    loose = [*(name for name in exact if name not in OF_SIZE), "settings_of_all_sizes"]
    for _, alike in place.groupby(loose, dropna=False, sort=False):
        one_size = alike.groupby("draw")[OF_SIZE].nunique(dropna=False).max(axis=None) == 1
        yield from [alike] if one_size else (one for _, one in alike.groupby(exact, dropna=False, sort=False))


def _draws(runs: pd.DataFrame) -> tuple[int, ...]:
    return tuple(sorted(set(runs["draw"])))


def _pooled(runs: pd.DataFrame, draws: tuple[int, ...]) -> pd.DataFrame:
    """Return the runs of some draws of a row, as those of one split; settings of their sizes are those of the first."""
    kept = runs[runs["draw"].isin(draws)].sort_values("draw", kind="stable")
    alike = {name: [kept[name].iloc[0]] * len(kept) for name in (*OF_SIZE, "follows")}
    return kept.assign(split=named(kept["rule"].iloc[0], draws), **alike).astype(runs.dtypes.to_dict())
