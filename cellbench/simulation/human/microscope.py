"""The confocal microscope and the camera that see simulated human cells: blur, halo, bleed-through, noise and gain.

Units and tensors are those of `renderer`.
"""

import torch
from torch import Tensor

from ..drawing import REAL, Draws, share_light, within
from .cells import CANVAS, MARGIN, SIDE, VARIATION, Slides
from .points import Points, Scene, pixel
from .stains import SHARP, SOFT

HALO_STEP = 4  # side in pixels of the blocks that the halo is computed from
MICROTUBULES, PROTEIN, NUCLEUS, ER = range(4)


def _kept(scene: Scene, points: Points) -> Tensor:
    """Return the share of each point's light that lies in the part of its cell that `where` names, (n,)."""
    if not points.where:
        return torch.ones_like(points.light)
    at, maps = pixel(scene.cells, points), scene.maps
    share = maps.inside.flatten()[at] * (maps.owner.flatten()[at] == points.cell)
    if points.where == "cell":
        return share
    nucleus = maps.nucleus.flatten()[at]
    return share * (nucleus if points.where == "nucleus" else 1 - 0.85 * nucleus)


def splat(scene: Scene, layers: list[tuple[int, Points]], crops: int) -> Tensor:
    """Return a canvas, (crops, 3, CANVAS, CANVAS), with each point's light shared by the four pixels around it."""
    canvas = torch.zeros(crops * 3, CANVAS, CANVAS, dtype=REAL)
    for layer, points in layers:
        seen = within(canvas, points.x, points.y)
        points = Points(points.cell[seen], points.x[seen], points.y[seen], points.light[seen], points.where)
        plane = 3 * scene.cells.crop[points.cell] + layer
        share_light(canvas, plane, points.x, points.y, points.light * _kept(scene, points))
    return canvas.view(crops, 3, CANVAS, CANVAS)


def focus(dense: Tensor, sparse: Tensor, conditions: Slides, draws: Draws) -> Tensor:
    """Return the channels as they reach the camera, (crops, 4, SIDE, SIDE): blurred, with halo and bleed-through."""
    crops = len(dense)
    sigma = conditions["blur"] * draws.factor(VARIATION.focus_sigma, crops)
    sharp, soft = blur_matrix(sigma), blur_matrix(torch.hypot(sigma, torch.tensor(1.6)))
    wide = blur_matrix(torch.hypot(sigma, torch.tensor(7.0)), HALO_STEP)
    shining = dense.clone()
    shining[:, MICROTUBULES] += sparse[:, 0]
    shining[:, PROTEIN] += sparse[:, SHARP]
    image = sharp[:, None] @ shining @ sharp.mT[:, None]
    image[:, PROTEIN] += soft @ sparse[:, SOFT] @ soft.mT
    shining[:, PROTEIN] += sparse[:, SOFT]
    halo = conditions["halo"][:, None, None, None]
    glow = wide[:, None] @ torch.nn.functional.avg_pool2d(shining, HALO_STEP) @ wide.mT[:, None]
    image = (1 - halo) * image + halo * glow
    image[:, PROTEIN] += conditions["bleed"][:, None, None] * image[:, MICROTUBULES]
    return image


def blur_matrix(sigma: Tensor, step: int = 1) -> Tensor:
    """(crops, SIDE, CANVAS / step): Gaussian blur along one axis and the cropping of the margin, in one matrix.

    step: pixels of the canvas that were averaged beforehand, as a wide blur needs no finer ones.
    """
    centres = torch.arange(CANVAS // step, dtype=REAL) * step + (step - 1) / 2
    offset = torch.arange(SIDE, dtype=REAL)[:, None] + MARGIN - centres
    kernel = torch.exp(-0.5 * (offset / sigma[:, None, None]).square())
    return kernel / kernel.sum(2, keepdim=True)


def expose(image: Tensor, conditions: Slides, draws: Draws) -> Tensor:
    """Return grey levels, (crops, 4, SIDE, SIDE) uint8, after background, shot noise, read noise and gain."""
    column = (len(image), 4, 1, 1)
    image = image + conditions["background"].view(column)
    noise = (image / conditions["photons"].view(column) + conditions["read_noise"][:, None, None, None].square()).sqrt()
    image = image + noise * draws.normal(*image.shape)
    return (image * conditions["gain"].view(column)).round_().clamp_(0, 255).to(torch.uint8)
