"""Samples for support vector machines, of any size."""

import numpy as np


def overlapping(n: int, width: int, classes: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """(n, width) float32 of 30 hidden dimensions and noise, of which most samples become support vectors; labels."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, n)
    centres, mixing = 0.5 * rng.normal(size=(classes, 30)), rng.normal(size=(30, width)).astype(np.float32) / 6
    X = np.empty((n, width), np.float32)
    for rows in np.array_split(np.arange(n), 20):  # little memory beside the result: that of the child is measured
        hidden = centres[y[rows]] + rng.normal(size=(len(rows), 30))
        X[rows] = hidden.astype(np.float32) @ mixing + 0.7 * rng.standard_normal((len(rows), width), np.float32)
    return X, y
