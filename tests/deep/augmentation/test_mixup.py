"""Mixing of images: the truth follows what is seen, and shares are spread as the papers have them."""

import numpy as np
import pytest
import torch
from scipy import stats
from torchvision.transforms import v2

from cellbench.deep.augmentation.mixup import mix
from cellbench.deep.recipe import Recipe

WAYS = [{"mixup": 0.4}, {"cutmix": 1.0}, {"mosaic": 0.7}]


def mixed(n, seed=0, height=10, width=13, truth=None, **settings):
    """Images of one grey each, the number of the image, and who has which share of them."""
    batch = torch.arange(float(n)).view(n, 1, 1, 1).expand(n, 2, height, width).contiguous()
    truth = torch.eye(n) if truth is None else truth
    return mix(batch, truth, Recipe(**settings), torch.Generator().manual_seed(seed))


def test_with_everything_off_batch_and_truth_themselves_come_back():
    batch, truth = torch.rand(3, 1, 4, 4), torch.eye(3)
    out = mix(batch, truth, Recipe(), torch.Generator())
    assert out[0] is batch
    assert out[1] is truth


@pytest.mark.parametrize("way", WAYS, ids=lambda way: next(iter(way)))
def test_the_truth_has_each_image_by_its_share_of_the_brightness(way):
    images, truth = mixed(12, **way)
    torch.testing.assert_close(images.mean((1, 2, 3)), truth @ torch.arange(12.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(truth.sum(1), torch.ones(12))
    assert bool(((truth > 0).sum(1) > 1).any())


@pytest.mark.parametrize("way", WAYS[1:], ids=lambda way: next(iter(way)))
def test_the_truth_has_each_image_by_the_pixels_that_show_it(way):
    images, truth = mixed(12, **way)
    pixels = torch.stack([(images[:, 0] == image).float().mean((1, 2)) for image in range(12)], 1)
    torch.testing.assert_close(truth, pixels)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: next(iter(way)))
def test_several_labels_an_image_are_mixed_by_the_same_shares(way):
    labels = torch.tensor([[1.0, 1, 0], [0, 0, 0], [0, 1, 1], [1, 1, 1]])
    _, shares = mixed(4, **way)
    _, truth = mixed(4, truth=labels, **way)
    torch.testing.assert_close(truth, shares @ labels)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: next(iter(way)))
def test_an_image_alone_is_left_as_it_was(way):
    images, truth = mixed(1, **way)
    assert bool((images == 0).all())
    assert truth.tolist() == [[1.0]]


def test_mixup_shares_follow_the_beta_distribution():
    _, truth = mixed(1500, height=1, width=1, mixup=0.7)
    shares = truth.diagonal()[truth.diagonal() < 1]  # an image that has itself for partner is whole
    assert len(shares) > 1480
    assert stats.kstest(shares.numpy(), stats.beta(0.7, 0.7).cdf).pvalue > 0.01


def test_cutmix_shares_are_spread_as_torchvisions():
    _, truth = mixed(1500, height=32, width=24, cutmix=1.0)
    shares = truth.diagonal()
    torch.manual_seed(0)
    theirs = v2.CutMix(alpha=1.0, num_classes=2)
    images, labels = torch.zeros(2, 1, 32, 24), torch.tensor([0, 1])
    expected = [float(theirs(images, labels)[1][0, 0]) for _ in range(800)]
    assert stats.ks_2samp(shares.numpy(), expected).pvalue > 0.01


def test_cutmix_pastes_a_rectangle():
    images, _ = mixed(40, cutmix=1.0)
    pasted = (images[:, 0] != torch.arange(40.0).view(40, 1, 1)).numpy()
    for mask in pasted:
        rows, columns = mask.any(1), mask.any(0)
        np.testing.assert_array_equal(mask, rows[:, None] & columns)
        assert all(np.abs(np.diff(edge.astype(int), prepend=0, append=0)).sum() <= 2 for edge in (rows, columns))


def test_a_mosaic_is_four_images_about_a_cross_away_from_the_border():
    images, _ = mixed(600, height=10, width=20, mosaic=0.3)
    images = images[:, 0].numpy()
    corners = images[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    of_four = [image for image, four in zip(images, corners, strict=True) if len(set(four)) == 4]
    assert 0.24 < len(of_four) / 600 < 0.36
    down = [(image[:, 0] == image[0, 0]).sum() for image in of_four]
    across = [(image[0] == image[0, 0]).sum() for image in of_four]
    for image, y, x in zip(of_four, down, across, strict=True):
        for part in (image[:y, :x], image[:y, x:], image[y:, :x], image[y:, x:]):
            assert len(np.unique(part)) == 1
    assert (min(down), max(down), min(across), max(across)) == (2, 8, 4, 16)


def test_of_several_ways_each_batch_has_one_and_all_are_as_frequent():
    counts = {"mixup": 0, "cutmix": 0, "mosaic": 0}
    for seed in range(300):
        images, _ = mixed(8, seed, height=8, width=8, mixup=1.0, cutmix=1.0, mosaic=1.0)
        greys = max(len(np.unique(image)) for image in images.numpy())
        counts[{1: "mixup", 2: "cutmix"}.get(greys, "mosaic")] += 1
    assert all(70 < count < 130 for count in counts.values())
