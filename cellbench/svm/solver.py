"""The dual of many C-SVCs at once: a coarse start, a few gradient steps, then Newton on the active set.

A *problem* is one binary machine. Problems that share a Gram matrix (labels one-versus-rest) are the columns of one
array; Gram matrices padded to one size (pairs of one-against-one) are a batch. With beta = y * alpha a problem reads

    minimise 1/2 beta' K beta - y' beta   over   lower <= beta <= upper,  sum(beta) = 0,

where the box of a sample is [0, C] for y = 1, [-C, 0] for y = -1, and [0, 0] for a sample that takes no part. K has
about 1 on its diagonal (divide it by the mean, multiply C by it).

The way, and why. Once the Gram matrix is there, which takes one matrix product, a step of Newton on a problem of m
samples with f free ones costs f^3/3 + m^2 operations, all of them in Cholesky factors and products: what a processor
with wide vectors, and a GPU, does best. LIBSVM's steps of two samples at a time have no such form.
 1. Start from the solution of every fourth sample (recursively), then a few steps of accelerated projected gradient.
    Without gradient steps some problems cycle; without the coarse solution Newton handles twice as many free samples.
 2. Block principal pivoting, which is the semismooth Newton iteration seen as an exchange of indices: samples are
    free, at their lower or at their upper bound; solve for the free; every free one that left its box goes to the
    bound that it crossed, every bound one whose gradient points inwards becomes free. When the number exchanged stops
    falling, a random half of them is, which breaks the cycles that this iteration is known for.
 3. The gap is checked in float64. A problem that misses it is solved again in float64, then by an interior point
    method (interior.py), then by Newton from there; all bounded in steps.

Sources: the dual and its stopping rule, Chang & Lin, "LIBSVM: a library for support vector machines", ACM TIST 2011,
section 4; block principal pivoting, Judice & Pires, Computers & Operations Research 1994, as a semismooth Newton
method, Hintermueller, Ito & Kunisch, SIAM J. Optim. 2003; the gradient steps, Beck & Teboulle, SIAM J. Imaging Sci.
2009, with the restart of O'Donoghue & Candes, Found. Comput. Math. 2015.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .interior import interior_point

COARSEST = 256  # samples of the smallest problem of the start
COARSER = 4  # every so many samples make the next smaller problem
STEPS_FROM_NOTHING = 20  # gradient steps where there is no coarse solution to start from
STEPS_FROM_START = 3
NEWTON_STEPS = 40
PATIENCE = 6  # Newton steps without fewer exchanges, before it is given up
TOGETHER = 512  # free sets up to this many samples are factorised as one batch; larger ones fill the device alone
PADDING = 1.25  # in a batch the largest is at most so much larger than the smallest
# Of the box or the largest alpha: nearer to a bound is at it, else every sample counts as a support vector.
AT_BOUND = {torch.float32: 1e-5, torch.float64: 1e-6}
BLUR = 1e-4  # of the dual objective: what float32 may blur before a problem is solved in float64
RIDGE_RAISES = 12  # by ten each
RIDGE = {torch.float32: 1e-6, torch.float64: 1e-10}


@dataclass(frozen=True)
class Problems:
    """K: (batch, m, m) symmetric; y (1, -1, or 0 for no part), lower, upper: (batch, m, problems); one dtype.

    exact(batch): that K in float64, made anew: one rounded to float32 need not be positive semi-definite.
    """

    K: Tensor
    y: Tensor
    lower: Tensor
    upper: Tensor
    exact: Callable[[int], Tensor] | None = None

    def snapped(self, beta: Tensor) -> Tensor:
        """Return beta, (batch, m, problems), with values that are nearly at a bound moved to it."""
        near = AT_BOUND[beta.dtype] * torch.minimum(self.upper - self.lower, beta.abs().amax(1, keepdim=True))
        beta = torch.where(beta >= self.upper - near, self.upper, beta)
        return torch.where(beta <= self.lower + near, self.lower, beta)

    def gap(self, beta: Tensor, product: Tensor) -> tuple[Tensor, Tensor]:
        """Return LIBSVM's m(alpha) - M(alpha) and the bias halfway between them, each (batch, problems).

        product: K beta.

        Where no sample can move up, or none down, the problem has one solution: the gap is 0 or less.
        """
        score = self.y - product
        highest = score.masked_fill(beta >= self.upper, -torch.inf).amax(1)
        lowest = score.masked_fill(beta <= self.lower, torch.inf).amin(1)
        bias = (highest + lowest) / 2
        bias = torch.where(highest.isinf(), lowest, torch.where(lowest.isinf(), highest, bias))
        return highest - lowest, torch.where(bias.isinf(), 0, bias)

    def one(self, batch: int, problem: int) -> "Problems":
        """Return a single problem of these, by itself, in float64."""
        y, lower, upper = (t[batch, :, problem, None][None].double() for t in (self.y, self.lower, self.upper))
        rounded = self.K.dtype == torch.float32
        K = self.exact(batch) if rounded and self.exact else self.K[batch].double()
        return Problems(K[None], y, lower, upper)


def box(y: Tensor, C: Tensor) -> tuple[Tensor, Tensor]:
    """Return the lower and the upper bounds of beta, for signs y and upper bounds C of alpha."""
    edge = y * C
    return edge.clamp(max=0), edge.clamp(min=0)


def solve(problems: Problems, tol: float, start: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Solve the problems; return beta (batch, m, problems), bias, gap and dual objective (batch, problems).

    All are float64.

    The gap is at most tol where that could be reached. start: a feasible beta, such as the solution for a smaller C.
    """
    guess = _guess(problems, _start(problems) if start is None else start.to(problems.y.dtype))
    found = _checked(problems, _newton(problems, guess, tol))
    beta, _, gap, objective = found
    again = ~(gap <= tol)
    if problems.K.dtype == torch.float32 and problems.exact:
        # what rounding K may have changed in the objective: its errors are as good as independent
        blurred = torch.finfo(torch.float32).eps * beta.square().sum(1) > BLUR * objective
        gap[blurred] = torch.inf
        again |= blurred
    for batch, problem in again.nonzero().tolist():
        alone = problems.one(batch, problem)
        for candidate in _attempts(alone, beta[batch, :, problem][None, :, None], tol):
            better = _checked(alone, candidate)
            if better[2].item() < gap[batch, problem] or gap[batch, problem].isnan():
                beta[batch, :, problem] = better[0][0, :, 0]
                for kept, value in zip(found[1:], better[1:], strict=True):
                    kept[batch, problem] = value[0, 0]
            if gap[batch, problem] <= tol:
                break
    return found


