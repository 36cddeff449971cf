"""Hand-made features against scikit-image's on both cores. The floor catches a collapse; on a busy machine without
AVX-512 some 5 × were measured."""

import numpy as np
from joblib import Parallel, delayed
from skimage.feature import local_binary_pattern

from cellbench.datasets.toy import rings
from cellbench.features import intensity, texture

QUANTILES = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]


def test_texture_and_intensity_of_2720_images(against):
    images = rings(n=2720, size=78).images

    def ours() -> None:
        texture(images)
        intensity(images)

    def peer() -> None:
        Parallel(n_jobs=2, batch_size=50)(delayed(by_scikit_image)(image[0]) for image in images)

    assert against(ours, peer, "scikit-image through joblib, both cores", rounds=3) > 2


def by_scikit_image(image: np.ndarray) -> np.ndarray:
    """The calls of a tutorial: LBP on a circle of each radius, quantiles and histogram."""
    parts = []
    for radius in (1, 2, 3, 5):
        codes = local_binary_pattern(image, 8, radius, "uniform")[radius:-radius, radius:-radius]
        parts.append(np.histogram(codes, 10, (0, 10), density=True)[0])
    pixels = image / 255
    parts += [np.quantile(pixels, QUANTILES), np.quantile(np.log1p(pixels), QUANTILES)]
    parts += [[pixels.mean(), pixels.std()], np.histogram(pixels, 16, (0, 1), density=True)[0]]
    return np.concatenate(parts)
