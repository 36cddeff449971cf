"""Splits classification into binary machines, and decides which of them share a Gram matrix or are solved together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import torch
from torch import Tensor

from .kernels import Kernel, cross, gram
from .solver import PADDING, Problems, box, solve

EXACT_UP_TO = 1024  # samples for which all is done in float64: there it costs nothing
BATCH_BYTES = {"cpu": 2**26, "cuda": 2**32}  # of Gram matrices solved at once: what a cache, what a card's memory holds


@dataclass(frozen=True)
class Solution:
    """The solution of all machines for one C, float64.

    coefficients: (n, machines), y * alpha of each sample. bias, gap, objective: (machines,).
    """

    coefficients: Tensor
    bias: Tensor
    gap: Tensor
    objective: Tensor

    @classmethod
    def empty(cls, samples: int, machines: int) -> "Solution":
        return cls(torch.zeros(samples, machines, dtype=torch.float64), *torch.zeros(3, machines, dtype=torch.float64))


class ClassBlocks:
    """Blocks of the Gram matrix for pairs of classes, divided by `scale`.

    x: the samples, sorted by class; counts: the number of samples of each class. The whole matrix is made at once if
    it fits into half of `memory` bytes. Else a block is made when it is called for, and blocks of a class with itself,
    which every pair with that class needs, are kept while they fit into that half.
    """

    def __init__(self, kernel: Kernel, x: Tensor, counts: Sequence[int], scale: float, memory: int) -> None:
        self.counts, self.dtype, self.device = list(counts), working_dtype(len(x)), x.device
        self._kernel, self._scale, self._x = kernel, scale, x.split(self.counts)
        self._kept: dict[int, Tensor] = {}
        size = torch.finfo(self.dtype).bits // 8
        self._room = memory // 2
        self.batch_bytes = min(BATCH_BYTES[x.device.type], memory // 2)
        self._whole = None
        if len(x) ** 2 * size <= self._room:
            self._whole = [rows.split(self.counts, 1) for rows in gram(kernel, x, scale, self.dtype).split(self.counts)]

    def exact(self, i: int, j: int, size: int) -> Tensor:
        """Return the Gram matrix of two classes' samples together, float64, padded with zeros to (size, size)."""
        both = torch.cat([self._x[i], self._x[j]])
        matrix = torch.zeros(size, size, dtype=torch.float64, device=self.device)
        matrix[: len(both), : len(both)] = gram(self._kernel, both, self._scale, torch.float64)
        return matrix

    def __call__(self, i: int, j: int) -> Tensor:
        """Return the block of classes i and j, (counts[i], counts[j])."""
        if self._whole is not None:
            return self._whole[i][j]
        if i != j:
            return cross(self._kernel, self._x[i], self._x[j], self._scale, self.dtype)
        if i in self._kept:
            return self._kept[i]
        block = gram(self._kernel, self._x[i], self._scale, self.dtype)
        if block.nbytes <= self._room:
            self._room -= block.nbytes
            self._kept[i] = block
        return block


def working_dtype(samples: int) -> torch.dtype:
    return torch.float64 if samples <= EXACT_UP_TO else torch.float32


def one_against_one(blocks: ClassBlocks, bounds: Sequence[Tensor], tol: float) -> list[Solution]:
    """Train a machine for each pair of classes, (0, 1), (0, 2), ..., and return a solution for each of `bounds`.

    bounds: the largest value of each sample's alpha, float64 of shape (n,), in the order of the blocks' samples; they
    ascend from one to the next.
    """
    pairs = list(combinations(range(len(blocks.counts)), 2))
    ends = torch.tensor([0, *blocks.counts]).cumsum(0).tolist()
    solutions = [Solution.empty(ends[-1], len(pairs)) for _ in bounds]
    for group in _groups(blocks, pairs):
        K, y = _stacked(blocks, [pairs[machine] for machine in group])
        C = torch.zeros(len(bounds), *y.shape, dtype=torch.float64, device=y.device)
        rows = [torch.cat([torch.arange(ends[c], ends[c + 1]) for c in pairs[machine]]) for machine in group]
        for place, row in enumerate(rows):
            C[:, place, : len(row), 0] = torch.stack([bound[row] for bound in bounds]).to(y.device)
        exact = partial(_exact, blocks, [pairs[machine] for machine in group], K.shape[1])
        for solution, (beta, bias, gap, objective) in zip(solutions, _along(K, y, C, tol, exact), strict=True):
            for place, machine in enumerate(group):
                solution.coefficients[rows[place], machine] = beta[place, : len(rows[place]), 0]
            for kept, values in ((solution.bias, bias), (solution.gap, gap), (solution.objective, objective)):
                kept[group] = values[:, 0]
    return solutions


