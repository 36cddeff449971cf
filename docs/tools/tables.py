"""Tables of the lists of trials that results/ keeps beside the records, as Markdown.

python docs/tools/tables.py features    what each group of features is worth, from results/features.csv
python docs/tools/tables.py recipes     how long nets were trained on few images, from results/recipes.csv
python docs/tools/tables.py few-images  how SVMs and others do with few images, from results/few_images_svm.csv
python docs/tools/tables.py suspects    how many wrong labels are found, from results/suspect_labels.csv
python docs/tools/tables.py copies      which planted copies are found, from results/inspect_copies.csv
python docs/tools/tables.py coverage    how often intervals hold the truth, from results/coverage.csv
"""

from pathlib import Path

import click
import pandas as pd
from tabulate import tabulate

from cellbench.core.suites import load

RESULTS = Path(__file__).parents[2] / "results"
NOT_RUN = "–"


@click.group()
def cli() -> None:
    """The tables."""


@cli.command()
def features() -> None:
    """Accuracy on val in per cent, entry by entry; the best of each set of images is bold.

    Of several labels an image it is mean average precision.
    """
    rows = pd.read_csv(RESULTS / "features.csv")
    rows["on"] = [_images(row.dataset, row.split, row.limit) for row in rows.itertuples()]
    rows["figure"] = rows["val_accuracy"].fillna(rows["val_mean_average_precision"])
    percent = rows.pivot(index="entry", columns="on", values="figure").mul(100).round(1)
    labels = {entry.id: entry.label for entry in load("features").entries}
    columns = sorted(percent.columns, key=lambda name: ("hep2" not in name, name))
    lines = [
        [f"`{entry}`: {label}", *(_cell(percent.loc[entry, name], percent[name].max()) for name in columns)]
        for entry, label in labels.items()
        if entry in percent.index
    ]
    click.echo(tabulate(lines, ["entry", *columns], tablefmt="github", disable_numparse=True))


def _images(dataset: str, split: str, limit: float) -> str:
    return f"{dataset}, {split}" if pd.isna(limit) else f"{dataset}, {split}, {limit:,.0f} images"


def _cell(value: float, best: float) -> str:
    if pd.isna(value):
        return NOT_RUN
    return f"**{value:.1f}**" if value == best else f"{value:.1f}"


@cli.command()
def recipes() -> None:
    """Accuracy on all val images in per cent, a row a net, batch and augmentation, a column a number of steps.

    Means over seeds.
    """
    rows = pd.read_csv(RESULTS / "recipes.csv")
    rows["augmentation"] = pd.Categorical(rows["augmentation"], ["usual", "stronger"])
    keys = ["dataset", "n", "method", "augmentation", "batch"]
    found = rows.groupby([*keys, "steps"], observed=True)["val_accuracy"].agg(["mean", "count"])
    found["text"] = [_mean(row["mean"], int(row["count"])) for _, row in found.iterrows()]
    table = found["text"].unstack("steps").fillna(NOT_RUN).reset_index()
    steps = [f"{number:,} steps" for number in table.columns[len(keys) :]]
    titles = ["data set", "images", "net", "augmentation", "batch", *steps]
    click.echo(tabulate(table.to_numpy().tolist(), titles, tablefmt="github", disable_numparse=True))


@cli.command()
def few_images() -> None:
    """Accuracy on val in per cent: a row for each way to learn, a column for each data set and number of images.

    It is the mean over draws of the images. In brackets: the gain over the first row, ± its standard error.
    """
    rows = pd.read_csv(RESULTS / "few_images_svm.csv")
    rows["on"] = [f"{row.dataset}, {row.n:,} images" for row in rows.itertuples()]
    found = 100 * rows.pivot(index=["on", "draw"], columns="way", values="val_accuracy")
    first = "rbf kernel"
    gains = found.sub(found[first], axis=0).groupby("on").agg(["mean", "sem"])
    means = found.groupby("on").mean()
    columns = sorted(means.index, key=lambda name: (rows.loc[rows["on"] == name, "n"].iloc[0], name))
    ways = [first, *(way for way in rows["way"].unique() if way != first)]
    lines = [[way, *(_gained(means.loc[on, way], *gains.loc[on, way], way == first) for on in columns)] for way in ways]
    click.echo(tabulate(lines, ["learning from the features by", *columns], tablefmt="github", disable_numparse=True))


def _gained(mean: float, gain: float, error: float, is_first: bool) -> str:
    if pd.isna(mean):
        return NOT_RUN
    return f"{mean:.1f}" if is_first else f"{mean:.1f} ({gain:+.1f} ± {error:.1f})".replace("-", "−")


@cli.command()
def suspects() -> None:
    """How many of the labels that were made wrong stand among the first of the ranking."""
    rows = pd.read_csv(RESULTS / "suspect_labels.csv")
    titles = {
        "dataset": "data set",
        "judged": "images judged",
        "flipped": "made wrong",
        "found_in_first_50": "in the first 50",
        "found_in_first_100": "in the first 100",
        "found_in_first_200": "in the first 200",
        "expected_by_chance_in_first_100": "by chance in 100",
    }
    lines = [
        [f"{value:,}" if isinstance(value, int) else value for value in row]
        for row in rows[[*titles]].to_numpy().tolist()
    ]
    click.echo(tabulate(lines, [*titles.values()], tablefmt="github", disable_numparse=True))


@cli.command()
def copies() -> None:
    """Of copies that were planted in test, how many `inspect` finds, and how many pairs it names beside them."""
    rows = pd.read_csv(RESULTS / "inspect_copies.csv")
    of_one = [f"{row.dataset}, {row.side}×{row.side} px" for row in rows.itertuples()]
    images = [f"{row.train:,} / {row.val:,} / {row.test:,}" for row in rows.itertuples()]
    told = [f"{row.found} of {row.planted}" for row in rows.itertuples()]
    lines = zip(of_one, images, rows["copy"], told, rows["others"].map(str), strict=True)
    titles = ["data set", "train / val / test", "copy", "found", "pairs that were not planted"]
    click.echo(tabulate([*lines], titles, tablefmt="github", disable_numparse=True))


@cli.command()
def coverage() -> None:
    """Of simulated test sets, the share in per cent whose 95 % interval holds the truth."""
    rows = pd.read_csv(RESULTS / "coverage.csv")
    shares = {
        "accuracy_held": ("accuracy: held (%)", 1),
        "macro_f1_held": ("macro-F1: held (%)", 1),
        "macro_f1_has_one": ("has one (%)", 0),
        "macro_f1_held_if_all_had_one": ("held if all had one (%)", 1),
    }
    lines = [
        [
            row["simulated"],
            *(NOT_RUN if pd.isna(row[key]) else f"{100 * row[key]:.{n}f}" for key, (_, n) in shares.items()),
        ]
        for _, row in rows.iterrows()
    ]
    click.echo(
        tabulate(lines, ["simulated", *(title for title, _ in shares.values())], "github", disable_numparse=True)
    )


def _mean(value: float, count: int) -> str:
    return f"{100 * value:.1f}" + (f" ({count} seeds)" if count > 1 else "")


if __name__ == "__main__":
    cli()
