"""Made-up images whose faults are known."""

import numpy as np

from cellbench.core.data import Dataset, Split

CLASSES = ("round", "oval", "dotted")


def textures(n: int, seed: int = 0, channels: int = 1, size: int = 24) -> np.ndarray:
    """Images (n, channels, size, size) uint8 that have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 200, (n, channels, 6, 6)).repeat(size // 6, 2).repeat(size // 6, 3)
    return (coarse + rng.normal(0, 4, coarse.shape)).clip(0, 255).astype(np.uint8)


def random_split(n: int, seed: int = 0) -> Split:
    train, val, test = np.split(np.random.default_rng(seed).permutation(n), [n * 6 // 10, n * 8 // 10])
    return Split("random", np.sort(train), np.sort(val), np.sort(test))


def block_split(n: int, size: int) -> Split:
    """Blocks of neighbours, each whole in one part."""
    block = np.arange(n) // size % 5
    return Split("blocks", *(np.flatnonzero(np.isin(block, own)) for own in ((0, 1, 2), (3,), (4,))))


def dataset(images: np.ndarray, labels: np.ndarray | None = None, split: Split | None = None, groups=None) -> Dataset:
    n = len(images)
    labels = np.arange(n) * len(CLASSES) // n if labels is None else labels  # sorted by class, as files often are
    channels = tuple(f"channel {k}" for k in range(images.shape[1]))
    return Dataset("made", images, labels.astype(np.int64), CLASSES, channels, split or random_split(n), groups)


def drift(n: int, length: int, seed: int = 0) -> np.ndarray:
    """Values (n,) that neighbours share for about `length` places."""
    rng = np.random.default_rng(seed)
    keep = np.exp(-1 / length)
    values, shocks = np.empty(n), rng.normal(size=n)
    values[0] = shocks[0]
    for i in range(1, n):
        values[i] = keep * values[i - 1] + np.sqrt(1 - keep**2) * shocks[i]
    return values
