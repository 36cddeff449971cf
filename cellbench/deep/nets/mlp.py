"""Multilayer perceptron: the net that knows nothing of images."""

from torch import nn


def mlp(channels: int, classes: int, size: int, width: int = 512) -> nn.Module:
    """Return a net of two hidden layers on flattened pixels, with batch norm so that raw intensities train well."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(channels * size * size, width),
        nn.BatchNorm1d(width),
        nn.ReLU(inplace=True),
        nn.Linear(width, width),
        nn.BatchNorm1d(width),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(width, classes),
    )
