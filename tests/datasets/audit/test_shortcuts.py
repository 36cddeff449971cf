"""Classes that brightness, border or size tell are found, by a limit that the best method sets."""

from dataclasses import replace

import numpy as np
import pytest

from cellbench.core.data import Dataset, Info
from cellbench.datasets.audit import pixels, shortcuts
from cellbench.datasets.audit.shortcuts import BestResult

from .made import dataset, textures


def by_check(data: Dataset, best: BestResult | None = None, sizes: np.ndarray | None = None) -> dict:
    return {finding.check: finding for finding in shortcuts.all_shortcuts(data, pixels.scan(data), sizes, best)}


def test_a_border_that_depends_on_the_class_is_a_shortcut():
    images, labels = textures(200), np.arange(200) % 3
    clean = by_check(dataset(images, labels))
    assert clean["border"].status == clean["mean-intensity"].status == "ok"
    assert clean["border"].figures["chance"] == pytest.approx(1 / 3)
    assert clean["border"].figures["value"] < 0.5
    images = images.copy()
    images[:, 0, :, -1] = (60 + 20 * labels)[:, None]
    found = by_check(dataset(images, labels))
    assert found["border"].status == "found"
    assert found["border"].figures["value"] > 0.9
    assert found["border"].figures["n"] == 40
    assert found["mean-intensity"].status == "ok"


def test_brightness_that_depends_on_the_class_is_a_shortcut():
    labels = np.arange(200) % 3
    images = (textures(200) * (0.4 + 0.3 * labels[:, None, None, None])).astype(np.uint8)
    found = by_check(dataset(images, labels))["mean-intensity"]
    assert found.status == "found"
    assert found.figures["value"] > 0.9
    assert found.figures["limit"] == pytest.approx(2 / 3)


def test_without_a_test_image_that_has_a_label_shortcuts_are_skipped():
    labels = np.eye(3, dtype=bool)[np.arange(200) % 3]
    data = dataset(textures(200))
    labels[data.split.test] = False
    found = by_check(replace(data, labels=labels))
    assert found["border"].status == found["mean-intensity"].status == "skipped"


def test_beside_results_a_shortcut_is_measured_by_the_best_method():
    labels = np.arange(200) % 3
    images = (textures(200) * (1 - 0.08 * labels[:, None, None, None])).astype(np.uint8)
    plain = by_check(dataset(images, labels))["mean-intensity"]
    assert plain.status == "ok"
    best = BestResult("resnet18", plain.figures["value"] + 0.02)
    found = by_check(dataset(images, labels), best)["mean-intensity"]
    assert found.status == "found"
    assert found.figures["limit"] == pytest.approx(1 / 3 + 0.8 * (best.value - 1 / 3))
    assert "resnet18, the best method, at" in found.text


@pytest.mark.parametrize(
    ("value", "limit", "chance", "found"),
    [
        (0.1 + 0.2, 0.3, 0.1, True),
        (0.3, 0.1 + 0.2, 0.1, True),  # in floats 0.3 < 0.1 + 0.2
        (0.58304, 0.58331, 0.1, True),  # both are printed as 58.3 %
        (0.5824, 0.5826, 0.1, False),  # 58.2 % and 58.3 %
        (0.5831, 0.5822, 0.1, True),
        (1 / 3, 1 / 3, 1 / 3, False),  # the best method is at chance, and so is this
        (0.4, 0.3, 1 / 3, True),
    ],
)
def test_a_value_at_its_threshold_as_printed_is_found_but_never_one_at_chance(value, limit, chance, found):
    assert shortcuts.reached(value, limit, chance) is found


def test_sizes_that_tell_the_class_are_a_shortcut_and_equal_ones_are_skipped():
    data = dataset(textures(120), np.arange(120) % 3)
    sizes = np.stack([30 + 5 * data.labels, 40 + np.arange(120) % 7], 1)
    assert by_check(data, sizes=sizes)["image-size"].figures["value"] == 1
    assert by_check(data)["image-size"].text == "Image size: all images are 24×24 px."
    resized = replace(data, info=Info(notes=("images of 3 sizes resized to 24×24",)))
    assert "not known" in by_check(resized)["image-size"].text


def test_a_label_that_no_training_image_has_is_scored_like_any_other():
    labels = np.random.default_rng(0).random((200, 3)) < 0.5
    data = dataset(textures(200))
    labels[data.split.train, 2] = False
    found = by_check(replace(data, labels=labels))["border"].figures
    assert found["chance"] == pytest.approx(labels[data.split.test].mean())
    assert found["value"] == pytest.approx(0.5, abs=0.15)


def test_a_forest_is_fitted_once_for_the_same_values_labels_and_split(monkeypatch, tmp_path):
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path))
    labels = np.arange(200) % 3
    data = dataset(textures(200), labels)
    found = by_check(data)
    fits = []
    fit = shortcuts._forest
    monkeypatch.setattr(shortcuts, "_forest", lambda *given: fits.append(1) or fit(*given))
    assert by_check(data) == found
    assert not fits
    by_check(dataset(textures(200), np.roll(labels, 1)))
    assert len(fits) == 2
    for file in tmp_path.rglob("*.json"):
        file.write_text('{"value": "high"}')
    assert by_check(data) == found
    assert len(fits) == 4
