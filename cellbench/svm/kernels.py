"""Kernel functions and Gram matrices, computed as a few large matrix products on the device of the features."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

KERNELS = ("linear", "rbf", "poly")
ROWS = 512  # of a Gram matrix at a time: half of a symmetric product is saved, and what is done to it stays in cache
DOUBLED = {"cpu": 64, "cuda": 4096}  # rows copied to float64 at a time: that a cache holds, that keep a card busy
EXACT_BELOW = 50.0  # gamma * |x|^2 up to which float32 gives a distance to better than 1e-5 in the exponent


@dataclass(frozen=True)
class Kernel:
    """k(x, z): 'linear' x.z, 'rbf' exp(-gamma |x - z|^2), 'poly' (gamma x.z + coef0)^degree, as in scikit-learn.

    Only positive semi-definite kernels are fitted here: poly with an integer degree and coef0 >= 0. 'sigmoid',
    tanh(gamma x.z + coef0), is here for machines that a library has fitted.
    """

    name: str = "rbf"
    gamma: float = 1.0
    degree: int = 3
    coef0: float = 0.0

    def of_dots(self, dots: Tensor, x_squares: Tensor, z_squares: Tensor) -> Tensor:
        """Turn the dot products x.z, (len(x), len(z)), into k(x, z) in place and return them.

        x_squares, z_squares: |x|^2 and |z|^2 of each row.
        """
        if self.name == "rbf":
            dots.mul_(2).sub_(x_squares[:, None]).sub_(z_squares).mul_(self.gamma).clamp_(max=0).exp_()
        elif self.name == "poly":
            dots.mul_(self.gamma).add_(self.coef0).pow_(self.degree)
        elif self.name == "sigmoid":
            dots.mul_(self.gamma).add_(self.coef0).tanh_()
        return dots

    def mean_diagonal(self, x: Tensor) -> float:
        """Return the mean of k(x, x) over the rows of x."""
        if self.name == "rbf":
            return 1.0
        dots = squares(x)
        return float((dots if self.name == "linear" else (self.gamma * dots + self.coef0) ** self.degree).mean())


def gamma_value(gamma: float | str, features: int, spread: float) -> float:
    """Return scikit-learn's gamma as a number; spread: the variance of all values, which 'scale' depends on."""
    if gamma == "auto":
        return 1 / features
    if gamma == "scale":
        return 1 / (features * spread) if spread else 1.0
    return float(gamma)


def squares(x: Tensor) -> Tensor:
    """Return |x|^2 of every row, (len(x),) float64."""
    result = torch.empty(len(x), dtype=torch.float64, device=x.device)
    for rows, sums in zip(_pieces(x), _pieces(result), strict=True):
        # Each result in its place, and nothing else made between two copies of rows: small tensors that stay among
        # large ones that go leave holes in the processor's memory as large as x.
        torch.sum(rows.to(torch.float64, copy=True).square_(), 1, out=sums)
    return result


def product_dtype(kernel: Kernel, norms: Tensor, wanted: torch.dtype) -> torch.dtype:
    """Return `wanted`, or float64 if float32 would be too coarse for the distances between rows.

    That is so for an RBF kernel that is narrow compared with the length of the rows.
    """
    wide = kernel.name == "rbf" and kernel.gamma * float(norms.max()) > EXACT_BELOW
    return torch.float64 if wide else wanted


def gram(kernel: Kernel, x: Tensor, scale: float, dtype: torch.dtype) -> Tensor:
    """Return the symmetric matrix k(x, x) / scale, (n, n); blocks below the diagonal are copied from those above."""
    matrix = torch.empty(len(x), len(x), dtype=dtype, device=x.device)
    norms = squares(x)
    work = product_dtype(kernel, norms, dtype)
    x, norms = x.to(work), norms.to(work)
    # one buffer for all blocks: a new one each, ever smaller, leaves the processor's memory full of holes
    buffer = torch.empty(_rows_of(x) * len(x), dtype=work, device=x.device)
    for rows in _row_blocks(x):
        part = matrix[rows, rows.start :]
        dots = buffer[: part.numel()].view(part.shape)
        torch.mm(x[rows], x[rows.start :].T, out=dots)
        part.copy_(kernel.of_dots(dots, norms[rows], norms[rows.start :]).div_(scale))
        matrix[rows.stop :, rows] = part[:, rows.stop - rows.start :].T
    return matrix


def cross(kernel: Kernel, x: Tensor, z: Tensor, scale: float, dtype: torch.dtype) -> Tensor:
    """Return the matrix k(x, z) / scale, (len(x), len(z))."""
    matrix = torch.empty(len(x), len(z), dtype=dtype, device=x.device)
    if not matrix.numel():
        return matrix
    x_norms, z_norms = squares(x), squares(z)
    work = product_dtype(kernel, torch.cat([x_norms, z_norms]), dtype)
    x, z, x_norms, z_norms = (values.to(work) for values in (x, z, x_norms, z_norms))
    buffer = torch.empty(_rows_of(x), len(z), dtype=work, device=x.device)
    for rows in _row_blocks(x):
        dots = torch.mm(x[rows], z.T, out=buffer[: rows.stop - rows.start])
        matrix[rows] = kernel.of_dots(dots, x_norms[rows], z_norms).div_(scale)
    return matrix


def variance(x: Tensor) -> float:
    """Return the variance of all values together, computed in float64 without a float64 copy of x."""
    mean = column_sums(x).sum() / x.numel()
    return float(sum(rows.to(torch.float64, copy=True).sub_(mean).square_().sum() for rows in _pieces(x))) / x.numel()


def column_sums(x: Tensor) -> Tensor:
    """Return the sum of each column of x, (features,) float64."""
    total = torch.zeros(x.shape[1], dtype=torch.float64, device=x.device)
    for rows in _pieces(x):
        total += rows.sum(0, dtype=torch.float64)
    return total


def _pieces(x: Tensor) -> tuple[Tensor, ...]:
    """Return x split into groups of rows, so small that a float64 copy of a group takes hardly any memory."""
    return x.split(DOUBLED[x.device.type])


def _row_blocks(x: Tensor) -> Iterator[slice]:
    for first in range(0, len(x), _rows_of(x)):
        yield slice(first, min(first + _rows_of(x), len(x)))


def _rows_of(x: Tensor) -> int:
    return min(len(x), ROWS if x.device.type == "cpu" else 8 * ROWS)
