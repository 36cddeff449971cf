"""The card of a model in Markdown: what it is, what it learnt from, how good it is, and how it is used."""

import json
from collections.abc import Sequence
from pathlib import Path

from ...core.machine.files import read_text
from ...core.mixed_values import Facts
from ...core.records.runs import RunRecord
from ...core.records.store import LARGEST_RECORD
from ...core.scoring.metrics import NAMED
from ...core.text.words import counted
from ...running.saved_models.models import Model

METRICS_SHOWN = ("accuracy", "macro_f1", "exact_match")


def card(model: Model, record: RunRecord | None, file: str, use: str, check: Sequence[str] = ()) -> str:
    """Return the card. record: of the run, where it is known. file: the exported file's name. use: how it is used.

    check: how the file agrees with the run, a line each.
    """
    facts: Facts = dict(record.facts) if record else {}
    return "\n".join(
        [
            "---",
            "tags:",
            "- cellbench",
            "- image-classification",
            "---",
            "",
            f"# {model.method} on {model.dataset}",
            "",
            f"`{file}`: {_what(model)}",
            "",
            "## Input and output",
            "",
            *_input(model),
            "",
            "## What it learnt from",
            "",
            *_data(model, facts),
            "",
            "## How good it is",
            "",
            *_figures(model),
            "",
            *[f"- {line[0].upper()}{line[1:]}." for line in check],
            *([""] if check else []),
            "## Licence",
            "",
            *_licence(facts),
            "",
            "## How to use it",
            "",
            use,
            "",
        ]
    )


def _what(model: Model) -> str:
    kind = "several labels an image" if model.multilabel else "one label an image"
    return (
        f"a classifier of images of single cells, {counted(len(model.classes), 'class', 'classes')}, {kind}, trained "
        f"by cellbench {model.version} with seed {model.seed}."
    )


def _input(model: Model) -> list[str]:
    steps = json.dumps(model.preprocessing, ensure_ascii=False)
    lines = [
        f"- Images: {model.height}×{model.width} pixels, {model.dtype}, channels in this order: "
        f"{', '.join(model.channels)}",
        f"- Classes in this order: {', '.join(model.classes)}",
        f"- Preprocessing, which is part of the model: {steps}",
    ]
    if model.reading.get("masks"):
        side = model.reading["side"]
        lines.append(f"- Cells must be cut out by their masks, on black, into squares of {side} pixels, unscaled")
    if model.multilabel:
        lines.append(f"- A label is given where its score exceeds its threshold: {model.thresholds}")
    return lines


def _data(model: Model, facts: Facts) -> list[str]:
    n = facts.get("n", {})
    lines = [
        f"- Data set: {model.dataset}, content {model.fingerprint}, split {model.split}",
        f"- Images: {'simulated, so nothing is known about real cells' if model.synthetic else 'real'}",
    ]
    if n:
        lines.append(f"- Numbers of images: {n['train']:,} train, {n['val']:,} val, {n['test']:,} test")
    elif model.limit:
        lines.append(f"- Numbers of images: {model.limit:,} train")
    if facts.get("groups"):
        groups = ", ".join(f"{count:,} {part}" for part, count in facts["groups"].items())
        lines.append(f"- Groups (wells, slides or patients): {groups}")
    return lines


def _figures(model: Model) -> list[str]:
    shown = [name for name in (*METRICS_SHOWN, "n") if name in model.metrics["test"]]
    titles = ["images" if name == "n" else NAMED[name].title for name in shown]
    lines = [f"| part | {' | '.join(titles)} |", f"|---{'|---' * len(shown)}|"]
    for part in ("val", "test"):
        figures = [model.metrics[part].get(name) for name in shown]
        cells = [
            "–" if value is None else f"{value:,.0f}" if name == "n" else f"{value:.4f}"
            for name, value in zip(shown, figures, strict=True)
        ]
        lines.append(f"| {part} | {' | '.join(cells)} |")
    return [*lines, "", "Settings were chosen on val; test was scored once. Other microscopes may give other figures."]


def _licence(facts: Facts) -> list[str]:
    lines = [f"- Images that it learnt from: {facts.get('licence') or 'see the source of the data set'}"]
    if weights := facts.get("licence_of_encoder") or facts.get("weights_licence"):
        lines.append(f"- Weights that it started from: {weights}")
    return [*lines, "- The model itself: its maker's to say, within what these licences allow"]


def record_beside(file: Path) -> RunRecord | None:
    """Return the record that lies beside a model's file, or None if there is none that can be read."""
    try:
        return RunRecord.from_json(read_text(file.with_suffix(".json"), LARGEST_RECORD))
    except (OSError, ValueError):
        return None
