"""Augmentation of a whole batch on its device; every image is changed by random numbers of its own."""

import torch
from torch import Tensor

from ...core.errors import UsageError
from ..recipe import Recipe
from . import geometric, intensity

DRAWS = (
    *("rotate", "flip", "flip_vertical", "scale", "aspect", "shear", "shift_x", "shift_y", "crop_x", "crop_y"),
    *("window_x", "window_y", "blur", "hue", "saturation", "gamma", "gain", "offset", "noise"),
)


def augment(batch: Tensor, recipe: Recipe, generator: torch.Generator, black: Tensor, white: Tensor) -> Tensor:
    """Return the batch, changed as the recipe's settings from rotate to noise say; those that are off cost nothing.

    batch: normalised, float (n, channels, height, width), not changed; black, white: (1, channels, 1, 1), the
    normalised values of raw 0 and of full scale. The order is: one resampling for all that moves pixels, blur,
    saturation, hue, gamma, gain (about zero), offset, noise.
    Random numbers are drawn from `generator` on the processor, always the same number of them, so that an image is
    turned alike on every device and whatever other settings are. Only the noise is drawn on the device, with a seed
    from `generator`.
    Raises UsageError when hue or saturation is on and the images do not have three channels.
    """
    n = len(batch)
    numbers = torch.rand(len(DRAWS) + 2 * geometric.TRIES, n, generator=generator)
    draw = dict(zip(DRAWS, numbers, strict=False))
    tries = numbers[len(DRAWS) :].view(2, geometric.TRIES, n)

    out = geometric.warp(batch, recipe, draw, tries, black)
    if recipe.blur:
        out = intensity.blur(out, draw["blur"] * recipe.blur, intensity.kernel_radius(recipe.blur))
    if recipe.hue or recipe.saturation or recipe.gamma:
        _check_colours(recipe, batch)
        out = (out - black).div_(white - black)
        if recipe.saturation:
            out = intensity.saturate(out, 1 + geometric.spread(draw["saturation"], recipe.saturation))
        if recipe.hue:
            out = intensity.shift_hue(out, geometric.spread(draw["hue"], recipe.hue))
        if recipe.gamma:
            out = out.clamp_(min=0).pow_(intensity.per_image(1 + geometric.spread(draw["gamma"], recipe.gamma), out))
        out = out.mul_(white - black).add_(black)
    if recipe.gain:
        gain = intensity.per_image(1 + geometric.spread(draw["gain"], recipe.gain), out)
        out = torch.mul(out, gain, out=None if out is batch else out)  # writing to memory that is there is faster
    if recipe.offset:
        offset = intensity.per_image(geometric.spread(draw["offset"], recipe.offset), out)
        out = torch.add(out, offset, out=None if out is batch else out)
    if recipe.noise:
        out = intensity.add_noise(out, draw["noise"] * recipe.noise, generator)
    return out


def _check_colours(recipe: Recipe, batch: Tensor) -> None:
    if (recipe.hue or recipe.saturation) and batch.shape[1] != 3:
        name = "hue" if recipe.hue else "saturation"
        raise UsageError(
            f"{name} is {getattr(recipe, name):g} and the images have {batch.shape[1]} channel(s); "
            "hue and saturation are for three: set both to 0"
        )
