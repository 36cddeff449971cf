"""Copies that are shifted, cropped or turned a little are found; the movement is what was planted."""

import numpy as np
import pytest
from scipy import ndimage

from cellbench.datasets.audit import near_pairs, pixels
from cellbench.datasets.audit.registration import likeness

from .made import dataset, random_split, textures

SIDE, N = 64, 150


def cells(n, seed=0):
    """Images (n, 1, SIDE, SIDE) of one bright disc each, as all cells share, with spots of their own."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    disc = 1 / (1 + np.exp((np.hypot(x, y) - 24) / 1.5))
    spots = ndimage.gaussian_filter(rng.normal(size=(n, SIDE, SIDE)), (0, 3, 3))
    spots = spots / spots.std((1, 2), keepdims=True)
    return (disc * (100 + 35 * spots) + rng.normal(0, 2, spots.shape) + 20)[:, None].clip(0, 255).astype(np.uint8)


def moved(image, across=0.0, down=0.0, zoom=1.0, degrees=0.0):
    angle = np.deg2rad(degrees)
    matrix = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = (np.array(image.shape) - 1) / 2
    offset = centre - matrix @ centre + [down, across]
    return ndimage.affine_transform(image.astype(float), matrix, offset, order=1, mode="nearest")


def planted(change):
    """The pairs that are found, (image, like), and those that were planted, of 20 copies in test."""
    images, split, rng = cells(N), random_split(N), np.random.default_rng(1)
    pairs = list(
        zip(rng.permutation(split.test)[:20].tolist(), rng.permutation(split.train)[:20].tolist(), strict=True)
    )
    for i, j in pairs:
        images[i, 0] = (0.9 * moved(images[j, 0], **change) + rng.normal(0, 1, (SIDE, SIDE))).clip(0, 255)
    data = dataset(images, split=split)
    near = near_pairs.near_pairs(data, pixels.scan(data))
    return {(i, j) for part in near.pairs.values() for i, j, _ in part}, set(pairs)


@pytest.mark.parametrize(
    ("change", "least"),
    [
        ({"across": 1}, 20),
        ({"across": 2, "down": -2}, 20),
        ({"across": 3}, 19),
        ({"zoom": 0.9}, 18),
        ({"degrees": 8}, 19),
    ],
    ids=str,
)
def test_moved_copies_are_found_and_nothing_else(change, least):
    found, right = planted(change)
    assert len(found & right) >= least
    assert not found - right


def test_the_movement_between_two_images_is_measured():
    image = ndimage.gaussian_filter(np.random.default_rng(2).normal(size=(SIDE, SIDE)), 4).astype(np.float32)
    fixed = [moved(image, across=3), moved(image, down=-2, zoom=0.92), moved(image, degrees=6)]
    stack = np.stack(fixed).astype(np.float32)
    alike, found = likeness(np.stack([image] * 3), stack)
    assert (alike > 0.999).all()
    turn = np.deg2rad(6)
    expected = [[3 / SIDE, 0, 0, 0], [0, -2 / SIDE, -0.08, 0], [0, 0, np.cos(turn) - 1, np.sin(turn)]]
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=0.006)


def test_two_unlike_images_do_not_lie_on_each_other():
    images = cells(40, seed=3)[:, 0].astype(np.float32)
    alike, _ = likeness(images[:20] - 20, images[20:] - 20)
    assert alike.max() < 0.97


def test_pairs_are_looked_for_once_for_the_same_images_and_split(monkeypatch, tmp_path):
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path))
    images = textures(60)
    data = dataset(images)
    copied = images.copy()
    copied[data.split.test[0]] = np.clip(copied[data.split.train[0]].astype(int) + 3, 0, 255)
    found = near_pairs.near_pairs(dataset(copied), pixels.scan(dataset(copied)))
    assert [(i, j) for i, j, _ in found.pairs["test"]] == [(data.split.test[0], data.split.train[0])]

    looks = []
    look = near_pairs._found
    monkeypatch.setattr(near_pairs, "_found", lambda *given: looks.append(1) or look(*given))
    assert near_pairs.near_pairs(dataset(copied), pixels.scan(dataset(copied))) == found
    assert not looks
    for other in (data, dataset(copied, split=random_split(60, seed=1))):
        near_pairs.near_pairs(other, pixels.scan(other))
    assert len(looks) == 2
    for file in tmp_path.rglob("*.json"):
        file.write_text('{"pairs": 3}')
    assert near_pairs.near_pairs(dataset(copied), pixels.scan(dataset(copied))) == found
    assert len(looks) == 3
