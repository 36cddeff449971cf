"""VGG: torchvision's convolutions, and a head of 512–512 in place of 4096–4096."""

from collections import OrderedDict

from torch import nn
from torchvision.models.vgg import cfgs, make_layers

LAYERS = {11: "A", 13: "B", 16: "D", 19: "E"}


def vgg(depth: int, channels: int, classes: int, size: int, width: int = 512, batch_norm: bool = True) -> nn.Module:
    """Return VGG-11, 13, 16 or 19. Needs images of at least 32 pixels.

    Source: Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015.
    """
    features = make_layers(cfgs[LAYERS[depth]], batch_norm=batch_norm)
    features[0] = nn.Conv2d(channels, 64, 3, padding=1)
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    side = size // 32
    classifier = nn.Sequential(
        nn.Linear(512 * side * side, width),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(width, width),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(width, classes),
    )
    return nn.Sequential(OrderedDict(features=features, flatten=nn.Flatten(), classifier=classifier))
