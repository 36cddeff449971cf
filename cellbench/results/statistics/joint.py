"""How certain a mean over seeds is of what a method does: other images and other seeds would both change it.

An interval over images holds for the models as they were trained, one over seeds for these test images. Neither covers
what is expected of the method, and a difference that shows over each of them alone is still wrong in up to 13 % of
cases. Both are therefore joined by the method of variance estimates recovery (Zou and Donner 2008): the squares of the
halves are added. docs/statistics.md has the simulated coverage.
"""

import math
from dataclasses import replace

from scipy import special

from .bootstrap import SEEDS, Interval

HALVINGS = 60  # of an interval that holds p, so that it is exact to the last digit


def over_images_and_seeds(centre: float, images: Interval, error: float, freedom: float) -> Interval:
    """Return the interval of a mean, or of a difference of means, over images and seeds.

    centre: the mean. images: its interval over images or groups, of the models as trained. error, freedom: its standard
    error over seeds, with degrees of freedom.
    """
    over_seeds = error * special.stdtrit(freedom, (1 + images.level) / 2)
    low = centre - math.hypot(max(0.0, centre - images.low), over_seeds)
    high = centre + math.hypot(max(0.0, images.high - centre), over_seeds)
    return replace(images, low=low, high=high, over=f"{images.over} and {SEEDS}")


def mean_over_images_and_seeds(
    mean: float, images: Interval, sd: float, n: int, least: float = 0.0, most: float = 1.0
) -> Interval:
    """Return the interval of a metric's mean over n seeds with sample standard deviation sd, over images and seeds.

    images: as in `over_images_and_seeds`. least, most: between which the mean lies; the interval ends there too.
    """
    span = over_images_and_seeds(mean, images, sd / math.sqrt(n), n - 1)
    return replace(span, low=max(least, span.low), high=min(most, span.high))


def p_over_images_and_seeds(difference: float, images: Interval, error: float, freedom: float) -> float:
    """Return the two-sided p of no difference: 1 minus the level at which the joint interval just reaches 0.

    images, error, freedom: as above. The interval over images is taken for that of Student's t with n − 1 degrees of
    freedom, n being the number of images or groups.
    """
    of_images = max(1, images.n - 1)
    over_images = images.half_width / special.stdtrit(of_images, (1 + images.level) / 2)
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        p = (low + high) / 2
        over_seeds = error * special.stdtrit(freedom, 1 - p / 2) if error else 0.0
        reaches = math.hypot(over_images * special.stdtrit(of_images, 1 - p / 2), over_seeds) >= abs(difference)
        low, high = (p, high) if reaches else (low, p)
    return high
