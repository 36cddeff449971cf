"""Kernel functions and Gram matrices, as few large matrix products on the device that the features are on."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

KERNELS = ("linear", "rbf", "poly")
ROWS = 512  # of a Gram matrix at a time: half of a symmetric product is saved, and what is done to it stays in cache
EXACT_BELOW = 50.0  # gamma * |x|^2 up to which float32 gives a distance to better than 1e-5 in the exponent


@dataclass(frozen=True)
class Kernel:
    """k(x, z): 'linear' x.z, 'rbf' exp(-gamma |x - z|^2), 'poly' (gamma x.z + coef0)^degree, as in scikit-learn.

    Only positive semi-definite kernels are here: poly with an integer degree and coef0 >= 0.
    """

    name: str = "rbf"
    gamma: float = 1.0
    degree: int = 3
    coef0: float = 0.0

    def __call__(self, x: Tensor, z: Tensor) -> Tensor:
        """k of every row of x with every row of z, (len(x), len(z)), computed in their dtype."""
        dots = x @ z.T
        if self.name == "rbf":
            dots.mul_(2).sub_(x.square().sum(1)[:, None]).sub_(z.square().sum(1)).mul_(self.gamma).clamp_(max=0).exp_()
        elif self.name == "poly":
            dots.mul_(self.gamma).add_(self.coef0).pow_(self.degree)
        return dots

    def diagonal(self, x: Tensor) -> Tensor:
        """k(x, x) of every row, float64."""
        if self.name == "rbf":
            return torch.ones(len(x), dtype=torch.float64, device=x.device)
        squares = x.double().square().sum(1)
        return squares if self.name == "linear" else (self.gamma * squares + self.coef0) ** self.degree


def product_dtype(kernel: Kernel, x: Tensor) -> torch.dtype:
    """float64 where float32 would lose the distances: features in float64, or spread over many kernel widths."""
    if x.dtype == torch.float64:
        return torch.float64
    wide = kernel.name == "rbf" and kernel.gamma * float(x.square().sum(1).max()) > EXACT_BELOW
    return torch.float64 if wide else torch.float32


def gram(kernel: Kernel, x: Tensor, scale: float, dtype: torch.dtype) -> Tensor:
    """The symmetric matrix k(x, x) / scale, (n, n): only the upper half is computed, the lower is its mirror."""
    matrix = torch.empty(len(x), len(x), dtype=dtype, device=x.device)
    work = product_dtype(kernel, x)
    for rows in _row_blocks(x):
        part = matrix[rows, rows.start :]
        part.copy_(kernel(x[rows].to(work), x[rows.start :].to(work)).div_(scale))
        matrix[rows.stop :, rows] = part[:, rows.stop - rows.start :].T
    return matrix


def cross(kernel: Kernel, x: Tensor, z: Tensor, scale: float, dtype: torch.dtype) -> Tensor:
    """k(x, z) / scale, (len(x), len(z))."""
    matrix = torch.empty(len(x), len(z), dtype=dtype, device=x.device)
    work = torch.promote_types(product_dtype(kernel, x), product_dtype(kernel, z))
    for rows in _row_blocks(x):
        matrix[rows] = kernel(x[rows].to(work), z.to(work)).div_(scale)
    return matrix


def _row_blocks(x: Tensor) -> Iterator[slice]:
    step = ROWS if x.device.type == "cpu" else 8 * ROWS
    for first in range(0, len(x), step):
        yield slice(first, min(first + step, len(x)))
