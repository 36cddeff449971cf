"""Groups of features against scikit-image, scipy, numpy and a hand computation."""

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

from cellbench.core.errors import DataError, UsageError
from cellbench.features import between, compute, granularity, haralick, hog, intensity, radial, texture
from cellbench.features.groups import GROUPS, layout
from cellbench.features.tensors import Standardiser

from .test_gradients import smooth_images

FUNCTIONS = (texture, intensity, haralick, radial, granularity, between)
DTYPES = (np.uint8, np.uint16, np.float32)


def of_type(images: np.ndarray, dtype: type) -> np.ndarray:
    """The same images in the full scale of another type."""
    if dtype is np.uint16:
        return images.astype(np.uint16) * 257
    return images / np.float32(255) if dtype is np.float32 else images


def square_ring(image: np.ndarray, radius: int) -> np.ndarray:
    """Root of the histogram of LBP riu2 on the square, pixel by pixel."""
    counts = np.zeros(10)
    ring = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]
    for y in range(radius, image.shape[0] - radius):
        for x in range(radius, image.shape[1] - radius):
            bits = [int(image[y + radius * a, x + radius * b] >= image[y, x]) for a, b in ring]
            changes = sum(bits[k] != bits[k - 1] for k in range(8))
            counts[sum(bits) if changes <= 2 else 9] += 1
    return np.sqrt(counts / counts.sum())


@pytest.mark.parametrize("dtype", DTYPES)
def test_texture_is_that_of_a_loop_over_pixels(dtype):
    images = smooth_images(2, 2, 17, 14)
    expected = [np.concatenate([square_ring(c, r) for c in image for r in (1, 2, 3, 5)]) for image in images]
    np.testing.assert_allclose(texture(of_type(images, dtype)), expected, atol=1e-6)


def test_texture_at_radius_1_is_scikit_images_where_interpolation_keeps_the_order():
    """In f(x) + g(y) a point between pixels on a diagonal is brighter than the middle just when the corner is."""
    rng = np.random.default_rng(0)
    images = (rng.permutation(40)[:, None] * 3 + rng.permutation(40)[None] * 3)[None, None].astype(np.uint8)
    codes = local_binary_pattern(images[0, 0], 8, 1, "uniform")[1:-1, 1:-1]
    expected = np.sqrt(np.bincount(codes.astype(int).ravel(), minlength=10) / codes.size)
    np.testing.assert_allclose(texture(images, (1,))[0], expected, atol=1e-6)


def test_radii_that_do_not_fit_are_left_out_and_the_names_say_so():
    assert texture(np.zeros((1, 1, 7, 20), np.uint8)).shape == (1, 30)
    names = layout(["texture"], (1, 7, 20), ["DNA"]).names
    assert (len(names), names[0], names[-1]) == (30, "texture/DNA/radius 1/bin 0", "texture/DNA/radius 3/bin 9")


