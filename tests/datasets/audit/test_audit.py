"""Every check on one data set."""

from dataclasses import replace

import numpy as np
import pytest

from cellbench.datasets import audit
from cellbench.datasets.display import montage
from cellbench.datasets.toy import rings

from .made import dataset, textures


def test_several_labels_an_image_go_through_every_check():
    rng = np.random.default_rng(0)
    labels = rng.random((200, 3)) < 0.4
    images = textures(200)
    images[:, 0, 0] = np.where(labels[:, :1], 20, 200)
    data = replace(dataset(images), labels=labels)
    found = {result.check: result for result in audit.audit(data).checks}
    border, prevalence = found["border"].figures, labels[data.split.test].mean(0)
    assert border["measure"] == "mean_average_precision"
    assert border["chance"] == pytest.approx(prevalence.mean())
    given_away = (1 + prevalence[1] + prevalence[2]) / 3  # the other two classes are guessed
    assert border["value"] == pytest.approx(given_away, abs=0.1)
    assert found["order"].status == "ok"
    assert [found[name].status for name in ("exact-duplicates", "near-duplicates", "conflicting-labels")] == ["ok"] * 3
    assert labels[montage.example_images(data, 1)["test"], 1].all()


def test_the_toy_rings_leak_nothing():
    found = audit.audit(rings(n=150))
    assert {result.section for result in found.problems} == {"shortcuts"}  # a wider ring has more bright pixels
