"""Statistics that raw pixels are normalised by; they come from the training images only."""

import torch
from torch import Tensor

from .nets.third_party import IMAGENET

CHUNK_PIXELS = 2**22  # that statistics are taken of at a time


def full_scale(images: Tensor) -> float:
    """Return the raw value that counts as white: the largest of integer types, of float images the largest in them."""
    if images.dtype.is_floating_point:
        return max(float(images.amax()), torch.finfo(torch.float32).tiny)
    return float(torch.iinfo(images.dtype).max)


def mean_and_deviation(images: Tensor, kind: str, full: float) -> tuple[Tensor, Tensor]:
    """Return the mean and deviation to normalise raw images by, each (1, channels, 1, 1) float32.

    kind: 'train' is these images' own statistics; 'half' brings 0..full to -1..1; 'imagenet' is ImageNet's, for
    another number of channels than three their average.
    """
    channels = images.shape[1]
    if kind == "train":
        return channel_statistics(images)
    if kind == "half":
        values = torch.full((2, channels), 0.5)
    else:
        values = torch.tensor(IMAGENET)
        values = values if channels == 3 else values.mean(1, keepdim=True).expand(2, channels)
    mean, deviation = (values * full).view(2, 1, channels, 1, 1)
    return mean, deviation


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of each channel, each (1, channels, 1, 1) float32, on the images' device.

    They are computed chunk by chunk to save memory; sums over an image are in float32, sums over images in float64.
    """
    total = torch.zeros(2, images.shape[1], dtype=torch.float64, device=images.device)
    for chunk in images.split(max(1, CHUNK_PIXELS // images[0].numel())):
        values = chunk.to(torch.float32)
        sums = torch.stack([values.sum((2, 3)), values.square().sum((2, 3))])
        total += sums.to(torch.float64).sum(1)
    mean, square = total / (images.numel() / images.shape[1])
    deviation = (square - mean**2).clamp(min=0).sqrt()
    deviation[deviation <= 1e-6 * mean.abs()] = 1  # an empty channel stays zero
    return mean.to(torch.float32).view(1, -1, 1, 1), deviation.to(torch.float32).view(1, -1, 1, 1)
