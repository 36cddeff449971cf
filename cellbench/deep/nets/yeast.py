"""The nets of the yeast study (github.com/DearRush/Deep-learning), layer by layer as it ran them."""

from torch import nn

from .layers import values_after


def cnn2_yeast(channels: int, classes: int, size: int) -> nn.Module:
    """Return a net of two convolutions, 5 and 10 wide. Needs images of at least 32 pixels.

    It has 19,602 parameters at 3 × 64 × 64 and 12 classes.
    """
    features = nn.Sequential(
        nn.Conv2d(channels, 5, 5),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
        nn.Conv2d(5, 10, 11),
        nn.Dropout2d(0.5),
        nn.MaxPool2d(4),
        nn.ReLU(inplace=True),
        nn.Flatten(),
    )
    return nn.Sequential(*features, *_hidden(values_after(features, channels, size), 50, classes))


def cnn3_yeast(channels: int, classes: int, size: int) -> nn.Module:
    """Return a net of three convolutions, 5, 10 and 20 wide. Needs images of at least 32 pixels.

    It has 132,922 parameters at 3 × 64 × 64 and 12 classes.
    """
    features = nn.Sequential(
        nn.Conv2d(channels, 5, 5),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
        nn.Conv2d(5, 10, 7),
        nn.Dropout2d(0.5),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
        nn.Conv2d(10, 20, 3),
        nn.Dropout2d(0.5),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
        nn.Flatten(),
    )
    return nn.Sequential(*features, *_hidden(values_after(features, channels, size), 250, classes))


def _hidden(given: int, width: int, classes: int) -> list[nn.Module]:
    return [nn.Linear(given, width), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(width, classes)]


def vgg_yeast(channels: int, classes: int, size: int, batch_norm: bool = True) -> nn.Module:
    """Return the study's "VGG16", which has 11 layers. Needs images of at least 8 pixels.

    It has 10,986,316 parameters at 3 × 64 × 64 and 12 classes. Batch norm comes after ReLU, and between the linear
    layers there is no activation.
    """
    layers: list[nn.Module] = []
    for block in ((64, 64), (128, 128), (256, 256, 256, 256)):
        for width in block:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            if batch_norm:
                layers.append(nn.BatchNorm2d(width))
            channels = width
        layers.append(nn.MaxPool2d(2))
    side = size // 8
    layers += [nn.Flatten(), nn.Linear(channels * side * side, 512), nn.Dropout(0.5)]
    layers += [nn.Linear(512, 512), nn.Dropout(0.5), nn.Linear(512, classes)]
    return nn.Sequential(*layers)
