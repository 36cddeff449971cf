"""How long, in what batches and with how much augmentation a net is trained on few images: a grid, judged on val.

    python benchmarks/recipes.py run -d hep2 -n 100 -n 500      adds what is missing to results/recipes.csv
    python benchmarks/recipes.py table                           the default beside the best of the grid

Each run has a folder of records of its own, of which only the score on the whole validation part is kept: the test part
is never looked at. The defaults that were chosen by it are in cellbench/core/training_budget.py.
"""

from itertools import product

import click
import pandas as pd
from tabulate import tabulate
from trials import Trials, scored_on_val

from cellbench.core.training_budget import STEPS as USUAL_STEPS
from cellbench.core.training_budget import batches
from cellbench.deep.nets.table import find
from cellbench.deep.recipe import Recipe

BATCHES = (16, 32, 64)
STEPS = (500, 1500, 4000)
AUGMENTATIONS = {
    "usual": {},
    "stronger": {"scale": 0.25, "shift": 0.1, "gain": 0.4, "gamma": 0.4, "blur": 0.7, "noise": 0.1},
}
TRIALS = Trials(
    "recipes",
    ("dataset", "split", "n", "method", "batch", "steps", "augmentation", "seed"),
    ("val_accuracy", "val_images", "seconds"),
)


@click.group()
def cli() -> None:
    """The grid of recipes."""


@cli.command()
@click.option("-d", "--dataset", required=True)
@click.option("--name", help="Name of the data set in the table, where --dataset is a folder.")
@click.option("--labels", help="As `cellbench run` takes it.")
@click.option("--group-column", help="As `cellbench run` takes it.")
@click.option("-n", "--limit", "limits", type=int, multiple=True, default=(100,))
@click.option("-m", "--method", "methods", multiple=True, default=("cnn", "resnet18"))
@click.option("--batch", "batch_sizes", type=int, multiple=True, default=BATCHES)
@click.option("--steps", type=int, multiple=True, default=STEPS)
@click.option("--augmentation", "augmentations", multiple=True, default=tuple(AUGMENTATIONS))
@click.option("--seed", "seeds", type=int, multiple=True, default=(0,))
@click.option("--split", default="official")
def run(
    dataset, name, labels, group_column, limits, methods, batch_sizes, steps, augmentations, seeds, split
) -> None:  # fmt: skip
    """Train what is missing."""
    done = TRIALS.done()
    for n, method, seed, augmentation, count, batch in product(
        limits, methods, seeds, augmentations, steps, batch_sizes
    ):
        key = (name or dataset, split, n, method, batch, count, augmentation, seed)
        if key in done:
            continue
        row = scored_on_val(
            dataset,
            method,
            n,
            split=split,
            seeds=seed,
            epochs=-(-count // batches(n, batch)),
            set={"batch": batch, **AUGMENTATIONS[augmentation]},
            labels=labels,
            group_column=group_column,
        )
        TRIALS.add((*key, round(row["val_accuracy"], 4), row["n_val"], round(row["seconds_fit"], 1)))


@cli.command()
def table() -> None:
    """The default of each number of images, the best of the grid, and how far apart they are, in points on val."""
    rows = []
    means = TRIALS.read().groupby(list(TRIALS.key[:-1]))["val_accuracy"].agg(["mean", "count"]).reset_index()
    for (dataset, split, n, method), cells in means.groupby(["dataset", "split", "n", "method"]):
        best = cells.loc[cells["mean"].idxmax()]
        net = find(method)
        batch = net.suited(Recipe(), n).batch
        steps = net.least_steps if batch >= net.least_batch else USUAL_STEPS
        is_usual = f"batch == {batch} and steps == {steps} and augmentation == 'usual'"
        if (found := cells.query(is_usual)).empty:
            continue
        usual = found.iloc[0]
        rows.append((dataset, split, n, method, _cell(usual), _cell(best), 100 * (best["mean"] - usual["mean"])))
    headers = ("data set", "split", "n", "method", "default", "best of the grid", "points behind")
    click.echo(tabulate(rows, headers, floatfmt=".1f", tablefmt="github"))


def _cell(row: pd.Series) -> str:
    count = f", mean of {row['count']}" if row["count"] > 1 else ""
    return f"{100 * row['mean']:.1f} ({row['batch']} × {row['steps']:,}, {row['augmentation']}{count})"


if __name__ == "__main__":
    cli()
