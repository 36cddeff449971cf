"""Scores of images as a data set in the layout of Hugging Face's hub: Parquet files, and a card that describes them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..core.extras import EXTRAS
from ..core.records.store import write_whole_folder
from ..core.text.words import file_name
from .cells import ExportedRun, Selection
from .tables import parquet

SPLITS = {"val": "validation", "test": "test"}  # what the hub calls them


def write_huggingface(selection: Selection, output: Path) -> None:
    """Write the folder `output`: for each data set a configuration with the splits validation and test, and README.md.

    It holds scores and labels, no images. Raises BackendError if pyarrow is missing.
    """
    EXTRAS["parquet"].require("--to huggingface")
    selection.leave_out_unpredicted()
    by_name: dict[str, list[ExportedRun]] = {}
    for one in selection.runs:
        by_name.setdefault(file_name(one.row.dataset), []).append(one)
    with write_whole_folder(output) as folder:
        for name, runs in by_name.items():
            (folder / name).mkdir()
            part_of = replace(selection, runs=runs)
            part_of.check_classes()
            for part in _parts(runs):
                parquet(part_of.frames((part,)), folder / name / f"{SPLITS[part]}.parquet")
        (folder / "README.md").write_text(_card(selection, by_name), encoding="utf-8")


def _parts(runs: Sequence[ExportedRun]) -> list[str]:
    """Return the parts of a data set that a run has predictions of."""
    return [part for part in SPLITS if any(one.run.predicted(part) is not None for one in runs)]


def _card(selection: Selection, by_name: dict[str, list[ExportedRun]]) -> str:
    """Return the card: what the hub reads at its head, then what people read."""
    head = ["---", "license: other", "tags:", "- cellbench", "- microscopy", "configs:"]
    for name, runs in by_name.items():
        head += [f"- config_name: {name}", "  data_files:"]
        for part in _parts(runs):
            head += [f"  - split: {SPLITS[part]}", f"    path: {name}/{SPLITS[part]}.parquet"]
    text = [
        "---",
        "",
        "# Scores of single cells by classifiers",
        "",
        "Each row is one image and one run: its label, what the classifier predicted and its score of every class, as "
        "`cellbench` recorded them. Scores are logits of nets and decision values of SVMs. No images are here; "
        "`id` is the file of an image in its data set and `index` its position.",
        "",
    ]
    for name, runs in by_name.items():
        text += _of_dataset(selection, name, runs)
    return "\n".join([*head, *text])


def _of_dataset(selection: Selection, name: str, runs: Sequence[ExportedRun]) -> list[str]:
    first = runs[0].run
    data = selection.data(first)
    facts = first.record.facts
    kind = "simulated" if facts.get("synthetic") else "real"
    lines = [
        f"## {name}",
        "",
        f"- Classes: {', '.join(first.classes)}",
        f"- Images: {kind}",
        f"- Licence of the images: {facts.get('licence', 'see the source')}",
    ]
    if data is not None:
        lines.append(f"- Source: {data.info.citation}")
    lines += ["", "| method | split | seed | run | test accuracy | test macro-F1 |", "|---|---|---|---|---|---|"]
    for one in runs:
        spec, test = one.run.record.spec, one.run.record.metrics.get("test", {})
        figures = [f"{test[metric]:.4f}" if metric in test else "–" for metric in ("accuracy", "macro_f1")]
        lines.append(f"| {spec.method} | {spec.split} | {spec.seed} | {spec.key} | {' | '.join(figures)} |")
    return [*lines, ""]
