"""Combines small Altair charts into one: on top of each other, below each other, or side by side.

Altair's own `layer` and `vconcat` copy all that lies below them several times, which takes seconds for a chart of many
panels; here they are joined as plain specifications.
"""

import hashlib
import json
from typing import Any

import altair as alt

from ...core.mixed_values import Document, Facts

Spec = Document
Part = alt.TopLevelMixin | Spec


def spec_of(part: Part) -> Spec:
    """Return a part as a specification that contains its data, without the schema version and the configuration."""
    if isinstance(part, dict):
        return part
    whole: Spec = part.to_dict(validate=False)
    datasets = whole.pop("datasets", {})
    for name in ("$schema", "config"):
        whole.pop(name, None)
    found: Spec = inlined(whole, datasets)
    return found


def layered(*parts: Part, **properties: object) -> Spec:
    """Return the parts drawn on top of each other, the last on top. properties: width, height, title …"""
    return {"layer": [spec_of(part) for part in parts], **properties}


def stacked(*parts: Part, **properties: object) -> Spec:
    """Return the parts one below another."""
    return {"vconcat": [spec_of(part) for part in parts], **properties}


def grid(*parts: Part, columns: int, **properties: object) -> Spec:
    """Return the parts side by side, `columns` of them in each line."""
    return {"concat": [spec_of(part) for part in parts], "columns": columns, **properties}


def independent(*channels: str) -> dict[str, dict[str, str]]:
    """Return the value of `resolve` that gives each panel separate scales and legends for these channels."""
    apart = dict.fromkeys(channels, "independent")
    return {"scale": apart, "legend": apart}


def complete_specification(part: Part, config: Facts | None = None) -> Spec:
    """Return a complete specification, in which data that several layers share is written once."""
    datasets: Document = {}
    spec = _shared(spec_of(part), datasets)
    look = {"config": dict(config)} if config else {}
    return {"$schema": alt.SCHEMA_URL, **look, **spec, "datasets": datasets}


def inlined(part: Any, datasets: Facts) -> Any:
    """Return a part with its data in place of the names that refer to `datasets`; the inverse of `_shared`."""
    if isinstance(part, list):
        return [inlined(one, datasets) for one in part]
    if not isinstance(part, dict):
        return part
    found = {name: inlined(value, datasets) for name, value in part.items() if name != "data"}
    if "data" in part:
        name = part["data"].get("name")
        found["data"] = {"values": datasets[name]} if name in datasets else part["data"]
    return found


def _shared(part: Any, datasets: Document) -> Any:
    if isinstance(part, list):
        return [_shared(one, datasets) for one in part]
    if not isinstance(part, dict):
        return part
    found = {name: _shared(value, datasets) for name, value in part.items() if name != "data"}
    if "data" in part:
        values = part["data"]["values"]
        name = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]
        datasets[name] = list(values)
        found["data"] = {"name": name}
    return found
