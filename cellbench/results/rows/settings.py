"""The settings of rows: which of them were chosen, and in which of them rows differ.

Some settings follow from the number of training images: they differ from size to size, and nobody chose them.
"""

import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ...core.mixed_values import SettingValues

if TYPE_CHECKING:
    from .row import Line, Row

AUTO = "auto"


def follows(row: "Line") -> set[str]:
    """Return the names of the settings that follow from the number of training images; none for older records."""
    return set(json.loads(row.get("follows") or "[]"))


def fixed_params(row: "Line") -> SettingValues:
    """Return a row's params without those that follow from the number of training images.

    They are equal for rows of a method that differ only in the number of images.
    """
    names = follows(row)
    return {name: value for name, value in json.loads(row["params"]).items() if name not in names}


def params_as_asked(row: "Line") -> SettingValues:
    """Return a row's params with AUTO as the value of those that follow from the number of training images."""
    return {**json.loads(row["params"]), **dict.fromkeys(follows(row), AUTO)}


def seeds_matter(row: "Line") -> bool:
    """Whether the random seed changes the results of a row.

    Older records do not say. For these, it is true of all methods but SVMs on features that no net learnt.
    """
    if row.get("seeded") is not None:
        return bool(row["seeded"])
    return row["family"] != "svm" or "net" in json.loads(row["params"])


def with_settings(rows: "Sequence[Row]", without: Collection[str] = ()) -> "list[Row]":
    """Return the rows with a column 'settings': the changed settings, and those that differ between rows of a method.

    without: names of settings to leave out, as they have a column already.
    """
    texts: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        for name, value in _all_settings(row).items():
            texts.setdefault((row.method, name), set()).add(plain(value))
    found: list[Row] = []
    for row in rows:
        differ = {k: v for k, v in _all_settings(row).items() if len(texts[row.method, k]) > 1}
        settings = {**differ, **json.loads(row.overrides)}
        shown = {name: value for name, value in settings.items() if name not in without}
        found.append(row.having(settings=listed(shown)))
    return found


def _all_settings(row: "Row") -> SettingValues:
    return {
        **json.loads(row.preprocessing),
        **params_as_asked(row),
        **{name: row[name] for name in ("revision", "deterministic")},
    }


def listed(settings: SettingValues) -> str:
    return ", ".join(f"{name}={plain(value)}" for name, value in sorted(settings.items()))


def plain(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}" if abs(value) >= 1e6 or isinstance(value, float) else str(value)
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
