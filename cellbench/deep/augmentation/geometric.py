"""Augmentation that moves pixels: one affine map for each image and one resampling for all."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..recipe import Recipe

TRIES = 10  # windows of a resized crop that are drawn until one fits


def warp(batch: Tensor, recipe: Recipe, draw: dict[str, Tensor], tries: Tensor, black: Tensor) -> Tensor:
    """Return the batch (n, channels, height, width) with each image warped; the batch itself if no pixels are to move.

    An image's window is taken, cropped, flipped, stretched, sheared, turned and shifted, in this order, and then read
    by bilinear interpolation. Flips and crops alone put whole pixels where others were, so their values stay exact.
    draw: uniform numbers 0..1 (n,) by name; tries: (2, TRIES, n), of areas and side ratios; black: (1, channels, 1, 1).
    """
    between = any((recipe.rotate, recipe.scale, recipe.shift, recipe.shear, recipe.aspect, recipe.resized_crop))
    if not (between or recipe.flip or recipe.flip_vertical or recipe.random_crop):
        return batch
    height, width = batch.shape[2:]
    grid = _grid(affine_maps(recipe, draw, tries, height, width), height, width, batch.device)
    mode = "bilinear" if between else "nearest"
    if recipe.fill == "mirror":
        return F.grid_sample(batch, grid, mode, "reflection", align_corners=False)
    return F.grid_sample(batch - black, grid, mode, "zeros", align_corners=False).add_(black)


def affine_maps(recipe: Recipe, draw: dict[str, Tensor], tries: Tensor, height: int, width: int) -> Tensor:
    """Return, for each image, the affine map from a pixel of the result to the place in the image it is read from.

    The maps are matrices (n, 2, 3) that multiply (x, y, 1), in pixels from the centre.
    """
    angle = torch.deg2rad(spread(draw["rotate"], recipe.rotate))
    lean = torch.tan(torch.deg2rad(spread(draw["shear"], recipe.shear)))
    size = 1 + spread(draw["scale"], recipe.scale)
    stretch = torch.sqrt(1 + spread(draw["aspect"], recipe.aspect))
    across = _mirror(draw["flip"], recipe.flip) / (size * stretch)
    down = _mirror(draw["flip_vertical"], recipe.flip_vertical) * stretch / size
    places = torch.tensor(2 * recipe.random_crop + 1)
    to_x, to_y = (_whole_numbers(draw[name], places) - recipe.random_crop for name in ("crop_x", "crop_y"))
    if recipe.resized_crop:
        wide, high = crop_windows(tries, recipe.resized_crop, height, width)
        to_x = to_x + _whole_numbers(draw["window_x"], width - wide + 1) - (width - wide) / 2
        to_y = to_y + _whole_numbers(draw["window_y"], height - high + 1) - (height - high) / 2
        across, down = across * wide / width, down * high / height

    cosine, sine = torch.cos(angle), torch.sin(angle)
    xx, xy = across * (cosine - lean * sine), across * (sine + lean * cosine)
    yx, yy = -down * sine, down * cosine
    shift_x = spread(draw["shift_x"], recipe.shift * width)
    shift_y = spread(draw["shift_y"], recipe.shift * height)
    to_x = to_x - xx * shift_x - xy * shift_y
    to_y = to_y - yx * shift_x - yy * shift_y
    return torch.stack([xx, xy, to_x, yx, yy, to_y], 1).view(-1, 2, 3)


def crop_windows(tries: Tensor, least: float, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return width and height (n,) of windows in whole pixels, as torchvision's RandomResizedCrop draws them.

    The area is a share from `least` to 1, the side ratio from 3/4 to 4/3 on a logarithmic scale. tries: uniform
    numbers 0..1 (2, TRIES, n), for areas and ratios; the first try that fits is taken, or else the largest window
    whose ratio is allowed.
    """
    area = height * width * (least + (1 - least) * tries[0])
    ratio = torch.exp(spread(tries[1], math.log(4 / 3)))
    wide, high = torch.round(torch.sqrt(area * ratio)), torch.round(torch.sqrt(area / ratio))
    fits = (wide > 0) & (wide <= width) & (high > 0) & (high <= height)
    first = fits.int().argmax(0, keepdim=True)
    some = fits.any(0)
    largest_wide, largest_high = min(width, round(height * 4 / 3)), min(height, round(width * 4 / 3))
    return (
        torch.where(some, wide.gather(0, first)[0], float(largest_wide)),
        torch.where(some, high.gather(0, first)[0], float(largest_high)),
    )


def spread(uniform: Tensor, most: float) -> Tensor:
    """Return uniform numbers 0..1 scaled to -most..most."""
    return (2 * uniform - 1) * most


def _mirror(uniform: Tensor, on: bool) -> Tensor:
    return torch.where(uniform < 0.5, -1.0, 1.0) if on else torch.ones_like(uniform)


def _whole_numbers(uniform: Tensor, count: Tensor) -> Tensor:
    """Return whole numbers from 0 to count - 1, equally likely, made from uniform numbers 0..1."""
    # the product may be rounded up to count
    return torch.minimum(torch.floor(uniform * count), count - 1)


def _grid(matrix: Tensor, height: int, width: int, device: torch.device) -> Tensor:
    """Return the grid for grid_sample, (n, height, width, 2) on the device, from matrices on the processor.

    All x lie together, then all y, which is several times faster to write than the order of affine_grid.
    """
    matrix = matrix * torch.tensor([2 / width, 2 / height]).view(2, 1)  # grid_sample has sides of 2
    matrix = matrix.to(device, non_blocking=True)
    x = torch.arange(width, device=device) - (width - 1) / 2
    y = torch.arange(height, device=device) - (height - 1) / 2
    columns = matrix[:, :, 0:1] * x
    rows = matrix[:, :, 1:2] * y + matrix[:, :, 2:3]
    return (rows.unsqueeze(3) + columns.unsqueeze(2)).permute(0, 2, 3, 1)
