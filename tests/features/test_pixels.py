"""Pixels as features, and features on one scale, against references by hand."""

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from cellbench.features import flatten
from cellbench.features.tensors import Standardiser


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_pixels_are_flattened_channel_by_channel_and_divided_by_the_greatest_value(dtype, top):
    images = np.random.default_rng(0).integers(0, 200, (3, 2, 4, 5)).astype(dtype)
    expected = images.reshape(3, -1) / np.float32(top)
    np.testing.assert_allclose(flatten(images).numpy(), expected, rtol=1e-6)


def test_divided_by_its_own_mean_an_image_has_mean_one_and_an_empty_one_stays_empty():
    images = np.random.default_rng(0).integers(0, 200, (3, 3, 8, 8)).astype(np.uint8)
    images[:, 2] = 0  # the zero channel counts in the mean
    images[1] = 0
    expected = images.reshape(3, -1) / np.array([[images[0].mean()], [1], [images[2].mean()]])
    np.testing.assert_allclose(flatten(images, by_mean=True).numpy(), expected, rtol=1e-5)


def test_resizing_is_cubic_with_the_kernel_of_opencv_and_no_antialiasing():
    """One row, 8 to 4 pixels: every new pixel lies halfway between two old ones; weights from a = -0.75 by hand."""
    row = np.array([10, 200, 30, 40, 250, 60, 70, 5], np.uint8)
    near, far = 1.25 * 0.125 - 2.25 * 0.25 + 1, -0.75 * 3.375 + 3.75 * 2.25 - 6 * 1.5 + 3
    padded = np.concatenate([row[:1], row, row[-1:]]).astype(float)
    expected = [
        far * padded[i] + near * padded[i + 1] + near * padded[i + 2] + far * padded[i + 3] for i in range(0, 8, 2)
    ]
    images = np.tile(row, (8, 1))[None, None]
    result = flatten(images, side=4).numpy().reshape(4, 4) * 255
    np.testing.assert_allclose(result, np.tile(np.round(np.clip(expected, 0, 255)), (4, 1)), atol=1e-3)


def test_no_images_give_no_features_of_the_right_width():
    assert flatten(np.zeros((0, 2, 8, 8), np.uint8), side=3).shape == (0, 18)


def test_standardised_features_are_those_of_scikit_learn_and_a_constant_one_is_zero():
    rng = np.random.default_rng(0)
    features = (rng.normal(5, 3, (500, 6)) * [1, 10, 100, 1e-3, 1, 1]).astype(np.float32)
    features[:, 4] = 0.3
    unseen = features[:50] + 1
    reference = StandardScaler().fit(features.astype(np.float64))
    scale = Standardiser.of(torch.from_numpy(features))
    expected = reference.transform(unseen.astype(np.float64))
    expected[:, 4] = 0
    np.testing.assert_allclose(scale(torch.from_numpy(unseen.copy())).numpy(), expected, atol=2e-3)
    np.testing.assert_allclose(scale(torch.from_numpy(features.copy())).mean(0), 0, atol=1e-5)
