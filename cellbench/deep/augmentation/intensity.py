"""Augmentation that leaves pixels where they are: blur, colour and noise."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

RED, GREEN, BLUE = 0.2989, 0.587, 0.114  # the luma of ITU-R BT.601, as torchvision has it


def per_image(numbers: Tensor, batch: Tensor) -> Tensor:
    """Return numbers (n,), one for each image, on the batch's device, in the shape (n, 1, 1, 1) that multiplies it."""
    return numbers.to(batch.device, batch.dtype, non_blocking=True).view(-1, 1, 1, 1)


def kernel_radius(sigma: float) -> int:
    """Return half the width of a Gaussian kernel in pixels: three sigma, which hold all but 0.3 % of it."""
    return max(1, math.ceil(3 * sigma))


def blur(batch: Tensor, sigma: Tensor, radius: int) -> Tensor:
    """Return the batch (n, channels, height, width), each image blurred by a Gaussian of its sigma (n,), in pixels.

    Beyond the border lies a mirror image without the border itself, as in torchvision.
    """
    n, channels, height, width = batch.shape
    radius = min(radius, height - 1, width - 1)
    steps = torch.arange(-radius, radius + 1)
    weights = torch.exp(-0.5 * (steps / sigma.clamp(min=1e-3).view(n, 1)) ** 2)
    weights = (weights / weights.sum(1, keepdim=True)).to(batch.device, batch.dtype, non_blocking=True)
    weights = weights.repeat_interleave(channels, 0).view(n * channels, 1, 1, -1)
    # one group of a depthwise convolution for every image and channel
    planes = F.pad(batch.reshape(1, n * channels, height, width), [radius] * 4, mode="reflect")
    planes = F.conv2d(F.conv2d(planes, weights, groups=n * channels), weights.mT, groups=n * channels)
    return planes.view(batch.shape)


def saturate(batch: Tensor, factor: Tensor) -> Tensor:
    """Return RGB images in 0..1 (n, 3, height, width) with their distance from grey multiplied by a factor (n,)."""
    red, green, blue = batch.split(1, 1)
    grey = RED * red + GREEN * green + BLUE * blue
    return torch.lerp(grey, batch, per_image(factor, batch)).clamp_(0, 1)


def shift_hue(batch: Tensor, turns: Tensor) -> Tensor:
    """Return RGB images in 0..1 (n, 3, height, width) with each image's hue shifted by a number of turns (n,)."""
    most, least = batch.amax(1, keepdim=True), batch.amin(1, keepdim=True)
    chroma = most - least
    red, green, blue = batch.split(1, 1)
    hue = torch.where(
        most == red, green - blue, torch.where(most == green, blue - red + 2 * chroma, red - green + 4 * chroma)
    )
    hue = hue / torch.where(chroma == 0, 1, chroma) + 6 * per_image(turns, batch)  # in sixths of a turn
    place = torch.remainder(hue + torch.arange(5, 0, -2, device=batch.device).view(1, 3, 1, 1), 6)
    return most - chroma * torch.minimum(place, 4 - place).clamp_(0, 1)


def add_noise(batch: Tensor, deviation: Tensor, generator: torch.Generator) -> Tensor:
    """Return the batch plus normal noise of each image's deviation (n,), drawn with a seed from `generator`."""
    seed = int(torch.randint(2**62, (), generator=generator))
    field = torch.Generator(batch.device).manual_seed(seed)
    noise = torch.randn(batch.shape, generator=field, device=batch.device, dtype=batch.dtype)
    return noise.mul_(per_image(deviation, batch)).add_(batch)
