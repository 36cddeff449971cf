"""Small Altair charts put together: on one another, below each other, side by side.

Altair's own `layer` and `vconcat` copy all that lies below them several times, which takes seconds for a chart of many
panels; here they are joined as plain specifications.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import altair as alt

Spec = dict[str, Any]
Part = alt.TopLevelMixin | Spec


def spec_of(part: Part) -> Spec:
    """A part as a specification with its data in it, without version and look."""
    if isinstance(part, dict):
        return part
    whole: Spec = part.to_dict(validate=False)
    datasets = whole.pop("datasets", {})
    for name in ("$schema", "config"):
        whole.pop(name, None)
    return inlined(whole, datasets)


def layered(*parts: Part, **properties: Any) -> Spec:
    """One on another, the last on top; properties: width, height, title …"""
    return {"layer": [spec_of(part) for part in parts], **properties}


def stacked(*parts: Part, **properties: Any) -> Spec:
    """One below another."""
    return {"vconcat": [spec_of(part) for part in parts], **properties}


def grid(*parts: Part, columns: int, **properties: Any) -> Spec:
    """Side by side, so many in a line."""
    return {"concat": [spec_of(part) for part in parts], "columns": columns, **properties}


def independent(*channels: str) -> dict[str, dict[str, str]]:
    """For `resolve`: panels that each have scales and keys of their own on these channels."""
    apart = dict.fromkeys(channels, "independent")
    return {"scale": apart, "legend": apart}


def whole(part: Part, config: Mapping[str, Any] | None = None) -> Spec:
    """A specification that stands alone, data that several layers share written once."""
    datasets: dict[str, Any] = {}
    spec = _shared(spec_of(part), datasets)
    look = {"config": dict(config)} if config else {}
    return {"$schema": alt.SCHEMA_URL, **look, **spec, "datasets": datasets}


def inlined(part: Any, datasets: Mapping[str, Any]) -> Any:
    """A part with its data in it, as `_shared` took them out."""
    if isinstance(part, list):
        return [inlined(one, datasets) for one in part]
    if not isinstance(part, dict):
        return part
    found = {name: inlined(value, datasets) for name, value in part.items() if name != "data"}
    if "data" in part:
        name = part["data"].get("name")
        found["data"] = {"values": datasets[name]} if name in datasets else part["data"]
    return found


def _shared(part: Any, datasets: dict[str, Any]) -> Any:
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