@pytest.mark.parametrize("dtype", DTYPES)
def test_intensity_is_numpys_and_scipys(dtype):
    images = smooth_images(3, 2, 20, 31)
    for image, ours in zip(images, intensity(of_type(images, dtype)).numpy().reshape(3, 2, 37), strict=True):
        for pixels, found in zip(image.reshape(2, -1) / 255, ours, strict=True):
            quantiles = np.quantile(pixels, [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
            np.testing.assert_allclose(found[:9], quantiles, atol=1e-6)
            np.testing.assert_allclose(found[9:18], np.log(1 + 255 * quantiles) / np.log(256), atol=1e-6)
            np.testing.assert_allclose(found[18:21], [pixels.mean(), pixels.std(), stats.skew(pixels)], atol=1e-4)
            shares = np.histogram(pixels, 16, (0, 1))[0] / pixels.size
            np.testing.assert_allclose(found[21:], np.sqrt(shares), atol=1e-6)


def test_floats_beyond_full_scale_are_in_the_first_and_the_last_bin():
    images = np.array([[[[-3, 0.5], [2, 7]]]], np.float32)
    np.testing.assert_allclose(intensity(images)[0, 21:].square(), [0.25, *[0] * 7, 0.25, *[0] * 6, 0.5], atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_haralick_is_scikit_images(dtype):
    images = np.random.default_rng(0).integers(0, 16, (3, 1, 24, 30)).astype(np.uint8)
    images[:, :, 0, :2] = [0, 15]  # whole range: a level is a value
    ours = haralick(of_type(images * 17, dtype)).numpy().reshape(3, 2, 5)
    for image, found in zip(images, ours, strict=True):
        for k, distance in enumerate((1, 3)):
            angles = np.arange(4) * np.pi / 4
            counts = graycomatrix(image[0], [distance], angles, 16, symmetric=True).sum(3, keepdims=True)
            pairs = counts / counts.sum()
            expected = [graycoprops(pairs, p)[0, 0] for p in ("contrast", "homogeneity", "energy", "correlation")]
            np.testing.assert_allclose(found[k, :4], expected, atol=1e-4, rtol=1e-5)
            np.testing.assert_allclose(found[k, 4], stats.entropy(pairs.ravel()), rtol=1e-5)


def test_radial_is_the_share_of_light_in_rings_by_hand():
    image = smooth_images(1, 1, 21, 30)
    y, x = np.mgrid[:21, :30]
    distance = np.hypot(y - 10, x - 14.5)
    ring = np.minimum(6 * distance / np.hypot(10, 14.5), 5).astype(int)
    expected = np.bincount(ring.ravel(), image.ravel(), 6) / image.sum()
    np.testing.assert_allclose(radial(image)[0], expected, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_granularity_is_what_scipys_openings_take_away(dtype):
    images = smooth_images(3, 2, 21, 30)
    images[0, 1] = np.random.default_rng(0).integers(3, 256, (21, 30))
    for image, found in zip(images, granularity(of_type(images, dtype)).numpy().reshape(3, 2, 6), strict=True):
        for pixels, shares in zip(image.astype(float), found, strict=True):
            opened = [pixels, *(ndimage.grey_opening(pixels, 2 * radius + 1) for radius in (1, 2, 3, 4, 6, 8))]
            light = np.array([(each - pixels.min()).sum() for each in opened])
            np.testing.assert_allclose(shares, -np.diff(light) / light[0], atol=1e-5)


def test_the_smallest_spots_that_an_opening_takes_away_have_its_size():
    image = np.zeros((1, 1, 30, 30), np.uint8)
    image[0, 0, 4:9, 10:15] = 200  # 5 pixels a side: kept by a square of 5, not by one of 7
    np.testing.assert_allclose(granularity(image)[0], [0, 0, 1, 0, 0, 0])


def test_faint_spots_on_a_bright_16_bit_ground_are_seen_and_a_constant_one_has_none():
    images = np.full((2, 1, 64, 64), 40_000, np.uint16)
    images[0, 0, [5, 20, 40], [9, 30, 50]] += 1  # three spots of one pixel
    np.testing.assert_allclose(granularity(images), [[1, 0, 0, 0, 0, 0], [0] * 6], atol=1e-6)


def test_pairs_of_channels_are_numpys():
    images = smooth_images(2, 3, 16, 19)
    for image, found in zip(images / 255, between(images).numpy().reshape(2, 3, 3), strict=True):
        for (a, b), values in zip(((0, 1), (0, 2), (1, 2)), found, strict=True):
            one, other = image[a].ravel(), image[b].ravel()
            overlap = (one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum())
            share = one.sum() / (one.sum() + other.sum())
            np.testing.assert_allclose(values, [np.corrcoef(one, other)[0, 1], overlap, share], atol=1e-5)


def test_light_of_negative_values_is_counted_from_the_least_one():
    images = np.random.default_rng(0).normal(size=(5, 2, 9, 9)).astype(np.float32)
    raised = images - images.min((2, 3), keepdims=True)
    np.testing.assert_allclose(radial(images), radial(raised), rtol=1e-4)
    np.testing.assert_allclose(between(images), between(raised), rtol=1e-4, atol=1e-6)
    rings = radial(images).reshape(5, 2, -1)
    assert rings.min() >= 0
    np.testing.assert_allclose(rings.sum(2), 1, rtol=1e-5)
    shares = between(images)[:, 2]
    np.testing.assert_allclose(shares, raised[:, 0].sum((1, 2)) / raised.sum((1, 2, 3)), rtol=1e-4)


def test_pairs_alone_need_two_channels():
    images = np.zeros((2, 1, 16, 16), np.uint8)
    with pytest.raises(UsageError, match="features=between is of pairs of channels, and these images have 1"):
        compute(images, ["between"])
    assert compute(images, ["between", "texture"]).slices["between"] == slice(0, 0)


def test_one_channel_has_no_pairs():
    assert between(np.zeros((4, 1, 8, 8), np.uint8)).shape == (4, 0)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_constant_images_have_right_and_finite_features(value):
    features = compute(np.full((2, 2, 16, 16), value, np.uint8), list(GROUPS), ["a", "b"])
    assert bool(features.values.isfinite().all())
    found = dict(zip(features.names, features.values[0].tolist(), strict=True))
    assert found["texture/a/radius 1/bin 8"] == 1  # all neighbours are as bright
    assert found["intensity/a/deviation"] == pytest.approx(0, abs=1e-6)
    assert found["intensity/a/skew"] == 0
    assert (found["haralick/a/distance 1/energy"], found["haralick/a/distance 1/correlation"]) == (1, 1)
    assert found["granularity/b/radius 8"] == 0
    assert found["between/a and b/correlation"] == 0
    assert found["between/a and b/overlap"] == pytest.approx(float(value > 0))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_value_that_is_no_number_is_refused_with_its_image(function):
    images = np.zeros((5, 2, 16, 16), np.float32)
    images[3, 1, 2, 2] = np.nan
    with pytest.raises(DataError, match=r"image 3 \(counted from 0\).* 1 of 5 images"):
        function(images)


@pytest.mark.parametrize(("function", "side"), [(texture, 2), (haralick, 3)])
def test_images_too_small_for_a_group_are_refused(function, side):
    with pytest.raises(UsageError, match=f"images of {side}×16 pixels are too small for {function.__name__}"):
        function(np.zeros((1, 1, side, 16), np.uint8))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_chunks_and_no_images_make_no_difference(function):
    images = smooth_images(90, 2, 40, 40)  # more than one chunk
    whole = function(images)
    assert whole.dtype == torch.float32
    torch.testing.assert_close(whole[[0, 89]], function(images[[0, 89]]), atol=1e-6, rtol=0)
    assert function(images[:0]).shape == (0, whole.shape[1])


def test_groups_are_joined_in_the_order_asked_and_every_feature_has_a_name():
    images = smooth_images(2, 2, 64, 64)
    features = compute(images, ["intensity", "hog"], ["DNA", "actin"])
    assert features.values.shape == (2, len(features.names))
    assert len(set(features.names)) == len(features.names)
    torch.testing.assert_close(features.values[:, features.slices["hog"]], hog(images), atol=1e-5, rtol=0)
    where = layout(["texture", "between"], (2, 64, 64), ["DNA", "actin"])
    assert where.channels["actin"] == [*range(40, 80), 80, 81, 82]
    assert where.names[80] == "between/DNA and actin/correlation"


@pytest.mark.parametrize(
    ("groups", "message"),
    [([], "names no group"), (["textur"], "did you mean 'texture'"), (["hog", "hog"], "names 'hog' twice")],
)
def test_wrong_groups_are_refused(groups, message):
    with pytest.raises(UsageError, match=message):
        compute(smooth_images(1, 1, 16, 16), groups)


def test_groups_of_any_size_have_equal_weight():
    rng = np.random.default_rng(0)
    features = torch.from_numpy(rng.normal(5, rng.uniform(0.1, 9, 12), (400, 12)).astype(np.float32))
    features[:, 3] = 2  # does not vary, and does not count
    groups = [slice(0, 10), slice(10, 12)]
    scaled = Standardiser.of_groups(features, groups)(features.clone())
    for group in groups:
        assert float(scaled[:, group].square().sum(1).mean()) == pytest.approx(1, rel=1e-4)


def test_intensity_of_bytes_is_counted_and_comes_to_the_same_as_sorting():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 2, 21, 17)).astype(np.uint8)
    images[1], images[2, 0], images[3] = 7, 0, (255 * rng.random((2, 21, 17)) ** 4).astype(np.uint8)
    as_floats = images.astype(np.float32) / 255
    np.testing.assert_allclose(intensity(images), intensity(as_floats), rtol=1e-5, atol=2e-6)
