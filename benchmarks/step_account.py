"""Where the time of a training step of resnet18 goes: ours beside a plain float32 loop's, by kind of operation.

    python benchmarks/step_account.py run       writes results/step-account.csv
    python benchmarks/step_account.py table

Each epoch of the benchmark of training, images of 64×64 pixels in batches of 64, is recorded by torch.profiler in a
process of its own. Recording costs time itself, so shares are to be compared, not seconds with other pages.
"""

import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import pandas as pd
import torch
from tabulate import tabulate
from test_speed import TRAINING_IMAGES, our_epoch, plain_epoch

RESULTS = Path(__file__).parents[1] / "results" / "step-account.csv"
STEPS = TRAINING_IMAGES // 64
KINDS = {
    "convolutions": ("convolution",),
    "matrix products": ("aten::mm", "addmm", "bmm", "linear", "im2col", "col2im"),
    "batch norm": ("batch_norm",),
    "casts and copies": ("_to_copy", "aten::copy_", "aten::to", "contiguous", "clone", "index"),
    "ReLU, sums and pools": ("relu", "threshold", "clamp", "aten::add", "pool", "aten::mean", "aten::sum"),
    "optimiser": ("sgd", "_foreach", "Optimizer", "zero_"),
}
REST = "all else"


@click.group()
def cli() -> None:
    """The account of a step."""


@cli.command()
def run() -> None:
    """Record an epoch of each."""
    sides = {"ours": account(our_epoch), "plain": account(plain_epoch)}
    rows = [(kind, *(round(side[kind], 2) for side in sides.values())) for kind in (*KINDS, REST)]
    pd.DataFrame(rows, columns=["kind", *sides]).to_csv(RESULTS, index=False)


@cli.command()
def table() -> None:
    """Milliseconds of a step, and how many times as long the plain loop's take."""
    found = pd.read_csv(RESULTS)
    found.loc[len(found)] = ["together", found["ours"].sum(), found["plain"].sum()]
    rows = [
        (row.kind, f"{row.ours:.1f}", f"{row.plain:.1f}", f"{row.plain / row.ours:.1f} ×" if row.ours > 0.5 else "–")
        for row in found.itertuples()
    ]
    headers = ("operations", "ours (ms)", "plain loop (ms)", "plain : ours")
    click.echo(tabulate(rows, headers, tablefmt="github", disable_numparse=True))


def account(epoch: Callable[[], float]) -> Counter[str]:
    """Return the milliseconds of a step that each kind of operation takes in an epoch, by the clock of its thread."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_recorded, epoch).result()


def _recorded(epoch: Callable[[], float]) -> Counter[str]:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        epoch()
    found: Counter[str] = Counter()
    for event in profiler.key_averages():
        kind = next((kind for kind, parts in KINDS.items() if any(part in event.key for part in parts)), REST)
        found[kind] += event.self_cpu_time_total / 1000 / STEPS
    return found


if __name__ == "__main__":
    cli()