def project(values: Tensor, lower: Tensor, upper: Tensor, steps: int = 60) -> Tensor:
    """Return the nearest point to `values` with lower <= point <= upper and sum 0, for each column by bisection."""
    high = (values - lower).amax(1, keepdim=True)
    low = (values - upper).amin(1, keepdim=True)
    for _ in range(steps):
        middle = (low + high) / 2
        positive = torch.clamp(values - middle, lower, upper).sum(1, keepdim=True) > 0
        low, high = torch.where(positive, middle, low), torch.where(positive, high, middle)
    return torch.clamp(values - (low + high) / 2, lower, upper)


def _start(problems: Problems) -> Tensor:
    """Return a start for the solver: the solution for every fourth sample, with all other samples at 0.

    For small problems the start is 0.
    """
    beta = torch.zeros_like(problems.y)
    if beta.shape[1] > COARSEST:
        some = (slice(None), slice(None, None, COARSER))
        y, lower, upper = (t[some] for t in (problems.y, problems.lower, problems.upper))
        coarse = Problems(problems.K[:, ::COARSER, ::COARSER].contiguous(), y, lower, upper)
        beta[some] = _newton(coarse, _guess(coarse, _start(coarse)), 0.01)
    return beta


def _guess(problems: Problems, start: Tensor) -> Tensor:
    """Return a guess, to be read by `_newton`, at which samples are free and which are at a bound.

    It comes from some gradient steps from `start` and one step out of the box.
    """
    return _ahead(problems, _gradient_steps(problems, start, STEPS_FROM_START if start.any() else STEPS_FROM_NOTHING))


def _ahead(problems: Problems, beta: Tensor) -> Tensor:
    """Return beta after a step against the gradient; samples that leave their box by it are taken as not free."""
    product = problems.K @ beta
    _, bias = problems.gap(problems.snapped(beta), product)
    return beta + problems.y - product - bias[:, None]


