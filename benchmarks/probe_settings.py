"""Which encoder, and which way of asking it, serves probes best: one setting changed at a time, judged on val.

    python benchmarks/probe_settings.py run -d hep2 -d pbc_blood      adds what is missing to results/probe-settings.csv
    python benchmarks/probe_settings.py table                          accuracy on val of each, beside the default

Trained on 2,000 images, judged on the whole validation part; the test part is never looked at.
"""

import click
from tabulate import tabulate
from trials import Trials, scored_on_val

IMAGES = 2_000
VARIANTS = {
    "default": {},
    "encoder efficientnet_lite0": {"encoder": "timm:tf_efficientnet_lite0"},
    "channel_mode rgb": {"channel_mode": "rgb"},
    "pooling max": {"pooling": "max"},
    "pooling avg+max": {"pooling": "avg+max"},
    "size 64": {"size": 64},
    "size 128": {"size": 128},
    "size 160": {"size": 160},
    "views 8": {"views": 8},
}
TRIALS = Trials("probe-settings", ("dataset", "split", "method", "variant"), ("val_accuracy", "val_images", "seconds"))


@click.group()
def cli() -> None:
    """Settings of probes."""


@cli.command()
@click.option("-d", "--dataset", required=True)
@click.option("--name", help="Name of the data set in the table, where --dataset is a folder.")
@click.option("--labels", help="As `cellbench run` takes it.")
@click.option("--group-column", help="As `cellbench run` takes it.")
@click.option("-m", "--method", "methods", multiple=True, default=("probe-linear",))
@click.option("--variant", "variants", multiple=True, type=click.Choice(tuple(VARIANTS)), default=tuple(VARIANTS))
@click.option("--split", default="official")
def run(dataset, name, labels, group_column, methods, variants, split) -> None:
    """Train what is missing."""
    done = TRIALS.done()
    for method in methods:
        for variant in variants:
            key = (name or dataset, split, method, variant)
            if key in done:
                continue
            options = {"split": split, "set": VARIANTS[variant], "labels": labels, "group_column": group_column}
            row = scored_on_val(dataset, method, IMAGES, **options)
            TRIALS.add((*key, round(row["val_accuracy"], 4), row["n_val"], round(row["train_seconds"], 1)))


@cli.command()
def table() -> None:
    """Accuracy on val in per cent."""
    found = TRIALS.read()
    places = list(dict.fromkeys(zip(found["dataset"], found["split"], found["method"], strict=True)))
    accuracy = found.set_index(["dataset", "split", "method", "variant"])["val_accuracy"]
    rows = [
        (
            variant,
            *(f"{100 * accuracy[key]:.1f}" if (key := (*place, variant)) in accuracy else "–" for place in places),
        )
        for variant in VARIANTS
    ]
    headers = ("changed setting", *(f"{dataset}, {method}" for dataset, _, method in places))
    click.echo(tabulate(rows, headers, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    cli()
