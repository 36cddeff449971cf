"""An interior point method for one C-SVC: slow, but it copes with almost any ill-conditioned Gram matrix.

Source: Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 1992.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

STEPS = 60
BACK_OFF = 0.995  # of the way to the wall
RIDGES = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2)


@dataclass
class InteriorPoint:
    """A point of the iteration, or a step from one point to the next; float64.

    alpha: (m,). room: (m,), the distance of alpha from C. bias: a scalar. to_lower, to_upper: (m,), the multipliers of
    the bounds 0 and C. The room is kept by itself: C - alpha is 0 in floating point long before alpha is C.
    """

    alpha: Tensor
    room: Tensor
    bias: Tensor
    to_lower: Tensor
    to_upper: Tensor

    def moved(self, step: "InteriorPoint", primal: float, dual: float) -> "InteriorPoint":
        return InteriorPoint(
            self.alpha + primal * step.alpha,
            self.room + primal * step.room,
            self.bias + dual * step.bias,
            self.to_lower + dual * step.to_lower,
            self.to_upper + dual * step.to_upper,
        )

    def centrality(self) -> Tensor:
        """Return the mean product of a distance from a bound and the bound's multiplier; it is 0 at the solution."""
        return (self.alpha @ self.to_lower + self.room @ self.to_upper) / (2 * len(self.alpha))

    def is_finite(self) -> bool:
        return all(bool(part.isfinite().all()) for part in vars(self).values())


def interior_point(K: Tensor, y: Tensor, C: Tensor, tol: float) -> Tensor:
    """Return alpha (m,) near the minimum of 1/2 a' Q a - sum(a), 0 <= a <= C, y' a = 0, where Q = y y' * K.

    All tensors are float64.

    K: (m, m); y: 1 or -1, both present; C: (m,), positive. Ends after at most 60 steps, or earlier if rounding makes a
    further step impossible; it then returns the last point that it reached, so the caller has to check the gap.
    """
    Q = K * (y[:, None] * y)
    alpha = _inside(y, C)
    at = InteriorPoint(alpha, C - alpha, y.new_zeros(()), torch.ones_like(y), torch.ones_like(y))
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
    """Return a point well inside the box with y' a = 0.

    The alphas of both classes sum to half of the largest sum that the class with the smaller total of C allows.
    """
    weights = torch.stack([C[y > 0].sum(), C[y < 0].sum()])
    share = weights.min() / 2 / weights
    return C * torch.where(y > 0, share[0], share[1])


def _factor(Q: Tensor, diagonal: Tensor) -> Tensor | None:
    """Return the Cholesky factor of Q + diagonal + a ridge, the smallest that works; None if none of them does."""
    if not diagonal.isfinite().all():
        return None
    for ridge in RIDGES:
        factor, failed = torch.linalg.cholesky_ex(Q + torch.diag(diagonal + ridge))
        if not failed:
            return factor
    return None


def _direction(factor: Tensor, at: InteriorPoint, y: Tensor, dual: Tensor, low: Tensor, high: Tensor) -> InteriorPoint:
    """Return Newton's step, given the changes `low` and `high` of the products of distances and multipliers.

    dual: the residual of the dual condition, which the step removes.
    """
    sides = torch.stack([low / at.alpha - high / at.room - dual, y], 1)
    free, along_y = torch.cholesky_solve(sides, factor).T
    bias = (y @ free + y @ at.alpha) / (y @ along_y)
    alpha = free - bias * along_y
    return InteriorPoint(
        alpha, -alpha, bias, (low - at.to_lower * alpha) / at.alpha, (high + at.to_upper * alpha) / at.room
    )


def _lengths(at: InteriorPoint, step: InteriorPoint) -> tuple[float, float]:
    """Return the share of the step, at most 1, that alpha and the multipliers can take before one turns negative.

    The first number is for alpha and its room, the second for the multipliers.
    """
    primal = min(_longest(at.alpha, step.alpha), _longest(at.room, step.room))
    return primal, min(_longest(at.to_lower, step.to_lower), _longest(at.to_upper, step.to_upper))


def _longest(values: Tensor, step: Tensor) -> float:
    down = step < 0
    return min(1.0, float((-values[down] / step[down]).min())) if down.any() else 1.0
