"""Per-sample augmentation of a whole batch on its device: one affine resampling and one change of contrast."""

import torch
from torch import Tensor
from torch.nn import functional as F

from .recipe import Recipe


def augment(batch: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """A normalised float batch (n, channels, height, width), each image turned, mirrored, scaled, shifted and given
    another contrast.

    Random numbers come from `generator` (a CPU one: the same on every device). Pixels from beyond the border are
    mirrored in, so that no black corners appear.
    """
    n = len(batch)
    draw = torch.rand(6, n, generator=generator) * 2 - 1  # in -1..1
    angle = draw[0] * (recipe.rotate * torch.pi / 180)
    zoom = 1 + draw[1] * recipe.scale
    mirror = torch.where(draw[2] < 0, -1.0, 1.0) if recipe.flip else torch.ones(n)
    cosine, sine = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    shift = draw[3:5] * (2 * recipe.shift)  # affine_grid measures the side as 2
    matrix = torch.stack(
        [torch.stack([cosine * mirror, -sine, shift[0]], 1), torch.stack([sine * mirror, cosine, shift[1]], 1)], 1
    )
    grid = F.affine_grid(matrix.to(batch.device), list(batch.shape), align_corners=False)
    turned = F.grid_sample(batch, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return turned * (1 + draw[5] * recipe.gain).to(batch.device).view(n, 1, 1, 1)
