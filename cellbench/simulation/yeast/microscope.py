"""The microscope and the camera that see simulated yeast: light by depth, blur, bleed-through, noise and gain.

Units and tensors are those of `renderer`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..drawing import REAL, Draws, share_light, within
from .cells import CANVAS, MARGIN, SIDE, VARIATION, Cells, Wells
from .dots import Dots

RESAMPLING = 0.35  # weight of the neighbour in each direction
CELL_NOISE = 0.75  # noise of the first channel in units of the second's: its stain is brighter, so exposed for longer


@dataclass(frozen=True)
class Light:
    """What shines in each crop before the microscope, (crops, CANVAS, CANVAS): in focus, near it, far from it."""

    cell: Tensor
    cell_far: Tensor
    protein: Tensor
    protein_far: Tensor
    dots: Tensor
    dots_near: Tensor
    dots_far: Tensor


def collect(cells: Cells, stain: Tensor, protein: Tensor, dots: list[Dots], crops: int, draws: Draws) -> Light:
    """Put the cells and dots of each crop together, by depth."""
    share = torch.where(cells.neighbour, VARIATION.defocused_neighbour_share, VARIATION.defocused_share)
    place = 2 * cells.crop + (draws.uniform(len(cells)) < share).long()

    def overlay(cell_light: Tensor) -> Tensor:
        # Cells in one layer press against each other and hardly overlap, so light doesn't add: a soft maximum.
        summed = torch.zeros(2 * crops, CANVAS * CANVAS, dtype=REAL).index_add_(0, place, cell_light.square().square())
        return summed.sqrt().sqrt().view(crops, 2, CANVAS, CANVAS)

    stained, expressed = overlay(stain), overlay(protein)
    points = splat(dots, crops)
    return Light(
        cell=stained[:, 0],
        cell_far=stained[:, 1],
        protein=expressed[:, 0],
        protein_far=expressed[:, 1],
        dots=points[:, 0],
        dots_near=points[:, 1],
        dots_far=points[:, 2],
    )


def splat(dots: list[Dots], crops: int) -> Tensor:
    """Return a canvas, (crops, 3, CANVAS, CANVAS), with each dot's light shared by the four pixels around it."""
    canvas = torch.zeros(crops * 3, CANVAS, CANVAS, dtype=REAL)
    for group in dots:
        seen = within(canvas, group.x, group.y)
        plane = 3 * group.crop + group.layer
        share_light(canvas, plane[seen], group.x[seen], group.y[seen], group.light[seen])
    return canvas.view(crops, 3, CANVAS, CANVAS)


def focus(light: Light, conditions: Wells, draws: Draws) -> tuple[Tensor, Tensor]:
    """Return both channels at the camera, (crops, SIDE, SIDE) each: blurred by depth, with halo and bleed-through."""
    crops = len(light.cell)
    sigma = (conditions["blur"] * draws.factor(VARIATION.focus_sigma, crops)).clamp(0.8, 3.2)
    sharp, dot, near, far, wide = (blur_matrix(torch.hypot(sigma, torch.tensor(s))) for s in (0.0, 0.9, 1.8, 3.0, 6.0))
    halo = conditions["halo"][:, None, None]

    deep = light.protein_far + light.dots_far
    protein = blur(light.protein, sharp) + blur(light.dots, dot) + blur(light.dots_near, near) + blur(deep, far)
    protein = (1 - halo) * protein + halo * blur(light.protein + light.dots + light.dots_near + deep, wide)
    cell = blur(light.cell, sharp) + blur(light.cell_far, far)
    cell = (1 - halo) * cell + halo * blur(light.cell + light.cell_far, wide)

    dead = draws.chance(VARIATION.dead_share, crops)[:, None, None]
    protein = torch.where(dead, cell * draws.uniform(crops, 1, 1, high=3.0), protein)
    return cell + conditions["bleed"][:, None, None] * protein, protein + 0.02 * cell


def blur_matrix(sigma: Tensor) -> Tensor:
    """(crops, SIDE, CANVAS): Gaussian blur along one axis and the cropping of the margin, in one matrix."""
    seen = torch.arange(SIDE, dtype=REAL)[:, None] + MARGIN
    offset = seen - torch.arange(CANVAS, dtype=REAL)[None]
    kernel = torch.exp(-0.5 * (offset / sigma[:, None, None]) ** 2)
    return kernel / kernel.sum(2, keepdim=True)


def blur(image: Tensor, matrix: Tensor) -> Tensor:
    return matrix @ image @ matrix.mT


def expose(cell: Tensor, protein: Tensor, conditions: Wells, draws: Draws) -> Tensor:
    """Return grey levels, (crops, 2, SIDE, SIDE) uint8, after background, shot noise, read noise and gain."""
    image = torch.stack([cell, protein], 1) + conditions["background"][:, None, None, None]
    photons, read_noise = (conditions[name][:, None, None, None] for name in ("photons", "read_noise"))
    sigma = (image / photons + read_noise**2).sqrt()
    sigma[:, 0] *= CELL_NOISE
    # In the real crops the noise of neighbouring pixels is a little alike, as after resampling.
    noise = draws.normal(*image.shape[:2], SIDE + 1, SIDE + 1)
    noise = noise[..., 1:] + RESAMPLING * noise[..., :-1]
    noise = noise[..., 1:, :] + RESAMPLING * noise[..., :-1, :]
    image = image + sigma * noise / (1 + RESAMPLING**2)
    gain = torch.stack([conditions["cell_gain"], conditions["protein_gain"]], 1)[:, :, None, None]
    return (image * gain).round_().clamp_(0, 255).to(torch.uint8)
