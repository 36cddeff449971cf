"""The formats that models can be exported to, by name."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...running.saved_models.models import Model

FORMATS = {
    "onnx": "the whole model, preprocessing included, as onnxruntime runs it",
    "safetensors": "its tensors, with all settings as metadata",
}
CHECKED = 256  # images of test, at most, on which onnxruntime is compared with cellbench
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
class Exported:
    """What was written: the model, its card, and a line on how onnxruntime agrees, '' where that was not tried."""

    file: Path
    card: Path
    check: str


def export_model(source: Path, to: str, output: Path | None = None) -> Exported:
    """Write a saved model in another format, and a card beside it.

    source: a file that `cellbench run --save-models` wrote. to: a name of FORMATS. output: the file to write; None is
    the source's name with the format as its ending. Raises UsageError for a model that this format cannot hold,
    DataError for a file that is no model, BackendError if a library is missing.
    """
    from ...core.store import cannot_write_results, write_whole
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
    text = card(model, record_beside(source), target.name, use)
    try:
        (write_onnx if to == "onnx" else write_safetensors)(model, target)
        write_whole(beside, lambda file: file.write(text.encode("utf-8")))
    except OSError as error:
        raise cannot_write_results(target, error) from error
    return Exported(target, beside, _check(model, target) if to == "onnx" else "")


def _check(model: "Model", target: Path) -> str:
    """Return how onnxruntime agrees with cellbench, in words."""
    from .onnx_file import agreement

    what, images = _images(model)
    found = agreement(model, target, images)
    return (
        f"onnxruntime gives {found.labels:,} of {found.n:,} {what} the label that cellbench gives them in float32, "
        f"with scores within {found.scores:.1g}"
    )


def _images(model: "Model") -> "tuple[str, NDArray[np.generic]]":
    """Return what they are, and test images of the model's data set, or noise where that is not prepared here."""
    import numpy as np

    from ...datasets.display.thumbnails import prepared_dataset
    from ...datasets.named_splits import with_split

    try:
        data = with_split(prepared_dataset(model.dataset, model.fingerprint), model.split)
    except (DataError, UsageError):
        draw, shape = np.random.default_rng(0), (32, len(model.channels), model.height, model.width)
        top = np.iinfo(model.dtype).max if model.dtype != "float32" else 1
        return "images of noise", (draw.random(shape) * top).astype(model.dtype)
    test = data.split.test
    chosen = test[np.linspace(0, len(test) - 1, min(CHECKED, len(test))).astype(int)]
    return "test images", np.asarray(data.images[chosen])
