"""The charts of `cellbench plot` for the report: the same charts, wide and narrow, with a table beside each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ...core.mixed_values import Document
from ...results.results import Results
from ..charts.chart import Chart
from ..charts.layers import Column
from ..charts.registry import ChartKind, kinds, outcomes
from ..charts.render import panels
from ..charts.style import CONFIG, NARROW, WIDTH


@dataclass(frozen=True)
class ReportChart:
    kind: ChartKind
    dataset: str
    split: str
    chart: Chart

    @property
    def lines(self) -> list[list[str]]:
        """The lines of the table beside the chart; columns without any value are left out, in `heads` too."""
        return [[column.text(point.get(column.field)) for column in self._columns] for point in self.chart.points]

    @property
    def heads(self) -> list[str]:
        return [column.title for column in self._columns]

    @property
    def numbers(self) -> list[bool]:
        return [column.form != "text" for column in self._columns]

    @property
    def _columns(self) -> list[Column]:
        return [
            c for c in self.chart.columns if any(point.get(c.field) not in (None, "") for point in self.chart.points)
        ]


def figures(results: Results, runs: str, conditions: Sequence[str]) -> list[ReportChart]:
    """Every chart that the results allow, in the order of kinds."""
    found = outcomes(results, list(kinds()), runs, conditions)
    return [ReportChart(one.kind, one.dataset, one.split, one.chart) for one in found if one.chart]


def specifications(drawn: Sequence[ReportChart]) -> str:
    """Return the specifications for the page's script, as JSON that is safe inside HTML.

    Its keys: `charts`, each `wide` and `narrow`; `datasets`, the data that charts refer to by name; and `config`, the
    look of all charts.
    """
    datasets: Document = {}
    charts = []
    for figure in drawn:
        chart = {"wide": panels(figure.chart, WIDTH), "narrow": panels(figure.chart, NARROW)}
        for spec in chart.values():
            datasets |= spec.pop("datasets")
        charts.append(chart)
    whole = {"config": CONFIG, "datasets": datasets, "charts": charts}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
