"""An interior point method for one C-SVC: dear, and hardly ever beaten by an ill-conditioned Gram matrix.

Source: Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 1992.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

STEPS = 60
BACK_OFF = 0.995  # of the way to the wall
RIDGES = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2)


@dataclass
class Point:
    """alpha, its room below C, and the multipliers of both, or a step of all; (m,), the bias a scalar; float64.

    The room is kept by itself: C - alpha is 0 in floating point long before alpha is C.
    """

    alpha: Tensor
    room: Tensor
    bias: Tensor
    to_lower: Tensor
    to_upper: Tensor

    def moved(self, step: "Point", primal: float, dual: float) -> "Point":
        return Point(
            self.alpha + primal * step.alpha,
            self.room + primal * step.room,
            self.bias + dual * step.bias,
            self.to_lower + dual * step.to_lower,
            self.to_upper + dual * step.to_upper,
        )

    def centrality(self) -> Tensor:
        """The mean product of a distance from the wall and its multiplier, 0 at the solution."""
        return (self.alpha @ self.to_lower + self.room @ self.to_upper) / (2 * len(self.alpha))

    def is_finite(self) -> bool:
        return all(bool(part.isfinite().all()) for part in vars(self).values())


def interior_point(K: Tensor, y: Tensor, C: Tensor, tol: float) -> Tensor:
    """alpha (m,) near the minimum of 1/2 a' Q a - sum(a), 0 <= a <= C, y' a = 0, where Q = y y' * K; all float64.

    K: (m, m); y: 1 or -1, both present; C: (m,), positive. Ends after at most 60 Cholesky factorisations, earlier where
    rounding leaves no way on; what it returns is then the best that it reached, and the caller checks the gap.
    """
    Q = K * (y[:, None] * y)
    alpha = _inside(y, C)
    at = Point(alpha, C - alpha, y.new_zeros(()), torch.ones_like(y), torch.ones_like(y))
    # every alpha whose multiplier exceeds tol is then within 1e-7 of its box from the bound: nobody takes it for free
    enough = tol * 1e-7 * min(1.0, float(C.min()))
    for _ in range(STEPS):
        dual = Q @ at.alpha - 1 + at.bias * y - at.to_lower + at.to_upper
        centrality = at.centrality()
        if centrality < enough and dual.abs().max() < tol * 1e-3:
            break
        factor = _factor(Q, at.to_lower / at.alpha + at.to_upper / at.room)
        if factor is None:
            break
        straight = _direction(factor, at, y, dual, -at.alpha * at.to_lower, -at.room * at.to_upper)
        centre = (at.moved(straight, *_lengths(at, straight)).centrality() / centrality) ** 3 * centrality
        low = centre - at.alpha * at.to_lower - straight.alpha * straight.to_lower
        high = centre - at.room * at.to_upper - straight.room * straight.to_upper
        step = _direction(factor, at, y, dual, low, high)
        primal_length, dual_length = _lengths(at, step)
        further = at.moved(step, BACK_OFF * primal_length, BACK_OFF * dual_length)
        if not further.is_finite():
            break
        at = further
    return at.alpha


def _inside(y: Tensor, C: Tensor) -> Tensor:
    """A point well inside the box with y' a = 0: both classes carry half of what the lighter one can."""
    weights = torch.stack([C[y > 0].sum(), C[y < 0].sum()])
    share = weights.min() / 2 / weights
    return C * torch.where(y > 0, share[0], share[1])


def _factor(Q: Tensor, diagonal: Tensor) -> Tensor | None:
    """The Cholesky factor of Q + diagonal, with a ridge where rounding makes one necessary; None where none helps."""
    if not diagonal.isfinite().all():
        return None
    for ridge in RIDGES:
        factor, failed = torch.linalg.cholesky_ex(Q + torch.diag(diagonal + ridge))
        if not failed:
            return factor
    return None


def _direction(factor: Tensor, at: Point, y: Tensor, dual: Tensor, low: Tensor, high: Tensor) -> Point:
    """Newton's step towards products `low` and `high` of distances and multipliers."""
    sides = torch.stack([low / at.alpha - high / at.room - dual, y], 1)
    free, along_y = torch.cholesky_solve(sides, factor).T
    bias = (y @ free + y @ at.alpha) / (y @ along_y)
    alpha = free - bias * along_y
    return Point(alpha, -alpha, bias, (low - at.to_lower * alpha) / at.alpha, (high + at.to_upper * alpha) / at.room)


def _lengths(at: Point, step: Point) -> tuple[float, float]:
    """How far, at most all the way, alpha can go along the step and the multipliers can, before one turns negative."""
    primal = min(_longest(at.alpha, step.alpha), _longest(at.room, step.room))
    return primal, min(_longest(at.to_lower, step.to_lower), _longest(at.to_upper, step.to_upper))


def _longest(values: Tensor, step: Tensor) -> float:
    down = step < 0
    return min(1.0, float((-values[down] / step[down]).min())) if down.any() else 1.0
