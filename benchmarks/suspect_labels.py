"""How many wrong labels `cellbench inspect --suspect-labels` finds: flips some, and counts them in its ranking.

python benchmarks/suspect_labels.py [DATASET] [LIMIT]

FLIPPED images, drawn evenly among those that are judged, get the label of another class, drawn evenly among the others.
A row is added to results/suspect_labels.csv: how many of the first FLIPPED images of the ranking are among them.
"""

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellbench import open_dataset
from cellbench.core.data import Dataset
from cellbench.datasets.splits import limited
from cellbench.methods.suspect_labels import SuspectLabels, rank

FLIPPED, SEED = 100, 0
TABLE = Path(__file__).parents[1] / "results" / "suspect_labels.csv"


def flipped(data: Dataset, judged: NDArray[np.int64]) -> tuple[Dataset, NDArray[np.int64]]:
    """Return the data set with FLIPPED wrong labels among the images at `judged`, and their positions."""
    rng = np.random.default_rng(SEED)
    places = np.sort(rng.choice(judged, FLIPPED, replace=False))
    labels = data.labels.copy()
    labels[places] = (labels[places] + rng.integers(1, len(data.classes), FLIPPED)) % len(data.classes)
    return replace(data, labels=labels), places


def row(name: str, found: SuspectLabels, places: NDArray[np.int64]) -> dict[str, object]:
    """Return a row of the table: how many of the flipped labels the first places of the ranking hold."""
    hits = np.isin(found.order, places)
    return {
        "dataset": name,
        "fingerprint": found.data.info.fingerprint[:8],
        "judged": len(found),
        "flipped": FLIPPED,
        "seed": SEED,
        "found_in_first_50": int(hits[:50].sum()),
        "found_in_first_100": int(hits[:100].sum()),
        "found_in_first_200": int(hits[:200].sum()),
        "expected_by_chance_in_first_100": round(100 * FLIPPED / len(found), 1),
    }


def main(name: str = "hep2", limit: str = "") -> None:
    data = open_dataset(name)
    judged = limited(np.arange(len(data)), data.labels, int(limit) if limit else None)
    data, places = flipped(data, judged)
    found = rank(data, judged, lambda text: print(text, file=sys.stderr))
    line = row(name, found, places)
    is_new = not TABLE.exists()
    with TABLE.open("a", newline="") as file:
        writer = csv.DictWriter(file, line)
        if is_new:
            writer.writeheader()
        writer.writerow(line)
    print("\n".join(f"{key}: {value}" for key, value in line.items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
