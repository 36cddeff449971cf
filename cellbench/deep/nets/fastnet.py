"""A net that is quick on small images: few convolutions, all but the first on maps of 16×16 pixels and less."""

from torch import nn

from .layers import SMALL

STEM = 32
STAGES = ((48, 1), (96, 2), (192, 2))  # (width, convolutions)


def fastnet(channels: int, classes: int, size: int) -> nn.Module:
    """Return a net from images (n, channels, size, size) of any size to scores (n, classes).

    In the spirit of airbench (Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", arXiv 2404.00498, 2024): a
    plain stack of 3×3 convolutions with batch norm, wider where maps are smaller. The first layer strides by 2, and by
    4 for images above 96 pixels; it is learnt, where airbench whitens.
    """
    layers = [*_convolution(channels, STEM, kernel=5, stride=2 if size <= SMALL else 4)]
    width = STEM
    for wider, convolutions in STAGES:
        layers.append(nn.MaxPool2d(2, ceil_mode=True))  # a map of one pixel stays one
        for _ in range(convolutions):
            layers += _convolution(width, wider)
            width = wider
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


def _convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
