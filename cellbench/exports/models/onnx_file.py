"""A model as ONNX, which onnxruntime and others run without cellbench or torch, and a check that they agree with us."""

import json
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...core.data import Images, Labels
from ...core.errors import UsageError
from ...core.extras import EXTRAS
from ...core.mixed_values import Document
from ...core.records.store import write_whole
from ...running.saved_models import models
from ...running.saved_models.models import Model
from .graph import OUTPUTS, Whole

OPSET = 18
BATCH = 64  # images at a time in the check


@dataclass(frozen=True)
class Agreement:
    """How an ONNX file agrees with cellbench in float32.

    labels: what the file gives the images, as `Model.decided` has labels. same: to how many of them cellbench gives the
    same. scores: the largest difference of a score.
    """

    labels: Labels
    same: int
    scores: float


def write_onnx(model: Model, target: Path) -> None:
    """Write the model as one ONNX file with its facts as metadata, whole or not at all.

    Raises UsageError, with the reason, for a model that cannot be exported, BackendError if a library is missing.
    """
    EXTRAS["onnx"].require("--to onnx")
    whole = Whole(model)
    outputs = list(OUTPUTS[: 3 if model.has_probabilities else 2])
    example = torch.zeros(2, len(model.channels), model.height, model.width, dtype=getattr(torch, model.dtype))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"), torch.no_grad():
            program: Any = torch.onnx.export(
                whole,
                (example,),
                input_names=["images"],
                output_names=outputs,
                dynamic_shapes={"images": {0: torch.export.Dim("n", min=1)}},
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise UsageError(
            f"{model.method} on {model.dataset} cannot be exported: torch has no ONNX for a part of it ({reason}); "
            "label by cellbench predict, or export it as safetensors"
        ) from error
    proto = program.model_proto
    proto.doc_string = f"{model.method}, trained by cellbench {model.version} on {model.dataset}"
    for name, value in facts(model).items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    write_whole(target, lambda file: file.write(proto.SerializeToString()))


def facts(model: Model) -> Document:
    """Return what a program that runs the model needs to know."""
    names = ("method", "dataset", "fingerprint", "split", "classes", "channels", "height", "width", "dtype")
    return {
        **{name: getattr(model, name) for name in names},
        "several_labels": model.multilabel,
        "thresholds": model.thresholds,
        "scores": "logits" if model.scores else "decision values",
        "probabilities": "calibrated on val" if model.calibration else "not calibrated",
        "synthetic": model.synthetic,
        "cellbench": model.version,
    }


def agreement(model: Model, file: Path, images: Images) -> Agreement:
    """Run the file on raw images by onnxruntime, and compare it with what cellbench says of them in float32."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    scorer = models.restore_in_float32(model, "cpu")
    same, largest = 0, 0.0
    found = []
    for start in range(0, len(images), BATCH):
        batch = np.ascontiguousarray(images[start : start + BATCH])
        scores, labels = session.run(["scores", "labels"], {"images": batch})
        expected = scorer.predict(model.prepared(batch))
        same += int((labels == model.decided(expected)).reshape(len(batch), -1).all(1).sum())
        largest = max(largest, float(np.abs(scores - expected).max()))
        found.append(labels)
    return Agreement(np.concatenate(found), same, largest)
