"""The shape of a cell on black, against scikit-image's table of regions and by hand."""

import numpy as np
import pytest
from skimage.measure import regionprops_table

from cellbench.core.errors import DataError
from cellbench.features import compute, shape
from cellbench.features.groups import layout

MEASURES = ("area", "perimeter", "axis_major_length", "axis_minor_length", "eccentricity", "solidity", "extent")


def cells(n: int = 6) -> np.ndarray:
    """Ellipses of other sizes, some with a bite, (n, 40, 48) bool."""
    y, x = np.mgrid[:40, :48]
    found = [np.hypot((y - 20) / (5 + i), (x - 24) / (14 - i)) < 1 for i in range(n)]
    for each in found[::2]:
        each[15:20, 24:30] = False
    return np.array(found)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_measures_are_scikit_images_whatever_the_light_in_the_cell(dtype):
    where = cells()
    light = np.random.default_rng(0).integers(0, 200, (6, 2, 40, 48)).astype(dtype)
    light[:, 0][light.sum(1) == 0] = 1
    found = shape(np.where(where[:, None], light, 0).astype(dtype)).numpy()
    for cell, measures in zip(where, found, strict=True):
        expected = regionprops_table(cell.astype(int), properties=[*MEASURES, "euler_number"])
        np.testing.assert_allclose(measures[:8], [float(values[0]) for values in expected.values()], rtol=1e-6)
        assert measures[8] == pytest.approx(4 * np.pi * measures[0] / measures[1] ** 2)


def test_a_box_of_6_by_4_pixels_by_hand():
    image = np.zeros((1, 1, 20, 20), np.uint8)
    image[..., 3:9, 5:9] = 7
    features = compute(image, ["shape"], ["DNA"])
    found = dict(zip(features.names, features.values[0].tolist(), strict=True))
    assert found["shape/area"] == 24
    assert found["shape/perimeter"] == 16  # through the middles of its border pixels: 2 (5 + 3)
    assert found["shape/major axis"] == pytest.approx(4 * np.sqrt(35 / 12))  # of the ellipse with its second moments
    assert found["shape/minor axis"] == pytest.approx(4 * np.sqrt(15 / 12))
    assert (found["shape/solidity"], found["shape/extent"], found["shape/Euler number"]) == (1, 1, 1)
    image[..., 5, 6] = 0
    assert shape(image)[0, 7] == 0  # a hole
    np.testing.assert_allclose(shape(image.swapaxes(2, 3)), shape(image), rtol=1e-6)


def test_float_images_that_were_standardised_have_the_same_cells():
    light = np.where(cells()[:, None], np.random.default_rng(0).uniform(5, 90, (6, 2, 40, 48)), 0)
    standardised = (light - light.mean((0, 2, 3), keepdims=True)) / light.std((0, 2, 3), keepdims=True)
    np.testing.assert_array_equal(shape(standardised.astype(np.float32)), shape(light.astype(np.float32)))


def test_an_image_without_a_cell_has_zeros_and_one_that_is_all_cell_its_own_size():
    assert shape(np.zeros((1, 2, 16, 16), np.uint8)).tolist() == [[0] * 9]
    assert shape(np.full((1, 2, 16, 12), 3, np.uint16))[0, :2].tolist() == [192, 52]
    assert shape(np.zeros((0, 1, 16, 16), np.uint8)).shape == (0, 9)


def test_they_belong_to_no_channel_and_a_value_that_is_no_number_is_refused():
    where = layout(["between", "shape"], (2, 16, 16), ["DNA", "actin"])
    assert where.groups["shape"] == slice(3, 12)
    assert where.channels == {"DNA": [0, 1, 2], "actin": [0, 1, 2]}
    with pytest.raises(DataError, match=r"image 0 .* has a value that is not a finite number"):
        shape(np.full((1, 1, 16, 16), np.nan, np.float32))
