"""What a chart draws, read from its specification: marks with their data, as Vega gets them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cellbench.reporting.charts.chart import Chart
from cellbench.reporting.charts.render import panels
from cellbench.reporting.charts.style import WIDTH


@dataclass(frozen=True)
class Layer:
    """panel: the title of the panel that it lies in. look: what all its marks have in common."""

    panel: str
    mark: str
    look: dict[str, Any]
    encoding: dict[str, Any]
    data: list[dict[str, Any]]

    def values(self, *channels: str) -> list[tuple[Any, ...]]:
        """Of each datum what stands on the channels."""
        fields = [self.encoding[channel]["field"] for channel in channels]
        return [tuple(datum.get(field) for field in fields) for datum in self.data]


def layers(chart: Chart, mark: str = "", panel: str = "", width: float = WIDTH) -> list[Layer]:
    """All layers, the lowest first; mark, panel: only those of them."""
    spec = panels(chart, width)
    found = _layers(spec, spec["datasets"], "")
    return [one for one in found if mark in ("", one.mark) and panel in ("", one.panel)]


def views(chart: Chart, width: float = WIDTH) -> list[dict[str, Any]]:
    """The coordinate systems: what has a width and a height."""
    return list(_views(panels(chart, width)))


def texts(chart: Chart, panel: str = "", width: float = WIDTH) -> list[str]:
    """What is written within the panels, each once."""
    found = [value for one in layers(chart, "text", panel, width) for (value,) in one.values("text")]
    return list(dict.fromkeys(text for text in found if text))


def _layers(spec: dict[str, Any], datasets: dict[str, Any], panel: str) -> Iterator[Layer]:
    panel = spec.get("title", panel)
    for name in ("layer", "vconcat", "concat"):
        for part in spec.get(name, ()):
            yield from _layers(part, datasets, panel)
    if "mark" in spec:
        mark = dict(spec["mark"])
        yield Layer(panel, mark.pop("type"), mark, spec.get("encoding", {}), datasets[spec["data"]["name"]])


def _views(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "width" in spec:
        yield spec
    for name in ("vconcat", "concat"):
        for part in spec.get(name, ()):
            yield from _views(part)
