"""The formats that models can be exported to, by name."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...core.data import Images, Labels
    from ...core.records.runs import RunRecord
    from ...running.saved_models.models import Model

FORMATS = {
    "onnx": "the whole model, preprocessing included, as onnxruntime runs it",
    "safetensors": "its tensors, with all settings as metadata",
}
CHECKED = 1000  # images of test, at most, on which onnxruntime is compared with cellbench
ONNX_USE = """```python
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("{file}")
images = ...  # numpy, {dtype}, (n, {channels}, {height}, {width}): raw values, as they are in the files
scores, labels = session.run(["scores", "labels"], {{"images": images}})
```"""
TENSORS_USE = """```python
import json
from safetensors import safe_open

with safe_open("{file}", "pt") as kept:
    model = json.loads(kept.metadata()["cellbench"])
    tensors = {{name: kept.get_tensor(name) for name in kept.keys()}}
```"""


@dataclass(frozen=True)
class ExportedModel:
    """What was written: the model, its card, and lines on how onnxruntime agrees, '' where that was not tried."""

    file: Path
    card: Path
    check: str


def export_model(source: Path, to: str, output: Path | None = None) -> ExportedModel:
    """Write a saved model in another format, and a card beside it.

    source: a file that `cellbench run --save-models` wrote. to: a name of FORMATS. output: the file to write; None is
    the source's name with the format as its ending. Raises UsageError for a model that this format cannot hold,
    DataError for a file that is no model, BackendError if a library is missing.
    """
    from ...core.records.store import cannot_write_results, write_whole
    from ...running.saved_models import models
    from .card import card, record_beside
    from .onnx_file import write_onnx
    from .tensors_file import write_safetensors

    model = models.load(source)
    target = source.with_suffix(f".{to}") if output is None else output
    beside = target.with_name(f"{target.name}.md")
    if target.is_dir() or source.resolve() in (target.resolve(), beside.resolve()):
        raise UsageError(f"-o got {target}; give the name of a new file, such as {source.stem}.{to}")
    use = (ONNX_USE if to == "onnx" else TENSORS_USE).format(
        file=target.name, dtype=model.dtype, channels=len(model.channels), height=model.height, width=model.width
    )
    record = record_beside(source)
    try:
        (write_onnx if to == "onnx" else write_safetensors)(model, target)
        check = _check(model, target, source, record) if to == "onnx" else []
        text = card(model, record, target.name, use, check)
        write_whole(beside, lambda file: file.write(text.encode("utf-8")))
    except OSError as error:
        raise cannot_write_results(target, error) from error
    return ExportedModel(target, beside, "\n".join(check))


def _check(model: "Model", target: Path, source: Path, record: "RunRecord | None") -> list[str]:
    """Return how onnxruntime agrees with cellbench, and with the run itself if its predictions are there, in words."""
    from .onnx_file import agreement

    what, images, positions = _images(model)
    found = agreement(model, target, images)
    n = len(images)
    lines = [
        f"onnxruntime gives {found.same:,} of {n:,} {what} the label that cellbench gives them in float32, with scores "
        f"within {found.scores:.1g}"
    ]
    if positions is not None and (run := _labels_of_run(model, source, positions)) is not None:
        truth, of_run = run
        others = int((found.labels != of_run).reshape(n, -1).any(1).sum())
        right = int((found.labels == truth).reshape(n, -1).all(1).sum())
        right_of_run = int((of_run == truth).reshape(n, -1).all(1).sum())
        computed = f" (computed by {record.backend})" if record and record.backend else ""
        lines.append(
            f"the run itself{computed} gave {others:,} of them another label: it had {right_of_run:,} right, this file "
            f"has {right:,}" + ("; cellbench predict --precision fp32 labels as the file does" if others else "")
        )
    return lines


def _labels_of_run(model: "Model", source: Path, positions: "NDArray[np.int64]") -> "tuple[Labels, Labels] | None":
    """Return truth and labels that the run had for the images at these positions; None without its predictions."""
    from ...core.records.store import read_predictions

    kept = read_predictions(source)
    if kept is None or not {"test_index", "test_scores", "test_labels"} <= set(kept):
        return None
    place = {int(at): k for k, at in enumerate(kept["test_index"])}
    if not all(int(at) in place for at in positions):
        return None
    rows = [place[int(at)] for at in positions]
    return kept["test_labels"][rows], model.decided(kept["test_scores"][rows])


def _images(model: "Model") -> "tuple[str, Images, NDArray[np.int64] | None]":
    """Return what they are, test images of the model's data set and their positions in it.

    Where that is not prepared here they are noise, without positions.
    """
    import numpy as np

    from ...datasets.display.thumbnails import prepared_dataset
    from ...datasets.named_splits import with_split

    try:
        data = with_split(prepared_dataset(model.dataset, model.fingerprint), model.split)
    except (DataError, UsageError):
        draw, shape = np.random.default_rng(0), (32, len(model.channels), model.height, model.width)
        top = np.iinfo(model.dtype).max if model.dtype != "float32" else 1
        return "images of noise", (draw.random(shape) * top).astype(model.dtype), None
    test = data.split.test
    chosen = test[np.linspace(0, len(test) - 1, min(CHECKED, len(test))).astype(int)]
    return "test images", np.asarray(data.images[chosen]), chosen
