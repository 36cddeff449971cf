"""Whole runs on a card, in this process: from a plan to a record, a model and labels of new images."""

import csv
import io

import numpy as np
import pytest
import torch
from PIL import Image

from cellbench.datasets.files import cache
from cellbench.datasets.toy import rings
from cellbench.running.planning.plan import make_plan, parse_override
from cellbench.running.saved_models import models
from cellbench.running.single_run import execute

from ..cli.program import call
from .pretended import NAME

RUNS = {
    "svm-hog": ("size=none",),
    "svm-combined": (),
    "probe-knn": ("encoder=resnet20", "weights=none", "size=32"),
    "mlp": ("epochs=2", "batch=16", "size=none"),
    "cnn": ("epochs=1", "batch=16", "size=16", "mixup=0.4", "class_weight=balanced"),
    "svm-deep": ("net=cnn", "epochs=1", "batch=16", "size=none"),
}


def run(method, folder, model):
    settings = [parse_override(text) for text in RUNS[method]]
    (job,) = make_plan([method], [folder], overrides=settings, device="cuda")
    return execute(job, model=model)


@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("method", RUNS)
def test_a_run(method, multilabel, tmp_path, pretended):
    folder = cache.prepare("toy", lambda scratch: rings(n=60, multilabel=multilabel))
    record, predictions = run(method, folder, tmp_path / "it.model")
    assert record.status == "ok"
    assert record.spec.device == "cuda"
    assert record.environment["gpu"] == NAME
    assert record.memory["device"] == torch.cuda.max_memory_allocated() > 0
    data, loaded = cache.read(folder), models.load(tmp_path / "it.model")
    for device in ("cuda", "cpu"):
        scorer = models.restore(loaded, device)
        scores = scorer.predict(loaded.prepared(np.array(data.images[predictions["test_index"]])))
        assert np.allclose(scores, predictions["test_scores"], rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("method", ["mlp", "svm-hog"])
def test_predict(method, tmp_path, pretended):
    folder = cache.prepare("toy", lambda scratch: rings(n=60))
    run(method, folder, tmp_path / "it.model")
    (tmp_path / "cells").mkdir()
    for i, image in enumerate(rings(n=6).images):
        Image.fromarray(image[0]).save(tmp_path / "cells" / f"{i}.png")
    labels = {}
    for device in ("cuda", "cpu"):
        done = call("predict", tmp_path / "it.model", tmp_path / "cells", "--device", device)
        assert done.returncode == 0, done.stderr
        labels[device] = [row["label"] for row in csv.DictReader(io.StringIO(done.stdout))]
    assert len(labels["cuda"]) == 6
    assert labels["cuda"] == labels["cpu"]
