"""The rows of a frame that conditions such as `method=svm-*` or `C!=10` choose."""

import json
import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pandas as pd

from ...core.errors import UsageError, did_you_mean
from .settings import plain

FORM = re.compile(r"\s*([\w-]+)\s*(<=|>=|!=|=|<|>)\s*(.*?)\s*")
ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
NONE = "none"


def rows_where(frame: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """Return the rows of the frame that fulfil all conditions; of several with = on one name, one is enough.

    A condition is NAME, one of = != < > <= >=, and a value: a number, or text with * and ? as in file names; 'none' is
    a missing value. NAME is a column of the frame, or a setting of the method or of preprocessing. Raises UsageError
    for a condition that cannot be read, an unknown name, or when no row is left.
    """
    kept = holding(frame, conditions)
    if not kept.any():
        raise UsageError(f"no result has {' and '.join(conditions)}; {_had(frame, conditions)}")
    return frame[kept]


def holding(frame: pd.DataFrame, conditions: Sequence[str]) -> pd.Series:
    """Return for each row of the frame whether it fulfils all conditions, as `rows_where` takes them.

    Raises UsageError for a condition that cannot be read and for an unknown name.
    """
    alternatives: dict[str, list[pd.Series]] = {}
    for condition in conditions:
        name, sign, wanted = _read(condition)
        holds = _values(frame, name).map(lambda value, s=sign, w=wanted: _holds(value, s, w)).astype(bool)
        alternatives.setdefault(name if sign == "=" else condition, []).append(holds)
    kept = pd.Series(True, frame.index)
    for several in alternatives.values():
        kept &= np.logical_or.reduce(several)
    return kept


def _read(condition: str) -> tuple[str, str, str]:
    found = FORM.fullmatch(condition)
    if not found:
        raise UsageError(f"{condition!r} is no condition; write NAME=VALUE, such as method=svm-* or limit>=1000")
    name, sign, wanted = found.groups()
    if sign in ORDERS and _number(wanted) is None:
        raise UsageError(f"{condition!r} compares with {wanted!r}, which is no number; {sign} takes a number")
    return name, sign, wanted


def _values(frame: pd.DataFrame, name: str) -> pd.Series:
    if name in frame:
        return frame[name]
    settings = frame["preprocessing"].map(json.loads).combine(frame["params"].map(json.loads), lambda a, b: {**a, **b})
    known = {setting for row in settings for setting in row}
    if name not in known:
        raise UsageError(f"results have no column or setting {name!r}; {did_you_mean(name, {*frame.columns, *known})}")
    return settings.map(lambda row: row.get(name))


def _holds(value: Any, sign: str, wanted: str) -> bool:
    missing = not isinstance(value, list) and (value is None or bool(pd.isna(value)))
    if sign in ORDERS:
        number = None if missing or isinstance(value, list | bool) else _number(str(value))
        limit = _number(wanted)
        return number is not None and limit is not None and ORDERS[sign](number, limit)
    text = NONE if missing else plain(value.item() if isinstance(value, np.generic) else value)
    number = None if isinstance(value, str) else _number(text)  # class 01 is not class 1
    same = text == wanted or fnmatchcase(text, wanted) or (number is not None and number == _number(wanted))
    return same if sign == "=" else not same


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _had(frame: pd.DataFrame, conditions: Sequence[str]) -> str:
    """Return a clause with up to 12 of the values that the name in the first condition has in the frame."""
    name = _read(conditions[0])[0]
    values = _values(frame, name)
    texts = sorted({NONE if not isinstance(v, list) and pd.isna(v) else plain(v) for v in values if v is not None})
    return f"{name} is {', '.join(texts[:12])}{' …' if len(texts) > 12 else ''}"
