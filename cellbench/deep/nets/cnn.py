"""A simple convolutional net: what a first course builds."""

from torch import nn

WIDTHS = (32, 64, 128)


def cnn(channels: int, classes: int, size: int, batch_norm: bool = True) -> nn.Module:
    """Return a net of three convolutions, each followed by a pool that halves the image, and one hidden layer.

    Needs images of at least 8 pixels.
    """
    layers: list[nn.Module] = []
    for width in WIDTHS:
        layers.append(nn.Conv2d(channels, width, 3, padding=1, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm2d(width))
        layers += [nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        channels = width
    side = size // 2 ** len(WIDTHS)
    return nn.Sequential(
        *layers,
        nn.Flatten(),
        nn.Linear(channels * side * side, 256),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(256, classes),
    )
