"""Rings for tests and for `cellbench check`: small, easy to learn, and like nothing in biology."""

import numpy as np

from ..core.data import Dataset, Info, Split


def rings(
    n: int = 120, classes: int = 3, channels: int = 1, size: int = 32, seed: int = 0, multilabel: bool = False
) -> Dataset:
    """Noisy uint8 images of rings whose radius tells the class; half of them are train, a quarter val, a quarter test.

    multilabel: every other image has a second ring, of the next class, and both labels.
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    centre = rng.uniform(-0.03, 0.03, (2, n, 1, 1))
    distance = np.hypot(x - centre[0], y - centre[1])
    radius = (0.1 + 0.3 * labels / (classes - 1))[:, None, None]
    ring = np.exp(-(((distance - radius) / 0.06) ** 2))
    truth = labels
    if multilabel:
        truth = np.eye(classes, dtype=bool)[labels]
        truth[::2] |= np.roll(truth[::2], 1, axis=1)
        radii = (0.1 + 0.3 * np.arange(classes) / (classes - 1))[None, :, None, None]
        all_rings = np.exp(-(((distance[:, None] - radii) / 0.06) ** 2))
        ring = (all_rings * truth[:, :, None, None]).max(1)
    images = 20 + 60 * ring[:, None] * np.linspace(1, 0.5, channels)[:, None, None]
    images = (images + rng.normal(0, 8, images.shape)).clip(0, 255).astype(np.uint8)
    order = rng.permutation(n)
    train, val, test = (np.sort(part) for part in np.split(order, [n // 2, 3 * n // 4]))
    return Dataset(
        name="toy",
        images=images,
        labels=truth if multilabel else labels.astype(np.int64),
        classes=tuple(f"ring {k}" for k in range(classes)),
        channels=tuple(f"channel {k}" for k in range(channels)),
        split=Split("random", train, val, test),
        info=Info(licence="MIT", citation="none", synthetic=True),
    )
