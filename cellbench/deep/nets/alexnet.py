"""AlexNet: torchvision's layers, with a stem and a head that suit the image, or with the HEp-2 study's head."""

from collections import OrderedDict

import torchvision
from torch import nn

from .layers import values_after, wants_small


def alexnet(channels: int, classes: int, size: int, width: int = 1024, stem: str | None = None) -> nn.Module:
    """Return a net of torchvision's AlexNet features, flattened, and two hidden layers of `width`.

    Source: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014, as torchvision has
    it. Images up to 96 pixels get a 5×5 stride-2 stem: the stock 11×11 stride-4 one leaves a single position to the
    last layers, and needs 63 pixels. The stock head of 4096 would hold 99 % of the weights.
    """
    features = _features()
    if wants_small(stem, size):
        features[0] = nn.Conv2d(channels, 64, 5, stride=2, padding=2)
    elif channels != 3:
        features[0] = nn.Conv2d(channels, 64, 11, stride=4, padding=2)
    classifier = nn.Sequential(
        nn.Dropout(0.5),
        nn.Linear(values_after(features, channels, size), width),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(width, width),
        nn.ReLU(inplace=True),
        nn.Linear(width, classes),
    )
    net = nn.Sequential(OrderedDict(features=features, flatten=nn.Flatten(), classifier=classifier))
    for layer in net.modules():  # without batch norm, torch's own weights are too small for the signal to reach the end
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return net


def alexnet_hep2(channels: int, classes: int, size: int) -> nn.Module:
    """Return torchvision's AlexNet with the classifier of the HEp-2 study, 9216 → 4096 → 4096 → 1000 → classes.

    Source: github.com/george-chou/HEp-2_cell_classification (images of 300 pixels). Needs at least 63 pixels.
    """
    features = _features()
    if channels != 3:
        features[0] = nn.Conv2d(channels, 64, 11, stride=4, padding=2)
    hidden: list[nn.Module] = []
    for given, made in ((256 * 6 * 6, 4096), (4096, 4096), (4096, 1000)):
        hidden += [nn.Dropout(0.5), nn.Linear(given, made), nn.ReLU(inplace=True)]
    classifier = nn.Sequential(*hidden, nn.Linear(1000, classes))
    pool = nn.AdaptiveAvgPool2d(6)
    return nn.Sequential(OrderedDict(features=features, avgpool=pool, flatten=nn.Flatten(), classifier=classifier))


def _features() -> nn.Sequential:
    # num_classes=1 and then a head of our own: torchvision builds its 58 million weights in any case
    return torchvision.models.AlexNet(num_classes=1).features
