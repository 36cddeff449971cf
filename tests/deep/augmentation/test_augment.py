"""Augmentation: each option against torchvision, scipy or a hand computation, and what holds for all of them."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as tv

from cellbench.core.errors import UsageError
from cellbench.deep.augmentation import geometric, intensity
from cellbench.deep.augmentation.augment import DRAWS, augment
from cellbench.deep.recipe import Recipe

STILL = {"rotate": 0.0, "flip": False, "scale": 0.0, "shift": 0.0, "gain": 0.0}
EVERY_OPTION = [
    *({"rotate": 30}, {"flip": True}, {"flip_vertical": True}, {"scale": 0.2}, {"shift": 0.1}, {"aspect": 0.2}),
    *(
        {"shear": 20},
        {"random_crop": 3},
        {"random_crop": 3, "fill": "zero"},
        {"resized_crop": 0.3},
        {"gain": 0.2},
        {"offset": 0.2},
    ),
    *({"gamma": 0.3}, {"hue": 0.1}, {"saturation": 0.4}, {"blur": 1.5}, {"noise": 0.2}, {"rotate": 90, "fill": "zero"}),
]
BLACK, WHITE = torch.tensor([-1.0, -2.0, -0.5]).view(1, 3, 1, 1), torch.tensor([3.0, 2.0, 4.0]).view(1, 3, 1, 1)


def noise_images(n=4, height=16, width=16, channels=3):
    raw = torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(9))
    return BLACK[:, :channels] + raw * (WHITE - BLACK)[:, :channels]


def augmented(batch, seed=0, **settings):
    channels = batch.shape[1]
    generator = torch.Generator().manual_seed(seed)
    return augment(batch, Recipe(**{**STILL, **settings}), generator, BLACK[:, :channels], WHITE[:, :channels])


def moved(batch, recipe, **draws):
    """The batch moved by uniform draws of a half, which is no movement, but for those that are given."""
    n, channels = batch.shape[:2]
    draw = {name: torch.full((n,), draws.get(name, 0.5)) for name in DRAWS}
    tries = torch.full((2, geometric.TRIES, n), 0.5)
    return geometric.warp(batch, Recipe(**{**STILL, **recipe}), draw, tries, BLACK[:, :channels])


def smooth(height, width):
    """An image (1, 1, height, width) without sharp edges, which two interpolations can agree on."""
    raw = np.random.default_rng(4).random((height, width))
    return torch.from_numpy(ndimage.gaussian_filter(raw, 2) * 5).to(torch.float32)[None, None]


def test_with_everything_off_the_batch_itself_comes_back():
    batch = noise_images()
    assert augmented(batch) is batch


@pytest.mark.parametrize("settings", EVERY_OPTION, ids=lambda settings: "-".join(settings))
def test_every_option_repeats_by_seed_differs_by_image_and_leaves_the_batch_alone(settings):
    batch = noise_images(1).repeat(6, 1, 1, 1)
    before = batch.clone()
    out = augmented(batch, **settings)
    assert torch.equal(out, augmented(batch, **settings))
    assert len({tuple(image.flatten().tolist()) for image in out}) > 1
    assert torch.equal(batch, before)
    assert out.shape == batch.shape


def test_images_turn_alike_whatever_else_is_on():
    batch = noise_images()
    turned = augmented(batch, rotate=90)
    brighter = augmented(batch, rotate=90, gain=0.2)
    ratio = (brighter / turned).flatten(1)
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio), rtol=1e-4, atol=0)


def test_turning_shearing_scaling_and_shifting_together_are_torchvisions_affine():
    image = smooth(30, 42)
    recipe = {"rotate": 40, "shear": 20, "scale": 0.2, "shift": 0.5, "fill": "zero"}
    # a draw of u is (2u - 1) of the range: 20 degrees, 5 degrees, a size of 1.1, 4.2 and -6 pixels
    ours = moved(image, recipe, rotate=0.75, shear=0.625, scale=0.75, shift_x=0.6, shift_y=0.3)
    theirs = tv.affine(image - BLACK[:, :1], 20, [4.2, -6.0], 1.1, [5.0, 0.0], interpolation=InterpolationMode.BILINEAR)
    torch.testing.assert_close(ours, theirs + BLACK[:, :1], atol=1e-4, rtol=0)


def test_beyond_the_border_lies_a_mirror_image_as_scipy_has_it():
    image = smooth(24, 36)
    # 60 degrees, and the side ratio 1.44: 1.2 times as wide and as low
    ours = moved(image, {"rotate": 120, "aspect": 0.88}, rotate=0.75, aspect=0.75)
    c, s = math.cos(math.pi / 3), math.sin(math.pi / 3)
    to_source = np.array([[1.2 * c, -1.2 * s], [s / 1.2, c / 1.2]])  # rows are y, x
    centre = np.array([11.5, 17.5])
    theirs = ndimage.affine_transform(
        image[0, 0].numpy(), to_source, centre - to_source @ centre, order=1, mode="reflect"
    )
    np.testing.assert_allclose(ours[0, 0], theirs, atol=1e-4)


def test_a_flip_mirrors_half_of_the_images_exactly():
    batch = noise_images(1, 5, 7).repeat(400, 1, 1, 1)
    for axis, settings in ((3, {"flip": True}), (2, {"flip_vertical": True})):
        out = augmented(batch, **settings)
        mirrored, kept = ((out == other).flatten(1).all(1) for other in (batch.flip(axis), batch))
        assert bool((mirrored ^ kept).all())
        assert 160 < int(mirrored.sum()) < 240


@pytest.mark.parametrize("fill", ["mirror", "zero"])
def test_a_crop_moves_whole_pixels_exactly_and_everywhere_in_its_range(fill):
    image = noise_images(1, 6, 9, 1)
    out = augmented(image.repeat(300, 1, 1, 1), random_crop=2, fill=fill)
    black = float(BLACK[0, 0, 0, 0])
    padded = np.pad(
        image[0, 0].numpy(), 2, **({"mode": "symmetric"} if fill == "mirror" else {"constant_values": black})
    )
    windows = np.stack([padded[y : y + 6, x : x + 9] for y in range(5) for x in range(5)])
    # black is taken away and added again, which may cost the last bit
    distance = np.abs(out.numpy() - windows[None]).max((2, 3))
    assert distance.min(1).max() <= (0 if fill == "mirror" else 2e-7)
    assert np.bincount(distance.argmin(1), minlength=25).min() > 0


def test_a_resized_crop_is_torchvisions_of_the_same_window():
    image = smooth(40, 40)
    # an area of 0.68 and, on a logarithmic scale, a ratio of half way: 33 by 33 at (4, 4)
    ours = moved(image, {"resized_crop": 0.36})
    theirs = tv.resized_crop(image, 4, 4, 33, 33, [40, 40], antialias=False)
    # at the window's edge torchvision repeats the last pixel, where we read the neighbour that the image has
    torch.testing.assert_close(ours[..., 1:-1, 1:-1], theirs[..., 1:-1, 1:-1], atol=1e-5, rtol=0)


def test_windows_of_a_resized_crop_are_spread_as_torchvisions():
    n, height, width = 4000, 48, 64
    tries = torch.rand(2, geometric.TRIES, n, generator=torch.Generator().manual_seed(1))
    wide, high = geometric.crop_windows(tries, 0.2, height, width)
    torch.manual_seed(1)
    crop = v2.RandomResizedCrop((height, width), scale=(0.2, 1.0))
    image = torch.empty(1, height, width)
    theirs = [crop.make_params([image]) for _ in range(1500)]
    assert stats.ks_2samp(wide.numpy(), [each["width"] for each in theirs]).pvalue > 0.01
    assert stats.ks_2samp(high.numpy(), [each["height"] for each in theirs]).pvalue > 0.01


def test_a_window_that_never_fits_becomes_the_largest_that_is_allowed():
    tries = torch.tensor([1.0, 1.0]).view(2, 1, 1).expand(2, geometric.TRIES, 1)  # the whole area at 4/3
    wide, high = geometric.crop_windows(tries, 0.5, 30, 100)
    assert (wide.item(), high.item()) == (40, 30)


def test_gain_is_a_factor_within_its_range():
    out = augmented(torch.ones(500, 1, 4, 4), gain=0.2).mean((1, 2, 3))
    assert 0.8 <= out.min() < 0.82
    assert 1.18 < out.max() <= 1.2


def test_offset_is_a_sum_within_its_range():
    out = augmented(torch.ones(500, 1, 4, 4), offset=0.3).mean((1, 2, 3))
    assert 0.7 <= out.min() < 0.73
    assert 1.27 < out.max() <= 1.3


def test_gamma_is_one_exponent_an_image_between_black_and_white():
    raw = torch.tensor([0.0, 0.25, 0.5, 1.0])
    batch = (-1 + 4 * raw).view(1, 1, 1, 4).repeat(300, 1, 1, 1)
    out = (augmented(batch, gamma=0.3)[:, 0, 0] + 1) / 4
    exponent = torch.log(out[:, 2]) / math.log(0.5)
    torch.testing.assert_close(out[:, 1], 0.25**exponent)
    assert 0.7 <= exponent.min() < 0.73
    assert 1.27 < exponent.max() <= 1.3
    torch.testing.assert_close(out[:, [0, 3]], torch.tensor([[0.0, 1.0]]).expand(300, 2))


def test_hue_turns_as_torchvisions_to_a_hundred_thousandth():
    batch = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    batch[:, :, 0] = batch[:, :1, 0]  # grey, which has no hue
    turns = torch.tensor([-0.5, -0.2, 0.0, 0.1, 0.45])
    theirs = torch.stack([tv.adjust_hue(image, float(turn)) for image, turn in zip(batch, turns, strict=True)])
    torch.testing.assert_close(intensity.shift_hue(batch, turns), theirs, atol=1e-5, rtol=0)


def test_saturation_is_torchvisions_to_a_millionth():
    batch = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    factors = torch.tensor([0.0, 0.6, 1.0, 1.9])
    theirs = torch.stack([tv.adjust_saturation(image, float(f)) for image, f in zip(batch, factors, strict=True)])
    torch.testing.assert_close(intensity.saturate(batch, factors), theirs, atol=1e-6, rtol=0)


def test_colour_is_changed_between_black_and_white_so_that_grey_stays_grey():
    grey = BLACK + torch.rand(8, 1, 6, 6, generator=torch.Generator().manual_seed(5)) * (WHITE - BLACK)
    # torchvision's weights of red, green and blue add up to 0.9999
    torch.testing.assert_close(augmented(grey, hue=0.5, saturation=1.0), grey, atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ["hue", "saturation"])
def test_colour_is_refused_where_there_is_none(name):
    with pytest.raises(UsageError, match=rf"^{name} is 0.1 and the images have 1 channel\(s\); .* set both to 0$"):
        augmented(noise_images(channels=1), **{name: 0.1})


def test_blur_is_torchvisions_gaussian_of_each_images_sigma():
    batch = noise_images(3, 20, 24)
    sigmas = torch.tensor([0.0, 0.8, 1.6])
    ours = intensity.blur(batch, sigmas, 5)
    torch.testing.assert_close(ours[0], batch[0])
    for i in (1, 2):
        theirs = tv.gaussian_blur(batch[i], [11, 11], [float(sigmas[i])] * 2)
        torch.testing.assert_close(ours[i], theirs, atol=1e-5, rtol=0)


def test_blur_is_drawn_up_to_its_sigma():
    point = torch.zeros(300, 1, 31, 31)
    point[:, :, 15, 15] = 1
    out = augmented(point, blur=2.0).double()
    spread = (out.sum(2)[:, 0] * (torch.arange(31) - 15) ** 2).sum(1).sqrt()
    assert spread.min() < 0.3
    assert 1.9 < spread.max() <= 2.0


def test_noise_is_normal_about_nothing_with_a_deviation_of_each_images_own():
    noise = augmented(torch.zeros(200, 1, 48, 48), noise=0.5).flatten(1)
    deviation = noise.std(1)
    assert stats.kstest(deviation.numpy(), stats.uniform(0, 0.5).cdf).pvalue > 0.01
    pooled = (noise / deviation[:, None]).flatten()[::50]
    assert stats.kstest(pooled.numpy(), stats.norm.cdf).pvalue > 0.01


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("settings", [each for each in EVERY_OPTION if "noise" not in each], ids=str)
def test_a_gpu_augments_as_the_processor_does(settings):
    batch = noise_images()
    recipe, generator = Recipe(**{**STILL, **settings}), torch.Generator().manual_seed(0)
    there = augment(batch.cuda(), recipe, generator, BLACK.cuda(), WHITE.cuda()).cpu()
    torch.testing.assert_close(there, augmented(batch, **settings), atol=1e-3, rtol=0)
