"""Adds a toy of each kind, each in one place, runs commands on the folder of records `records`, and prints as JSON what
each command wrote. A program, as the toys have to be there before the commands are imported."""

# ruff: noqa: E402  (each toy has to be there before what lists its kind is imported)

import dataclasses
import json
import shutil
from pathlib import Path

from cellbench.core import suites
from cellbench.core.scoring import metrics

METRIC = dataclasses.replace(metrics.exact_match, name="toy_share", title="toy share")
metrics.METRICS = (*metrics.METRICS, METRIC)
metrics.NAMED[METRIC.name] = METRIC

SUITE = """
title = "What a toy suite asks"
source = "nobody"
dataset = "toy-set"

[[entries]]
id = "toy-entry"
label = "toy label"
method = "toy-method"
"""
shutil.copytree(str(suites.FOLDER), "suites")
suites.FOLDER = Path("suites")
Path("suites", "toy-suite.toml").write_text(SUITE, encoding="utf-8")

from click.testing import CliRunner
from torch import nn

from cellbench import dataset, method
from cellbench.datasets.registry import datasets
from cellbench.datasets.toy import rings
from cellbench.methods.deep import register_net
from cellbench.methods.registry import methods
from cellbench.reporting.charts import registry
from cellbench.reporting.charts.kinds.bars import bars
from cellbench.reporting.tables.registry import VIEWS, View

methods.entries(), datasets.entries(), registry.kinds()  # the toys come after those of the package


@method("toy-method", "what a toy method is", family="classic")
def toy_method(train, val, log):
    return lambda images: images.mean((1, 2, 3))[:, None]


@register_net("toy-net", "what a toy net is")
def toy_net(channels, classes, size):
    return nn.Flatten()


@dataset("toy-set", "what a toy set is", licence="none", size="small", made_on_demand=True)
def toy_set(scratch, source):
    return rings()


registry.chart("toy-chart", "A toy chart", "what a toy chart shows", place=5)(bars)
VIEWS["toy-view"] = View("leaderboard:leaderboard", "what a toy view shows", on_request=True)

from cellbench.cli import cli

COMMANDS = {
    "list methods": "list methods",
    "list datasets": "list datasets",
    "list suites": "list suites",
    "table": "table records",
    "table of data": "table records --view leaderboard --format csv",
    "view": "table records --view toy-view",
    "claims": "table records --suite toy-suite",
    "table --help": "table --help",
    "plot --help": "plot --help",
    "plot": "plot toy-chart records",
    "chart": "plot bars records --dataset toy-set -o chart.json",
    "page": "report records --no-cells -o page.html",
}
written = {}
for name, command in COMMANDS.items():
    outcome = CliRunner().invoke(cli, command.split(), prog_name="cellbench", terminal_width=200)
    assert outcome.exit_code == 0, (command, outcome.output, outcome.exception)
    written[name] = outcome.stdout
for name in ("chart.json", "page.html"):
    written[Path(name).stem] += Path(name).read_text(encoding="utf-8")
print(json.dumps(written))
