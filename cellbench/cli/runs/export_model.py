"""cellbench export-model: saved models in the formats of other programs."""

from pathlib import Path

import click

from ...exports.models.formats import FORMATS
from ..options import USER_PATH

_EACH = "\n".join(f"{name:<13}{summary}" for name, summary in FORMATS.items())
HELP = f"""
Write a saved MODEL in a format that other programs run.

\b
{_EACH}

ONNX takes raw images and gives scores and labels: what preprocessing and the net, probe or SVM do is in the file, which
is then run by onnxruntime on test images and compared. SVMs on texture and other hand-made features cannot be
exported so. Beside the file stands a card, in Markdown: data, classes, channels, figures, licence. See docs/export.md.

\b
Examples:
  cellbench export-model results/.../resnet18/s0-1a2b3c4d5e6f.model --to onnx
  cellbench export-model svm-hog.model --to onnx -o svm-hog.onnx
"""


@click.command("export-model", help=HELP)
@click.argument("model", type=USER_PATH)
@click.option("--to", type=click.Choice(list(FORMATS)), required=True, help="What to write.")
@click.option("-o", "--output", type=USER_PATH, help="File to write (default: beside the model).")
def export_model(model: Path, to: str, output: Path | None) -> None:
    from ...exports.models import formats

    done = formats.export_model(model, to, output)
    click.echo(done.file)
    click.echo(done.card)
    if done.check:
        click.echo(done.check, err=True)
