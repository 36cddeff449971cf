"""AlexNet: torchvision's layers with a stem and a head that suit the image."""

import torchvision
from torch import nn

SMALL = 96  # up to this many pixels the stock 11×11 stride-4 stem leaves a single position to the last layers


def alexnet(channels: int, classes: int, size: int, width: int = 1024) -> nn.Module:
    """torchvision's AlexNet features, flattened into two hidden layers of `width`.

    Source: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014, as torchvision has
    it. Images up to 96 pixels get a 5×5 stride-2 stem; the stock head of 4096 would hold 99 % of the weights.
    Needs at least 31 pixels.
    """
    # num_classes=1 and then a head of our own: torchvision builds its 58 million weights in any case
    features = torchvision.models.AlexNet(num_classes=1).features
    if size <= SMALL:
        features[0] = nn.Conv2d(channels, 64, 5, stride=2, padding=2)
    elif channels != 3:
        features[0] = nn.Conv2d(channels, 64, 11, stride=4, padding=2)
    side = _side_after(features, size)
    net = nn.Sequential(
        features,
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(256 * side * side, width),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(width, width),
        nn.ReLU(inplace=True),
        nn.Linear(width, classes),
    )
    for layer in net.modules():  # without batch norm, torch's own weights are too small for the signal to reach the end
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return net


def _side_after(features: nn.Sequential, size: int) -> int:
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            size = (size + 2 * layer.padding[0] - layer.kernel_size[0]) // layer.stride[0] + 1  # type: ignore[operator]
        elif isinstance(layer, nn.MaxPool2d):
            size = (size - 3) // 2 + 1
    return size
