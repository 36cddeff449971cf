"""Every run on a separate line: what was done, and what distinguishes it from the others."""

import json
from collections import Counter
from collections.abc import Sequence

from ....core.text.words import counted
from ....results.results import Results
from ....results.rows.row import Line, Row, as_rows, grouped_by
from ....results.rows.settings import with_settings
from ..table import PERCENT, SECONDS, Column, Table


def runs(results: Results) -> Table:
    """Return a table of all runs, in the order of data set, split, limit, method and seed.

    The value of `epochs` is None for a run of a method without epochs.
    """
    frame = results.frame.sort_values(
        ["dataset", "split", "limit", "method", "seed"], na_position="first", kind="stable"
    )
    rows = [
        {**row, "epochs": json.loads(row["params"]).get("epochs"), "remark": row["reason"]}
        for group in grouped_by(map(Row, as_rows(frame)), ("dataset",))
        for row in with_settings(group, without=("epochs",))
    ]
    tally = Counter(row["status"] for row in rows)
    outcome = ", ".join(f"{n:,} {status}" for status, n in tally.items())
    return Table("runs", f"{counted(len(rows), 'run')}: {outcome}", COLUMNS, tuple(rows))


def _content_varies(rows: Sequence[Line]) -> bool:
    """Return whether two data sets share a name, so that only their content tells them apart."""
    return len({(row["dataset"], row["fingerprint"]) for row in rows}) > len({row["dataset"] for row in rows})


def _limited(rows: Sequence[Line]) -> bool:
    return any(row["limit"] for row in rows)


COLUMNS = (
    Column("machine", "machine", label=True, when="varies", spare=1),
    Column("dataset", "data set", label=True),
    Column(lambda row: row["fingerprint"][:8], "content", label=True, when=_content_varies),
    Column("split", "split", label=True),
    Column(lambda row: f"{row['limit']:,}" if row["limit"] else "all", "limit", label=True, when=_limited),
    Column("method", "method", label=True),
    Column("settings", "settings", label=True, when="any"),
    Column(lambda row: None if row["epochs"] is None else str(row["epochs"]), "epochs", label=True, when="any"),
    Column(lambda row: str(row["seed"]), "seed", label=True),
    Column("device", "device", label=True),
    Column("status", "status", label=True),
    Column("test_accuracy", "test\naccuracy", PERCENT, when="any"),
    Column("test_macro_f1", "test\nmacro-F1", PERCENT),
    Column("train_seconds", "training", SECONDS),
    Column("path", "file", label=True, spare=2),
)
