"""Settings that follow from the number of training images: they differ from size to size, and nobody chose them."""

import json
from typing import Any

from .table import Row

AUTO = "auto"


def follows(row: Row) -> set[str]:
    """Names of these settings; empty for older records, which do not list them."""
    return set(json.loads(row.get("follows") or "[]"))


def fixed_params(row: Row) -> dict[str, Any]:
    """A row's params without such settings: rows of a method that differ in size alone have the same."""
    names = follows(row)
    return {name: value for name, value in json.loads(row["params"]).items() if name not in names}


def params_as_asked(row: Row) -> dict[str, Any]:
    """A row's params as somebody asked for them: AUTO for such settings."""
    return {**json.loads(row["params"]), **dict.fromkeys(follows(row), AUTO)}