def _gradient_steps(problems: Problems, start: Tensor, steps: int) -> Tensor:
    """Return beta after some steps of accelerated projected gradient (FISTA), restarted where it turns back."""
    beta = ahead = start
    curvature = _largest_eigenvalue(problems.K)
    momentum = torch.ones_like(start[:, :1])
    for _ in range(steps):
        moved = ahead - (problems.K @ ahead - problems.y) / curvature
        new = project(moved, problems.lower, problems.upper, steps=24)  # float32 has no more bits
        turned = ((ahead - new) * (new - beta)).sum(1, keepdim=True) > 0
        momentum = torch.where(turned, 1, momentum)
        following = (1 + (1 + 4 * momentum.square()).sqrt()) / 2
        ahead = new + (momentum - 1) / following * (new - beta)
        beta, momentum = new, following
    return beta


def _largest_eigenvalue(K: Tensor) -> Tensor:
    """Return an estimate of each matrix's largest eigenvalue, (batch, 1, 1).

    It is made by two steps of the power method, plus 10 %.
    """
    vector = torch.ones_like(K[:, :, :1])
    for _ in range(2):
        vector = K @ vector
        vector = vector / vector.norm(dim=1, keepdim=True).clamp_min(1e-30)
    return 1.1 * (vector.transpose(1, 2) @ (K @ vector)).clamp_min(1e-30)


def _newton(problems: Problems, guess: Tensor, tol: float) -> Tensor:
    """Return beta (batch, m, problems), inside its box, by block principal pivoting.

    guess: beta whose place in or beyond its box says which samples are free at first, and which are at a bound.
    """
    lower, upper, taking_part = problems.lower, problems.upper, problems.lower < problems.upper
    at_upper = (guess >= upper) & taking_part
    at_lower = (guess <= lower) | ~taking_part
    best, fewest = torch.zeros_like(guess), torch.full_like(guess[:, 0], torch.inf)
    stale = torch.zeros_like(fewest)
    unfinished = taking_part.any(1)
    draw = torch.Generator(guess.device).manual_seed(0)
    for _ in range(NEWTON_STEPS):
        free = ~(at_upper | at_lower)
        bound = torch.where(at_upper, upper, torch.where(at_lower, lower, 0))
        trial, bias = _on_free(problems, bound, free, unfinished)
        residual = problems.y - problems.K @ trial - bias[:, None]
        slack = AT_BOUND[torch.float64] * (upper - lower)
        to_upper, to_lower = free & (trial > upper + slack), free & (trial < lower - slack)
        to_free = (at_upper & (residual < -tol / 4)) | (at_lower & taking_part & (residual > tol / 4))
        exchanged = (to_upper | to_lower | to_free).sum(1)
        better = unfinished & (exchanged < fewest) & trial.isfinite().all(1)
        best = torch.where(better[:, None], torch.clamp(trial, lower, upper), best)
        stale = torch.where(better, 0, stale + 1)
        fewest = torch.where(better, exchanged, fewest)
        unfinished = unfinished & (exchanged > 0) & (stale < PATIENCE)
        if not unfinished.any():
            break
        chosen = torch.rand(guess.shape, generator=draw, device=guess.device) < 0.5
        chosen = (chosen | (stale < 2)[:, None]) & unfinished[:, None]
        to_upper, to_lower, to_free = to_upper & chosen, to_lower & chosen, to_free & chosen
        at_upper, at_lower = (at_upper | to_upper) & ~to_free, (at_lower | to_lower) & ~to_free
    return best


