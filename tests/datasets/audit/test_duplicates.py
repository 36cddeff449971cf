"""Planted copies are found, also turned, mirrored, brighter or noisier; other images are not."""

import numpy as np
import pytest

from cellbench.core.data import Dataset
from cellbench.datasets.audit import duplicates, near_pairs, orientation, pixels
from cellbench.datasets.audit.result import CheckResult

from .made import dataset, random_split, textures


def near(data: Dataset) -> CheckResult:
    return duplicates.near_duplicates(data, pixels.scan(data))


def test_identical_images_in_two_parts_are_counted_and_one_pair_is_named():
    images, split = textures(60), random_split(60)
    images[split.test[[2, 5]]] = images[split.train[[7, 9]]]
    images[split.val[1]] = images[split.train[0]]
    data = dataset(images, split=split)
    finding = duplicates.exact_duplicates(data, pixels.scan(data).digests)
    assert finding.status == "found"
    assert (finding.figures["test"], finding.figures["val"]) == (2, 1)
    assert finding.figures["example"] == [split.test[2], split.train[7]]
    assert "2 of 12 test images are in train or val as well" in finding.text
    assert near(data).status == "ok"  # reported once


def test_identical_images_within_one_part_are_no_leak():
    images, split = textures(60), random_split(60)
    images[split.train[3]] = images[split.train[4]]
    data = dataset(images, split=split)
    assert duplicates.exact_duplicates(data, pixels.scan(data).digests).status == "ok"


def test_identical_images_with_different_labels_are_found_anywhere():
    images = textures(60)
    images[50] = images[3]
    images[21] = images[22]  # of one class
    data = dataset(images)
    finding = duplicates.conflicting_labels(data, pixels.scan(data).digests)
    assert finding.status == "found"
    assert finding.figures == {"images": 2, "example": [3, 50]}
    assert "image 3 is round, image 50 is dotted" in finding.text
    clean = dataset(textures(60))
    assert duplicates.conflicting_labels(clean, pixels.scan(clean).digests).status == "ok"


def test_a_picture_lies_on_its_square_in_eight_ways():
    picture = np.arange(9).reshape(3, 3)
    assert len({orientation.reoriented(picture, way).tobytes() for way in range(8)}) == 8
    assert (orientation.reoriented(picture, 0) == picture).all()
    assert (orientation.reoriented(picture, 4) == picture[:, ::-1]).all()


@pytest.mark.parametrize("way", range(8))
def test_a_turned_brighter_noisier_copy_is_a_near_duplicate(way):
    images, split = textures(60, size=48), random_split(60)
    source, copy = split.train[7], split.test[3]
    noise = np.random.default_rng(9).normal(0, 3, (48, 48))
    images[copy, 0] = orientation.reoriented(images[source, 0] * 0.8 + 20 + noise, way)
    finding = near(dataset(images, split=split))
    assert finding.status == "found"
    assert (finding.figures["test"], finding.figures["val"]) == (1, 0)
    (example,) = finding.figures["examples"]
    assert (example["image"], example["like"]) == (copy, source)
    back = orientation.reoriented(images[copy, 0], example["orientation"])
    assert np.corrcoef(back.ravel(), images[source, 0].ravel())[0, 1] > 0.99


def test_images_that_share_no_more_than_a_bright_cell_in_the_middle_are_no_near_duplicates():
    y, x = np.mgrid[-1:1:48j, -1:1:48j]
    blob = 220 * np.exp(-2 * (x**2 + y**2))
    images = (0.9 * blob + 0.1 * textures(90, size=48)).astype(np.uint8)
    thumbs = pixels.scan(dataset(images)).thumbs.reshape(90, -1)
    assert np.corrcoef(thumbs).max(initial=0, where=~np.eye(90, dtype=bool)) > near_pairs.ALIKE
    assert near(dataset(images)).status == "ok"


def test_flat_images_are_no_near_duplicates():
    images = textures(60)
    images[::2] = 30
    images[::4] = 31
    assert near(dataset(images)).status == "ok"


def test_of_many_images_a_fixed_sample_is_compared_and_the_page_says_so(monkeypatch):
    monkeypatch.setattr(near_pairs, "MOST_PAIRS", 500)
    finding = near(dataset(textures(60)))
    assert finding.figures["compared"] == {"val": 5, "test": 5}  # 12·36 + 12·48 = 1008 pairs
    assert finding.text.endswith("A fixed sample was compared: 5 val images and 5 test images.")
