"""Features that SVMs learn from, as layers that other programs can run: pixels, and oriented gradients."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...features.gradients import CLIP, EPSILON
from .images import Resized

ORIENTATIONS, CELL, BLOCK = 9, 8, 2  # as svm-hog has them


class Flattened(nn.Module):
    """Each image's pixels as one row; see cellbench.features.pixels.flatten.

    shape: (height, width) of the images. top: the greatest value of their type, 1 where values are scaled already.
    """

    def __init__(self, shape: tuple[int, int], top: float, side: int | None = None, by_mean: bool = False) -> None:
        super().__init__()
        self._top, self._by_mean, self._rounds = top, by_mean, top > 1
        self._resized = Resized(*shape, side, "bicubic", top if top > 1 else 0.0) if side else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        values = self._resized(images) / self._top
        values = values.flatten(1)
        if self._by_mean:
            mean = values.mean(1, keepdim=True)
            values = values / torch.where(mean == 0, torch.ones_like(mean), mean)
        return values


class Gradients(nn.Module):
    """Histograms of oriented gradients of every channel; see cellbench.features.gradients.hog."""

    def __init__(self, shape: tuple[int, int], top: float) -> None:
        super().__init__()
        self._top = top
        self._rows, self._columns = (length // CELL for length in shape)

    def forward(self, images: Tensor) -> Tensor:
        channels = images.shape[1]
        values = images / self._top
        across = F.pad(values[..., 2:] - values[..., :-2], (1, 1))
        down = F.pad(values[..., 2:, :] - values[..., :-2, :], (0, 0, 1, 1))
        across = across[..., : self._rows * CELL, : self._columns * CELL].flatten(0, 1)
        down = down[..., : self._rows * CELL, : self._columns * CELL].flatten(0, 1)
        magnitude = (across.square() + down.square()).sqrt()
        bins = (_angle(across, down) * (ORIENTATIONS / 180)).floor().clamp(max=ORIENTATIONS - 1.0)
        of_bin = torch.stack(
            [torch.where(bins == k, magnitude, torch.zeros_like(magnitude)) for k in range(ORIENTATIONS)], 1
        )
        histograms = F.avg_pool2d(of_bin, CELL)  # (n * channels, orientations, rows, columns)
        return self._blocks(histograms.permute(0, 2, 3, 1)).reshape(-1, channels * self._values)

    @property
    def _values(self) -> int:
        return (self._rows - BLOCK + 1) * (self._columns - BLOCK + 1) * BLOCK * BLOCK * ORIENTATIONS

    def _blocks(self, histograms: Tensor) -> Tensor:
        """Overlapping blocks of cells, L2-Hys normalised, (n * channels, block rows, block columns, values)."""
        rows, columns = self._rows - BLOCK + 1, self._columns - BLOCK + 1
        cells = [histograms[:, i : i + rows, j : j + columns] for i in range(BLOCK) for j in range(BLOCK)]
        values = torch.cat(cells, 3)
        values = values / (values.square().sum(-1, keepdim=True) + EPSILON**2).sqrt()
        values = values.clamp(max=CLIP)
        return values / (values.square().sum(-1, keepdim=True) + EPSILON**2).sqrt()


def _angle(across: Tensor, down: Tensor) -> Tensor:
    """The direction of a gradient in degrees from 0 to below 180, without its sign; by atan, as ONNX has no atan2."""
    upright = across == 0
    ratio = down / torch.where(upright, torch.ones_like(across), across)
    angle = torch.rad2deg(torch.atan(ratio))
    angle = torch.where(angle < 0, angle + 180, angle)
    level = torch.where(down == 0, torch.zeros_like(angle), torch.full_like(angle, 90.0))
    return torch.where(upright, level, angle)
