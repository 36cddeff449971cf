"""How often 95 % intervals hold the simulated truth: the table of docs/statistics.md.

    python benchmarks/coverage.py            writes results/coverage.csv; some minutes on one core
    python benchmarks/coverage.py --runs 200  a quick look, which is printed alone

Seeds are fixed, so that the same version gives the same table; `python docs/tools/tables.py coverage` shows it.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.core.scoring.metrics import NAMED
from cellbench.results.statistics.intervals import interval
from cellbench.results.statistics.rare import rare_classes

PRIORS = {
    "4 equal classes": np.full(4, 0.25),
    "6 classes, the rarest 2 %": np.array([0.3, 0.25, 0.2, 0.15, 0.08, 0.02]),
    "12 classes of Zipf's law": 1 / np.arange(1, 13) / np.sum(1 / np.arange(1, 13)),
}
OVER_IMAGES = (  # classes, images, the share that is labelled rightly
    ("4 equal classes", 200, 0.8),
    ("6 classes, the rarest 2 %", 200, 0.8),
    ("6 classes, the rarest 2 %", 200, 0.95),
    ("6 classes, the rarest 2 %", 1000, 0.95),
    ("12 classes of Zipf's law", 60, 0.8),
    ("12 classes of Zipf's law", 60, 0.95),
    ("12 classes of Zipf's law", 800, 0.95),
)
OVER_GROUPS = ((5, 0.8), (8, 0.8), (12, 0.8), (5, 0.95), (8, 0.95), (12, 0.95), (30, 0.8))
OVER_PURE_GROUPS = ((5, 0.8), (5, 0.95), (8, 0.8))  # groups of each of four classes
TABLE = Path(__file__).parents[1] / "results" / "coverage.csv"
RUNS = 1000  # simulated test sets of each line
CELLS, SPREAD = 40, 15.0  # cells of a group; how alike groups are: the counts of a beta distribution


def confusion(priors: np.ndarray, right: float) -> np.ndarray:
    """Return the chances of each true and each predicted class, (classes, classes); errors go to common classes."""
    chances = (1 - right) * priors[None] / (1 - priors)[:, None]
    np.fill_diagonal(chances, right)
    return priors[:, None] * chances


def over_images(name: str, n: int, right: float, runs: int) -> dict[str, object]:
    """Return a line of the table for images of one of PRIORS: macro-F1 only where it has an interval."""
    rng, chances = np.random.default_rng(0), confusion(PRIORS[name], right)
    figures = {figure: float(NAMED[figure].of_sums(chances[None])[0]) for figure in ("accuracy", "macro_f1")}
    held, told, anyway = dict.fromkeys(figures, 0), dict.fromkeys(figures, 0), 0
    for _ in range(runs):
        both = rng.choice(chances.size, n, p=chances.ravel())
        truth, predicted = both // len(chances), both % len(chances)
        for figure, true in figures.items():
            found = interval(truth, predicted, figure, classes=len(chances), resamples=400)
            holds = found.low <= true <= found.high
            anyway += holds and figure == "macro_f1"
            if figure == "macro_f1" and rare_classes(truth):
                continue
            told[figure] += 1
            held[figure] += holds
    what = f"{n:,} images, {name}, {100 * right:.0f} % right"
    return {"simulated": what, **shares(held, told, runs), "macro_f1_held_if_all_had_one": round(anyway / runs, 4)}


def over_groups(groups: int, right: float, runs: int, pure: bool = False) -> dict[str, object]:
    """Return a line of the table for groups that hold all of four classes, or where `pure` one class each."""
    rng, group = np.random.default_rng(0), np.repeat(np.arange(groups), CELLS)
    held, told = {"accuracy": 0, "macro_f1": 0}, {"accuracy": runs, "macro_f1": runs}
    for _ in range(runs):
        truth = group % 4 if pure else rng.integers(0, 4, len(group))
        of_group = rng.beta(right * SPREAD, (1 - right) * SPREAD, groups)
        predicted = np.where(
            rng.random(len(group)) < of_group[group], truth, (truth + rng.integers(1, 4, len(group))) % 4
        )
        for figure in held:
            found = interval(truth, predicted, figure, group, classes=4, resamples=400)
            held[figure] += found.low <= right <= found.high
    of_classes = f"{groups // 4} of each of 4 classes" if pure else "all classes in each"
    what = f"{groups} groups of {CELLS} cells, {of_classes}, {100 * right:.0f} % right"
    return {"simulated": what, **shares(held, told, runs)}


def shares(held: dict[str, int], told: dict[str, int], runs: int) -> dict[str, object]:
    """Return the coverage of each figure, if a fifth of the runs had an interval, and how many had one of macro-F1."""
    covered = {f"{name}_held": round(held[name] / n, 4) if n >= runs / 5 else None for name, n in told.items()}
    return {**covered, "macro_f1_has_one": round(told["macro_f1"] / runs, 4)}


def table(runs: int) -> pd.DataFrame:
    rows = [over_images(name, n, right, runs) for name, n, right in OVER_IMAGES]
    rows += [over_groups(groups, right, runs) for groups, right in OVER_GROUPS]
    rows += [over_groups(4 * of_class, right, runs, pure=True) for of_class, right in OVER_PURE_GROUPS]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=RUNS, help="simulated test sets of each line")
    asked = parser.parse_args().runs
    found = table(asked)
    print(found.to_string())
    if asked == RUNS:
        found.to_csv(TABLE, index=False)
