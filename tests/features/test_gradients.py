"""HOG against scikit-image, element by element."""

import numpy as np
import pytest
import torch
from skimage.feature import hog as reference_hog
from skimage.filters import gaussian

from cellbench.core.errors import UsageError
from cellbench.features import flatten, hog


def smooth_images(n: int, channels: int, height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(5).random((n, channels, height, width))
    return (gaussian(noise, (0, 0, 1.5, 1.5)) * 600 - 180).clip(0, 255).astype(np.uint8)


def scikit_image(images: np.ndarray, orientations: int, cell: int, block: int) -> np.ndarray:
    options = {"orientations": orientations, "pixels_per_cell": (cell, cell), "cells_per_block": (block, block)}
    scaled = images / np.iinfo(images.dtype).max
    return np.stack([np.concatenate([reference_hog(c, block_norm="L2-Hys", **options) for c in i]) for i in scaled])


@pytest.mark.parametrize("orientations", [6, 9])
@pytest.mark.parametrize(
    ("channels", "height", "width", "cell", "block"),
    [(1, 64, 64, 8, 2), (2, 64, 64, 8, 2), (1, 70, 61, 8, 2), (1, 40, 48, 7, 3)],
)
def test_every_element_is_scikit_images(orientations, channels, height, width, cell, block):
    images = smooth_images(12, channels, height, width)
    ours = hog(images, orientations, cell, block)
    assert ours.dtype == torch.float32
    np.testing.assert_allclose(ours.numpy(), scikit_image(images, orientations, cell, block), atol=1e-5, rtol=0)


def test_sixteen_bits_are_scaled_by_their_maximum():
    images = smooth_images(6, 1, 32, 32).astype(np.uint16) * 257
    np.testing.assert_allclose(hog(images).numpy(), scikit_image(images, 9, 8, 2), atol=1e-5, rtol=0)


def test_the_strongest_channel_wins_at_every_pixel():
    weak, strong = smooth_images(4, 1, 32, 32) // 4, smooth_images(4, 1, 32, 32)
    both = hog(np.concatenate([weak, strong], 1), channels="strongest")
    np.testing.assert_allclose(both.numpy(), hog(strong).numpy(), atol=1e-6)


def test_a_batch_gives_what_its_images_give_one_by_one():
    images = smooth_images(150, 1, 64, 64)  # more than one chunk
    np.testing.assert_array_equal(hog(images)[[0, 77, 149]].numpy(), hog(images[[0, 77, 149]]).numpy())


def test_images_smaller_than_a_block_are_refused():
    with pytest.raises(UsageError, match="12×64 pixels hold 1×8 cells"):
        hog(smooth_images(1, 1, 12, 64))


def test_flattened_pixels_are_scaled_to_one_by_their_type():
    images = np.array([[[[0, 255], [51, 102]]]], np.uint8)
    np.testing.assert_allclose(flatten(images), [[0, 1, 0.2, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(flatten(images.astype(np.uint16) * 257), [[0, 1, 0.2, 0.4]], rtol=1e-6)
    np.testing.assert_array_equal(flatten(images.astype(np.float32)), [[0, 255, 51, 102]])


def test_no_images_have_no_features_of_the_right_width():
    images = np.zeros((3, 2, 32, 40), np.uint8)
    assert hog(images[:0]).shape == (0, hog(images).shape[1])


@pytest.mark.parametrize("form", [lambda a: a[:, :, ::-1][:, :, ::-1], lambda a: a.astype(">u2"), np.asfortranarray])
def test_any_layout_in_memory_gives_the_same_features(form):
    images = np.random.default_rng(0).integers(0, 255, (2, 1, 16, 16)).astype(np.uint16)
    assert torch.equal(hog(form(images)), hog(images))


@pytest.mark.parametrize("wrong", [{"pixels_per_cell": 0}, {"orientations": 0}, {"cells_per_block": 0}])
def test_a_size_below_one_is_refused(wrong):
    with pytest.raises(UsageError, match="all of them are at least 1"):
        hog(np.zeros((1, 1, 16, 16), np.uint8), **wrong)
