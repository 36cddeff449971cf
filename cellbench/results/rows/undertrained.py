"""Which rows were not trained enough to say anything about their method."""

import json
from collections.abc import Mapping, Sequence

from ...core.mixed_values import Document
from .row import Line
from .settings import fixed_params

FAR = 0.10  # train error above the lowest one of rows of the same kind, as a fraction
AMOUNT = ("epochs", "batch", "lr")  # settings that say how long and how fast a net is trained
NOT_ENOUGH = "not trained enough"
SAME_KIND = ("dataset", "fingerprint", "split", "limit", "val_limit", "preprocessing", "method", "revision")


def with_undertrained(rows: Sequence[Line]) -> list[Document]:
    """Return the rows with the column `undertrained`: why a row was not trained enough, or None.

    The reason is the one on record, else one found by comparison: the row's train error is more than FAR above the
    lowest train error of rows on the same data with the same method and settings, except for those of AMOUNT. The
    reason is also put at the start of the row's remark.
    """
    least: dict[str, float] = {}
    for row in rows:
        if (error := _train_error(row)) is not None:
            least[_kind(row)] = min(error, least.get(_kind(row), error))
    return [_with_reason(row, row.get("undertrained") or _far_behind(row, least)) for row in rows]


def _with_reason(row: Line, reason: str | None) -> Document:
    if reason is None or row["status"] != "ok":
        return {**row, "undertrained": None}
    remark = "; ".join(filter(None, [f"{NOT_ENOUGH}: {reason}", row["remark"]]))
    return {**row, "undertrained": reason, "remark": remark}


def _far_behind(row: Line, least: Mapping[str, float]) -> str | None:
    error = _train_error(row)
    if error is None or error <= least[_kind(row)] + FAR:
        return None
    best = least[_kind(row)]
    return f"{100 * error:.1f} % wrong on train, where other settings came to {100 * best:.1f} %"


def _train_error(row: Line) -> float | None:
    value = row.get("train_macro_f1" if row.get("several_labels") else "train_accuracy")
    return None if value is None or row["status"] != "ok" else 1 - value


def _kind(row: Line) -> str:
    params = {name: value for name, value in fixed_params(row).items() if name not in AMOUNT}
    return json.dumps([*(row.get(name) for name in SAME_KIND), params], sort_keys=True)
