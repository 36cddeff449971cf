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
from .pretended import NAME, card

RUNS = {
    "svm-hog": ("size=none",),
    "svm-combined": (),
    "probe-knn": ("encoder=resnet20", "weights=none", "size=32"),
    "mlp": ("epochs=2", "batch=16", "size=none"),
    "cnn": ("epochs=1", "batch=16", "size=16", "mixup=0.4", "class_weight=balanced"),
    "svm-deep": ("net=cnn", "epochs=1", "batch=16", "size=none"),
    "fastnet": ("epochs=1", "batch=16", "size=16"),
    "resnet18": ("epochs=1", "batch=16", "size=16"),
    "alexnet": ("epochs=1", "batch=16", "size=32"),
}


def run(method, folder, model, *more):
    settings = [parse_override(text) for text in (*RUNS[method], *more)]
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


def test_a_card_that_is_too_small_for_the_batch_gets_half_of_it(tmp_path):
    folder = cache.prepare("toy", lambda scratch: rings(n=120, size=32))

    def done(batch, memory):
        with card(memory) as made:
            record, _ = run("cnn", folder, tmp_path / "it.model", "size=32", f"batch={batch}", "mixup=0", "lr=0.02")
        return record, made.peak

    (small, enough), (whole, more) = done(32, 2**34), done(64, 2**34)
    assert "batch_instead" not in small.facts | whole.facts
    assert more > enough
    record, peak = done(64, (enough + more) // 2)
    assert record.status == "ok"
    assert record.facts["batch_instead"] == 32
    assert peak < more
    assert record.metrics == small.metrics
    assert record.spec.params["batch"] == 64
    with pytest.raises(torch.OutOfMemoryError):
        done(64, enough // 8)


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