def _on_free(problems: Problems, bound: Tensor, free: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Solve for the free samples, with all others fixed as in `bound`; return beta and the bias.

    The free samples of a problem get a decision value of exactly y. Only problems in `wanted` are solved.
    """
    beta, bias = bound.clone(), torch.zeros_like(bound[:, 0])
    right = problems.y - problems.K @ bound if bound.any() else problems.y
    held = bound.sum(1)
    for group in _similar((free.sum(1) * wanted).tolist()):
        places = [free[b, :, p].nonzero()[:, 0] for b, p, _ in group]
        blocks = _gathered([problems.K[b] for b, _, _ in group], places)
        sides = bound.new_zeros(len(group), blocks.shape[1], 2)
        for side, (b, p, count), place in zip(sides, group, places, strict=True):
            side[:count, 0], side[:count, 1] = right[b, place, p], 1
        for solved, (b, p, count), place in zip(_solved(blocks, sides), group, places, strict=True):
            forces, ones = solved[:count].T
            bias[b, p] = (forces.sum() + held[b, p]) / ones.sum()
            beta[b, place, p] = forces - bias[b, p] * ones
    without = wanted & ~free.any(1)
    if without.any():  # nothing is free: any bias between the two sides will do
        bias = torch.where(without, problems.gap(beta, problems.K @ beta)[1], bias)
    return beta, bias


def _similar(counts: list[list[int]]) -> Iterator[list[tuple[int, int, int]]]:
    """Yield groups of (batch, problem, number of free samples) that are worth solving as one batch."""
    group: list[tuple[int, int, int]] = []
    entries = [(b, p, count) for b, row in enumerate(counts) for p, count in enumerate(row) if count]
    for entry in sorted(entries, key=lambda entry: -entry[2]):
        if group and (group[0][2] > TOGETHER or entry[2] * PADDING < group[0][2]):
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def _gathered(matrices: list[Tensor], places: list[Tensor]) -> Tensor:
    """Return the rows and columns of each matrix at its places, (matrices, size, size).

    Smaller blocks are padded with ones on the diagonal and zeros elsewhere.
    """
    # index_select, as indexing with [] copies columns four times as slowly
    blocks = [m.index_select(0, place).index_select(1, place) for m, place in zip(matrices, places, strict=True)]
    if len(blocks) == 1:
        return blocks[0][None]
    size = max(map(len, blocks))
    padded = torch.eye(size, dtype=blocks[0].dtype, device=blocks[0].device).repeat(len(blocks), 1, 1)
    for target, block in zip(padded, blocks, strict=True):
        target[: len(block), : len(block)] = block
    return padded


def _solved(blocks: Tensor, sides: Tensor) -> Tensor:
    """Return blocks^-1 sides for positive semi-definite blocks, which are changed in place.

    A small ridge is added to the blocks, and raised until they can be factorised.
    """
    diagonal = blocks.diagonal(dim1=1, dim2=2)
    ridge = blocks.new_full((len(blocks), 1), RIDGE[blocks.dtype])
    diagonal += ridge
    factor, failed = torch.linalg.cholesky_ex(blocks)
    for _ in range(RIDGE_RAISES):
        if not failed.any():
            break
        more = torch.where(failed[:, None] > 0, 9 * ridge, 0)
        diagonal += more
        ridge = ridge + more
        factor, failed = torch.linalg.cholesky_ex(blocks)
    solved = torch.cholesky_solve(sides, factor)
    return solved + torch.cholesky_solve(sides - blocks @ solved + ridge[..., None] * solved, factor)


def _checked(problems: Problems, beta: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return beta, made feasible in float64, with its bias, gap and dual objective."""
    exact = replace(problems, **{name: getattr(problems, name).double() for name in ("y", "lower", "upper")})
    beta = exact.snapped(project(problems.snapped(beta).double(), exact.lower, exact.upper))
    moved = product(problems.K, beta)
    gap, bias = exact.gap(beta, moved)
    return beta, bias, gap, (beta * (exact.y - moved / 2)).sum(1)


def product(K: Tensor, beta: Tensor) -> Tensor:
    """Return K beta in float64 without a float64 copy of K, from the rows of K for which beta is not 0."""
    result = torch.zeros_like(beta)
    for b in range(len(K)):
        for place in beta[b].any(1).nonzero()[:, 0].split(256):
            result[b] += K[b].index_select(0, place).double().T @ beta[b, place]
    return result


def _attempts(problems: Problems, beta: Tensor, tol: float) -> Iterator[Tensor]:
    """Yield solutions of one problem in float64, each slower to find than the last.

    The first is by Newton steps, the second by the interior point method, the third by Newton steps from the second.
    """
    yield _newton(problems, _guess(problems, beta), tol)
    taking_part = (problems.lower < problems.upper)[0, :, 0]
    y = problems.y[0, taking_part, 0]
    width = (problems.upper - problems.lower)[0, taking_part, 0]
    inner = torch.zeros_like(beta)
    inner[0, taking_part, 0] = y * interior_point(problems.K[0][taking_part][:, taking_part], y, width, tol)
    yield inner
    yield _newton(problems, _ahead(problems, inner), tol)
