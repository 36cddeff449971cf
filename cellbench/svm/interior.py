"""An interior point method for one C-SVC: dear, and hardly ever beaten by an ill-conditioned Gram matrix.

Source: Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 1992.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

STEPS = 60
BACK_OFF = 0.995  # of the way to the wall


@dataclass
class Point:
    """alpha with the multipliers of its constraints, or a step of all four; (m,), the bias a scalar; float64."""

    alpha: Tensor
    bias: Tensor
    to_lower: Tensor
    to_upper: Tensor

    def moved(self, step: "Point", primal: float, dual: float) -> "Point":
        return Point(
            self.alpha + primal * step.alpha,
            self.bias + dual * step.bias,
            self.to_lower + dual * step.to_lower,
            self.to_upper + dual * step.to_upper,
        )

    def centrality(self, C: Tensor) -> Tensor:
        """The mean product of a distance from the wall and its multiplier, 0 at the solution."""
        return (self.alpha @ self.to_lower + (C - self.alpha) @ self.to_upper) / (2 * len(C))


def interior_point(K: Tensor, y: Tensor, C: Tensor, tol: float) -> Tensor:
    """alpha (m,) near the minimum of 1/2 a' Q a - sum(a), 0 <= a <= C, y' a = 0, where Q = y y' * K; all float64.

    K: (m, m); y: 1 or -1, both present; C: (m,), positive. Ends after at most 60 Cholesky factorisations.
    """
    Q = K * (y[:, None] * y)
    at = Point(_inside(y, C), y.new_zeros(()), torch.ones_like(y), torch.ones_like(y))
    # every alpha whose multiplier exceeds tol is then within 1e-7 of its box from the bound: nobody takes it for free
    enough = tol * 1e-7 * min(1.0, float(C.min()))
    for _ in range(STEPS):
        room = C - at.alpha
        dual = Q @ at.alpha - 1 + at.bias * y - at.to_lower + at.to_upper
        centrality = at.centrality(C)
        if centrality < enough and dual.abs().max() < tol * 1e-3:
            break
        factor = _factor(Q, at.to_lower / at.alpha + at.to_upper / room)
        straight = _direction(factor, at, y, room, dual, -at.alpha * at.to_lower, -room * at.to_upper)
        ahead = at.moved(straight, *_lengths(at, straight, room)).centrality(C)
        centre = (ahead / centrality) ** 3 * centrality
        low = centre - at.alpha * at.to_lower - straight.alpha * straight.to_lower
        high = centre - room * at.to_upper + straight.alpha * straight.to_upper
        step = _direction(factor, at, y, room, dual, low, high)
        primal_length, dual_length = _lengths(at, step, room)
        at = at.moved(step, BACK_OFF * primal_length, BACK_OFF * dual_length)
    return at.alpha


def _inside(y: Tensor, C: Tensor) -> Tensor:
    """A point well inside the box with y' a = 0: both classes carry half of what the lighter one can."""
    weights = torch.stack([C[y > 0].sum(), C[y < 0].sum()])
    share = weights.min() / 2 / weights
    return C * torch.where(y > 0, share[0], share[1])


def _factor(Q: Tensor, diagonal: Tensor) -> Tensor:
    """The Cholesky factor of Q + diagonal, with as much of a ridge as rounding makes necessary."""
    ridge = 1e-12
    while True:
        factor, failed = torch.linalg.cholesky_ex(Q + torch.diag(diagonal + ridge))
        if not failed:
            return factor
        ridge *= 100


def _direction(factor: Tensor, at: Point, y: Tensor, room: Tensor, dual: Tensor, low: Tensor, high: Tensor) -> Point:
    """Newton's step towards products `low` and `high` of distances and multipliers."""
    sides = torch.stack([low / at.alpha - high / room - dual, y], 1)
    free, along_y = torch.cholesky_solve(sides, factor).T
    bias = (y @ free + y @ at.alpha) / (y @ along_y)
    alpha = free - bias * along_y
    return Point(alpha, bias, (low - at.to_lower * alpha) / at.alpha, (high + at.to_upper * alpha) / room)


def _lengths(at: Point, step: Point, room: Tensor) -> tuple[float, float]:
    """How far, at most all the way, alpha can go along the step and the multipliers can, before one turns negative."""
    primal = min(_longest(at.alpha, step.alpha), _longest(room, -step.alpha))
    return primal, min(_longest(at.to_lower, step.to_lower), _longest(at.to_upper, step.to_upper))


def _longest(values: Tensor, step: Tensor) -> float:
    down = step < 0
    return min(1.0, float((-values[down] / step[down]).min())) if down.any() else 1.0
