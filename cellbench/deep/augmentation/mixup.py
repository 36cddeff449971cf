"""Augmentation that makes one image, and its labels, of several: mixup, CutMix and mosaic."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..recipe import Recipe

LEAST_PART = 0.2  # of a side that a mosaic leaves to an image


def mix(batch: Tensor, truth: Tensor, recipe: Recipe, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the batch (n, channels, height, width) and its labels, float (n, classes), mixed as the recipe says.

    If several of mixup, cutmix and mosaic are on, a batch gets one of them, drawn with equal chances. An image is
    mixed with others of its batch, by a share drawn for it alone; random numbers follow from `generator`, on the
    processor.
    """
    ways = [way for on, way in ((recipe.mixup, _mixup), (recipe.cutmix, _cutmix), (recipe.mosaic, _mosaic)) if on]
    if not ways:
        return batch, truth
    random = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
    return ways[random.integers(len(ways))](batch, truth, recipe, random)


def _mixup(batch: Tensor, truth: Tensor, recipe: Recipe, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Blend each image, and its labels, with another one of the batch (mixup: Zhang et al., 2018)."""
    n = len(batch)
    partner = _on(batch, random.permutation(n))
    share = _on(truth, random.beta(recipe.mixup, recipe.mixup, (n, 1)).astype(np.float32))
    return torch.lerp(batch[partner], batch, share.view(n, 1, 1, 1)), torch.lerp(truth[partner], truth, share)


def _cutmix(batch: Tensor, truth: Tensor, recipe: Recipe, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Paste a rectangle of another image into each image (CutMix: Yun et al., 2019).

    The other image's share of the labels is the share of the area that the rectangle covers.

    The rectangle has the image's proportions and its centre anywhere, so the border may cut some of it off.
    """
    n, _, height, width = batch.shape
    partner = _on(batch, random.permutation(n))
    side = np.sqrt(1 - random.beta(recipe.cutmix, recipe.cutmix, n))
    rows = _stretch(height, side, random)
    columns = _stretch(width, side, random)
    pasted = rows[:, None, :, None] & columns[:, None, None, :]
    share = pasted.mean((1, 2, 3), dtype=np.float32)[:, None]
    mixed = torch.where(_on(batch, pasted), batch[partner], batch)
    return mixed, torch.lerp(truth, truth[partner], _on(truth, share))


def _stretch(length: int, side: NDArray, random: np.random.Generator) -> NDArray[np.bool_]:
    """Return a mask (n, length), true along a stretch about a random centre.

    side: (n,), the length of the stretch as a share of the whole; the border may cut some of it off.
    """
    radius = (length * side / 2).astype(int)[:, None]
    centre = random.integers(length, size=(len(side), 1))
    place = np.arange(length)
    return (place >= centre - radius) & (place < centre + radius)


def _mosaic(batch: Tensor, truth: Tensor, recipe: Recipe, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Make each image of four, which meet at a random point (mosaic: Bochkovskiy et al., 2020).

    Each of the four parts shows what its image has in that place; labels are shared by area. Only a share of the
    images, recipe.mosaic, is changed.
    """
    n, _, height, width = batch.shape
    whole = random.random(n) >= recipe.mosaic  # a point in the corner leaves the image alone
    cut_y = np.where(whole, height, _cut(height, n, random))[:, None]
    cut_x = np.where(whole, width, _cut(width, n, random))[:, None]
    below, right = np.arange(height) >= cut_y, np.arange(width) >= cut_x
    partners = [_on(batch, random.permutation(n)) for _ in range(3)]

    at_right = _on(batch, right[:, None, None, :])
    top = torch.where(at_right, batch[partners[0]], batch)
    bottom = torch.where(at_right, batch[partners[2]], batch[partners[1]])
    mixed = torch.where(_on(batch, below[:, None, :, None]), bottom, top)

    share_whole_numbers = _on(truth, below.mean(1, keepdims=True, dtype=np.float32))
    share_right = _on(truth, right.mean(1, keepdims=True, dtype=np.float32))
    truth_top = torch.lerp(truth, truth[partners[0]], share_right)
    truth_bottom = torch.lerp(truth[partners[1]], truth[partners[2]], share_right)
    return mixed, torch.lerp(truth_top, truth_bottom, share_whole_numbers)


def _cut(length: int, n: int, random: np.random.Generator) -> NDArray[np.int64]:
    return random.integers(round(LEAST_PART * length), round((1 - LEAST_PART) * length) + 1, n)


def _on(like: Tensor, numbers: NDArray) -> Tensor:
    return torch.from_numpy(numbers).to(like.device, non_blocking=True)
