"""Histograms of oriented gradients for whole batches, on the device that the images are on.

Source: Dalal & Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005, in the variant of
`skimage.feature.hog`: central differences, hard binning, unweighted cells, L2-Hys blocks.
"""

import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import UsageError
from ..core.tensors import as_tensor
from .tensors import as_float, in_chunks

EPSILON = 1e-5
CLIP = 0.2  # L2-Hys: values above this are cut before the second normalisation


def hog(
    images: Tensor | NDArray,
    orientations: int = 9,
    pixels_per_cell: int = 8,
    cells_per_block: int = 2,
    channels: str = "each",
) -> Tensor:
    """Return HOG features, float32 of shape (n, features), on the images' device.

    images: (n, channels, height, width), tensor or array; unsigned integers are divided by their type's maximum.
    channels: 'each' concatenates the features of every channel; 'strongest' takes, at each pixel, the channel with
    the largest gradient. Pixels beyond the last whole cell are ignored.
    Raises UsageError when the image holds fewer cells than a block needs.
    """
    if channels not in ("each", "strongest"):
        raise UsageError(f"channels is {channels!r}; choose 'each' or 'strongest'")
    if pixels_per_cell < 1 or cells_per_block < 1 or orientations < 1:
        given = f"orientations={orientations}, pixels_per_cell={pixels_per_cell}, cells_per_block={cells_per_block}"
        raise UsageError(f"HOG was asked for {given}; all of them are at least 1")
    images = as_tensor(images)
    height, width = images.shape[2:]
    rows, columns = height // pixels_per_cell, width // pixels_per_cell
    if min(rows, columns) < cells_per_block:
        raise UsageError(
            f"images of {height}×{width} pixels hold {rows}×{columns} cells of {pixels_per_cell} pixels; "
            f"a block needs {cells_per_block}×{cells_per_block}: use smaller cells or larger images"
        )

    def features_of(chunk: Tensor) -> Tensor:
        across, down = _gradients(as_float(chunk), strongest=channels == "strongest")
        histograms = _histograms(across, down, orientations, pixels_per_cell, rows, columns)
        return _blocks(histograms, cells_per_block).reshape(len(chunk), -1)

    return in_chunks(images, features_of)


def _gradients(images: Tensor, strongest: bool) -> tuple[Tensor, Tensor]:
    """Return central differences across columns and down rows, each (n, channels or 1, height, width).

    They are 0 on the border. strongest: whether to keep, at each pixel, only the channel with the largest gradient.
    """
    across, down = torch.zeros_like(images), torch.zeros_like(images)
    across[..., 1:-1] = images[..., 2:] - images[..., :-2]
    down[..., 1:-1, :] = images[..., 2:, :] - images[..., :-2, :]
    if strongest and images.shape[1] > 1:
        best = (across.square() + down.square()).argmax(1, keepdim=True)
        across, down = across.gather(1, best), down.gather(1, best)
    return across, down


def _histograms(across: Tensor, down: Tensor, orientations: int, side: int, rows: int, columns: int) -> Tensor:
    """Return a histogram of unsigned orientations for each cell, (n * channels, rows, columns, orientations).

    Each pixel adds its gradient's magnitude to the bin of its orientation; sums are divided by the pixels of a cell.
    """
    across = across[..., : rows * side, : columns * side].flatten(0, 1)
    down = down[..., : rows * side, : columns * side].flatten(0, 1)
    magnitude = torch.hypot(across, down)
    angle = torch.rad2deg(torch.atan2(down, across)).remainder_(180)
    bins = (angle * (orientations / 180)).long().clamp_(max=orientations - 1)
    cell_row = torch.arange(rows * side, device=across.device) // side
    cell_column = torch.arange(columns * side, device=across.device) // side
    bins += (cell_row[:, None] * columns + cell_column) * orientations
    histograms = magnitude.new_zeros(len(magnitude), rows * columns * orientations)
    histograms.scatter_add_(1, bins.flatten(1), magnitude.flatten(1))
    return histograms.div_(side * side).view(-1, rows, columns, orientations)


def _blocks(histograms: Tensor, size: int) -> Tensor:
    """Return overlapping blocks, L2-Hys normalised, in scikit-image's order: block, cell within it, orientation."""
    blocks = histograms.unfold(1, size, 1).unfold(
        2, size, 1
    )  # (n, block rows, block columns, orientation, row, column)
    values = blocks.permute(0, 1, 2, 4, 5, 3).flatten(3)
    for limit in (CLIP, None):
        values = values / (values.square().sum(-1, keepdim=True) + EPSILON**2).sqrt_()
        if limit is not None:
            values = values.clamp_(max=limit)
    return values
