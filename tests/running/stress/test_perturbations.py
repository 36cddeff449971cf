"""Each perturbation on a case that was computed by hand."""

import math

import numpy as np
import pytest

from cellbench.core.errors import UsageError
from cellbench.running.stress import perturbations
from cellbench.running.stress.perturbations import PERTURBATIONS, perturbed


def change(name, images, strength, seed=0):
    """A perturbation of images (n, channels, height, width), or of one plane (height, width)."""
    images = np.asarray(images)
    whole = images if images.ndim == 4 else images[None, None]
    rngs = [np.random.default_rng([seed, at]) for at in range(len(whole))]
    done = perturbed(whole, PERTURBATIONS[name], strength, rngs)
    assert (done.shape, done.dtype) == (whole.shape, whole.dtype)
    return done if images.ndim == 4 else done[0, 0]


@pytest.mark.parametrize("name", PERTURBATIONS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_strength_0_is_the_image_itself_to_the_bit_and_others_are_not(name, dtype):
    images = np.random.default_rng(1).integers(20, 200, (20, 2, 9, 9)).astype(dtype)
    before = images.copy()
    assert change(name, images, 0) is images
    strengths = PERTURBATIONS[name].strengths
    assert len(strengths) == 5
    assert strengths[0] > 0
    assert list(strengths) == sorted(set(strengths))
    for strength in strengths:
        assert not np.array_equal(change(name, images, strength), images)
    np.testing.assert_array_equal(images, before)  # none is changed in place


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_the_same_seed_gives_the_same_images(name):
    images = np.random.default_rng(1).integers(20, 200, (6, 2, 9, 9)).astype(np.uint8)
    strength = PERTURBATIONS[name].strengths[2]
    np.testing.assert_array_equal(change(name, images, strength), change(name, images, strength))


@pytest.mark.parametrize("name", [one.name for one in PERTURBATIONS.values() if one.draws])
def test_what_is_drawn_for_an_image_depends_on_no_other_image(name):
    images = np.random.default_rng(1).integers(20, 200, (9, 2, 9, 9)).astype(np.uint8)
    one = PERTURBATIONS[name]

    def changed(order):
        rngs = [np.random.default_rng([7, at]) for at in order]
        return perturbed(images[order], one, one.strengths[1], rngs)

    order = [4, 1, 7]
    np.testing.assert_array_equal(changed(order), changed(list(range(9)))[order])


def test_a_quarter_turn_moves_every_pixel_to_its_place():
    plane = np.arange(9, dtype=np.uint8).reshape(3, 3)
    np.testing.assert_array_equal(change("rotation", plane, 90), [[2, 5, 8], [1, 4, 7], [0, 3, 6]])


def test_defocus_spreads_a_point_as_a_gaussian_of_this_sigma():
    plane = np.zeros((21, 21), np.float32)
    plane[10, 10] = 1
    weights = [math.exp(-(x**2) / 2) for x in range(-4, 5)]  # sigma 1, cut at 4 sigma
    expected = np.outer(weights, weights) / sum(weights) ** 2
    np.testing.assert_allclose(change("defocus", plane, 1)[6:15, 6:15], expected, atol=1e-6)


def test_illumination_is_a_ramp_from_one_edge_to_the_opposite_one():
    # 100 × (1 − 0.5), (1 − 0.25), 1, (1 + 0.25), (1 + 0.5), along one of the four directions
    ramp = np.array([50, 75, 100, 125, 150])
    across = np.tile(ramp, (5, 1))
    directions = [across, across[:, ::-1], across.T, across.T[::-1]]
    done = change("illumination", np.full((40, 1, 5, 5), 100, np.uint8), 0.5)[:, 0]
    taken = [[np.array_equal(image, one) for one in directions].index(True) for image in done]
    assert set(taken) == {0, 1, 2, 3}


def test_gain_and_offset_are_products_and_sums_clipped_at_full_scale():
    plane = np.array([[0, 10, 200]], np.uint8)
    assert change("dimmer", plane, 0.4).tolist() == [[0, 6, 120]]
    assert change("brighter", plane, 0.4).tolist() == [[0, 14, 255]]  # 280 is more than a camera of 8 bits gives
    assert change("offset", plane, 0.2).tolist() == [[51, 61, 251]]  # 0.2 × 255 = 51
    assert change("offset", np.array([[0, 60000]], np.uint16), 0.2).tolist() == [[13107, 65535]]  # 0.2 × 65,535
    # of real numbers full scale is the brightest of the image, and nothing is clipped
    np.testing.assert_allclose(change("offset", np.array([[1.0, 4.0]], np.float32), 0.25), [[2, 5]])


def test_photon_noise_keeps_the_mean_and_has_the_variance_of_counts():
    # noise 0.1: 100 photons at full scale. A pixel at a half has 50 ± √50 of them: 127.5 ± 18.03 of 255
    plane = np.full((200, 200), 0.5 * 65535, np.uint16)
    done = change("photon-noise", plane, 0.1) / 65535
    assert done.mean() == pytest.approx(0.5, abs=4 * math.sqrt(0.005 / plane.size))
    assert done.std() == pytest.approx(math.sqrt(50) / 100, rel=0.02)
    assert set(np.unique((done * 100).round(2) % 1)) <= {0, 0.99, 0.01}  # whole photons
    assert change("photon-noise", np.zeros((3, 3), np.uint8), 0.3).max() == 0


def test_bleaching_dims_one_channel_of_each_image():
    done = change("bleaching", np.full((30, 2, 1, 1), 100, np.uint8), 0.6)[:, :, 0, 0].tolist()
    assert [sorted(image) for image in done] == [[40, 100]] * 30
    assert {image.index(40) for image in done} == {0, 1}


def test_a_channel_is_missing_in_a_share_of_images_and_the_same_ones_lose_it_at_larger_shares():
    images = np.full((400, 2, 1, 1), 100, np.uint8)
    lost = [change("missing-channel", images, share).min((1, 2, 3)) == 0 for share in (0.2, 0.6, 1)]
    assert [one.mean() for one in lost] == pytest.approx([0.2, 0.6, 1], abs=0.07)
    assert (lost[0] <= lost[1]).all()
    assert lost[2].all()
    assert change("missing-channel", images, 1).sum((1, 2, 3)).tolist() == [100] * 400


@pytest.mark.parametrize(("name", "step"), [("finer-pixels", 0.8), ("coarser-pixels", 1.2)])
def test_another_pixel_size_stretches_or_shrinks_a_ramp_about_its_centre(name, step):
    plane = np.tile(10 * np.arange(11, dtype=np.float32), (11, 1))  # 0 to 100, 50 at the centre
    done = change(name, plane, 0.2)
    expected = 50 + 10 * step * (np.arange(11) - 5)
    np.testing.assert_allclose(done[5, 1:10], expected[1:10], rtol=1e-5)


def test_perturbations_are_chosen_by_name():
    assert [one.name for one in perturbations.choose(("defocus", "rotation"))] == ["rotation", "defocus"]
    assert len(perturbations.choose()) == len(PERTURBATIONS)
    with pytest.raises(UsageError, match="no perturbation is called 'defocuss'; did you mean 'defocus'"):
        perturbations.choose(("defocuss",))
