"""What another microscope, or a careless day at the same one, does to images: one row of data each.

A function takes images (n, channels, height, width), float64 in shares of full scale (1 is the brightest value that a
camera can give), a strength and a random generator for each image, and returns images of the same shape. What it draws
for an image depends neither on the strength, so that figures by strength are of the same images, nor on other images.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...core import data
from ...core.errors import UsageError, did_you_mean

FloatImages = NDArray[np.float64]
Generators = Sequence[np.random.Generator]  # one an image; empty for what draws nothing
ALONG_SIDES = (2, 3)


@dataclass(frozen=True)
class Perturbation:
    """A change of images, in five strengths.

    unit: of the strengths, ascending. meaning: a line for lists. change: the function of images, strength and random
    generators. draws: whether it draws anything. moves: whether it moves the cell. resembles: settings of methods that
    make such changes in training.
    channels: the fewest that it needs.
    """

    name: str
    unit: str
    strengths: tuple[float, float, float, float, float]
    meaning: str
    change: Callable[[FloatImages, float, Generators], FloatImages]
    resembles: tuple[str, ...] = ()
    channels: int = 1
    draws: bool = False
    moves: bool = False


def perturbed(images: data.Images, perturbation: Perturbation, strength: float, rngs: Generators) -> data.Images:
    """Return images of the same shape and dtype as a perturbation of this strength makes them.

    images: (n, channels, height, width) uint8, uint16 or float32. Whole numbers are rounded, and clipped at full scale
    as a camera's are. Of float32 images full scale is the brightest value of each image, and nothing is clipped.
    Strength 0 returns the images themselves.
    """
    if strength == 0:
        return images
    whole = images.dtype.kind == "u"
    full = np.iinfo(images.dtype.name).max if whole else np.maximum(images.max((1, 2, 3), keepdims=True), 1e-12)
    changed = perturbation.change(images / np.float64(full), strength, rngs) * full
    return (np.rint(changed).clip(0, full) if whole else changed).astype(images.dtype)


def rotate(images: FloatImages, degrees: float, rngs: Generators) -> FloatImages:
    """Return images rotated about their centre (bilinear, mirrored at the edges)."""
    rotated: FloatImages = ndimage.rotate(images, degrees, axes=ALONG_SIDES, reshape=False, order=1, mode="mirror")
    return rotated


def defocus(images: FloatImages, sigma: float, rngs: Generators) -> FloatImages:
    """Return images blurred by a Gaussian of `sigma` pixels, mirrored at the edges."""
    blurred: FloatImages = ndimage.gaussian_filter(images, sigma, axes=ALONG_SIDES, mode="mirror")
    return blurred


def illuminate(images: FloatImages, slope: float, rngs: Generators) -> FloatImages:
    """Return images times a ramp from 1 - slope at one edge to 1 + slope at the opposite one, for each image drawn."""
    height, width = images.shape[2:]
    across = np.broadcast_to(np.linspace(-1, 1, width), (height, width))
    down = np.broadcast_to(np.linspace(-1, 1, height)[:, None], (height, width))
    ramps = np.stack([across, -across, down, -down])
    return images * (1 + slope * ramps[[rng.integers(4) for rng in rngs]])[:, None]


def multiply(sign: int, images: FloatImages, share: float, rngs: Generators) -> FloatImages:
    """Return images brighter (sign 1) or dimmer (sign -1) by a share."""
    return images * (1 + sign * share)


def add(images: FloatImages, share: float, rngs: Generators) -> FloatImages:
    """Return images with this share of full scale added to every pixel."""
    return images + share


def count_photons(images: FloatImages, noise: float, rngs: Generators) -> FloatImages:
    """Return images as counts of photons: Poisson, with 1 / noise² photons at full scale.

    The standard deviation of a pixel at full scale is then `noise`.
    """
    photons = 1 / noise**2
    return np.stack([rng.poisson(image * photons) for rng, image in zip(rngs, images.clip(0), strict=True)]) / photons


def bleach(images: FloatImages, share: float, rngs: Generators) -> FloatImages:
    """Return images of which one channel, drawn for each image, has lost this share of its light."""
    channel = [rng.integers(images.shape[1]) for rng in rngs]
    changed = images.copy()
    changed[np.arange(len(images)), channel] *= 1 - share
    return changed


def lose_channel(images: FloatImages, share: float, rngs: Generators) -> FloatImages:
    """Return images; in this share of them one channel, drawn for each image, is black."""
    drawn = [(rng.integers(images.shape[1]), rng.random()) for rng in rngs]
    channel, chance = (np.array(each) for each in zip(*drawn, strict=True))
    changed = images.copy()
    lost = np.flatnonzero(chance < share)
    changed[lost, channel[lost]] = 0
    return changed


def resample(sign: int, images: FloatImages, share: float, rngs: Generators) -> FloatImages:
    """Return images taken with pixels that are larger (sign 1) or smaller (sign -1) by a share, as many of them.

    The centre stays where it is; values are bilinear, mirrored at the edges.
    """
    step = 1 + sign * share
    offset = [0.0, 0.0, *((side - 1) / 2 * (1 - step) for side in images.shape[2:])]
    resampled: FloatImages = ndimage.affine_transform(images, [1.0, 1.0, step, step], offset, order=1, mode="mirror")
    return resampled


SHARES = (0.1, 0.2, 0.4, 0.6, 0.8)
OF_SCALE = (0.02, 0.05, 0.1, 0.2, 0.3)
SHARES_OF_IMAGES = (0.2, 0.4, 0.6, 0.8, 1)
SLOPES = (0.1, 0.2, 0.3, 0.4, 0.5)
PIXELS = (0.04, 0.08, 0.12, 0.16, 0.2)
GAINS, SCALES = ("gain",), ("scale", "resized_crop")  # settings of nets

PERTURBATIONS = {
    one.name: one
    for one in (
        Perturbation(
            "rotation", "degrees", (5, 15, 30, 45, 90), "turned about the centre", rotate, ("rotate",), moves=True
        ),
        Perturbation("defocus", "pixels", (0.5, 1, 1.5, 2, 3), "Gaussian blur of this sigma", defocus, ("blur",)),
        Perturbation("illumination", "share", SLOPES, "a ramp of light across the image", illuminate, draws=True),
        Perturbation("dimmer", "share", SHARES, "gain reduced", partial(multiply, -1), GAINS),
        Perturbation("brighter", "share", SHARES, "gain raised, clipped at full scale", partial(multiply, 1), GAINS),
        Perturbation("offset", "of full scale", OF_SCALE, "background added", add, ("offset",)),
        Perturbation("photon-noise", "of full scale", OF_SCALE, "fewer photons", count_photons, ("noise",), draws=True),
        Perturbation("bleaching", "share", SHARES, "light lost in one channel of each image", bleach, (), 2, True),
        Perturbation("missing-channel", "of images", SHARES_OF_IMAGES, "a black channel", lose_channel, (), 2, True),
        Perturbation(
            "finer-pixels", "share", PIXELS, "smaller pixels: larger cells", partial(resample, -1), SCALES, moves=True
        ),
        Perturbation(
            "coarser-pixels", "share", PIXELS, "larger pixels: smaller cells", partial(resample, 1), SCALES, moves=True
        ),
    )
}


def choose(names: tuple[str, ...] = ()) -> list[Perturbation]:
    """Return the perturbations of these names, or all. Raises UsageError for a name that is unknown."""
    for name in names:
        if name not in PERTURBATIONS:
            raise UsageError(f"no perturbation is called {name!r}; {did_you_mean(name, PERTURBATIONS)}")
    return [one for name, one in PERTURBATIONS.items() if not names or name in names]