def _exact(blocks: ClassBlocks, pairs: Sequence[tuple[int, int]], size: int, place: int) -> Tensor:
    return blocks.exact(*pairs[place], size)


def one_versus_rest(
    K: Tensor, labels: Tensor, bounds: Sequence[Tensor], tol: float, exact: Callable[[int], Tensor]
) -> list[Solution]:
    """Train a machine for each column of labels, (n, labels) bool, and return a solution for each of `bounds`.

    A column in which all values are equal gets a constant bias instead, 1 or -1. K: (n, n); exact(0) returns the same
    in float64. bounds: as in `one_against_one`, but (n, labels).
    """
    solutions = []
    y = torch.where(labels, 1.0, -1.0).to(K.dtype) * (labels.any(0) & ~labels.all(0))
    for beta, bias, gap, objective in _along(K[None], y[None], torch.stack(list(bounds))[:, None], tol, exact):
        constant = torch.where(labels.all(0), 1.0, -1.0).double().cpu()
        bias = torch.where((y == 0).all(0).cpu(), constant, bias[0])
        solutions.append(Solution(beta[0], bias, gap[0].clamp_min(0), objective[0]))
    return solutions


def _along(
    K: Tensor, y: Tensor, C: Tensor, tol: float, exact: Callable[[int], Tensor]
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Yield beta, bias, gap and dual objective for each C, on the processor; C must ascend.

    Each solution starts from the one before. If no alpha is at its bound, a larger bound changes nothing, and the
    solution is yielded again.
    """
    beta: Tensor | None = None
    settled = False
    for bound in C:
        if not settled:
            lower, upper = box(y.double(), bound.to(y.device))
            problems = Problems(K, y, lower.to(y.dtype), upper.to(y.dtype), exact)
            beta, bias, gap, objective = solve(problems, tol, beta)
            # the bounds that were solved for, which in float32 may lie below those that were asked for
            top, bottom = problems.upper.double(), problems.lower.double()
            settled = not bool(((beta >= top) & (top > 0) | (beta <= bottom) & (bottom < 0)).any())
            found = (beta.cpu(), bias.cpu(), gap.cpu(), objective.cpu())
        yield found


def _groups(blocks: ClassBlocks, pairs: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Yield the positions of pairs whose Gram matrices, padded to the size of the largest, are solved as one batch."""
    size = torch.finfo(blocks.dtype).bits // 8
    samples = [blocks.counts[i] + blocks.counts[j] for i, j in pairs]
    group: list[int] = []
    for machine in sorted(range(len(pairs)), key=lambda machine: -samples[machine]):
        largest = samples[group[0]] if group else 0
        too_many = (len(group) + 1) * largest**2 * size > blocks.batch_bytes
        if group and (too_many or samples[machine] * PADDING < largest):
            yield group
            group = []
        group.append(machine)
    yield group


def _stacked(blocks: ClassBlocks, pairs: Sequence[tuple[int, int]]) -> tuple[Tensor, Tensor]:
    """Return K (batch, m, m) and y (batch, m, 1) of the given pairs, padded with zeros."""
    m = max(blocks.counts[i] + blocks.counts[j] for i, j in pairs)
    K = torch.zeros(len(pairs), m, m, dtype=blocks.dtype, device=blocks.device)
    y = torch.zeros(len(pairs), m, 1, dtype=blocks.dtype, device=blocks.device)
    for place, (i, j) in enumerate(pairs):
        first, both = blocks.counts[i], blocks.counts[i] + blocks.counts[j]
        K[place, :first, :first], K[place, first:both, first:both] = blocks(i, i), blocks(j, j)
        K[place, :first, first:both] = blocks(i, j)
        K[place, first:both, :first] = K[place, :first, first:both].T
        y[place, :first], y[place, first:both] = 1, -1
    return K, y
