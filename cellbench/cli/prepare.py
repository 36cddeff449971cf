"""`cellbench prepare`: decode a data set once, so that runs start at once."""

import time
from pathlib import Path
from typing import Any

import click

from .options import data_folder, folder_options


@click.command()
@click.argument("dataset")
@click.option("--from", "source", type=click.Path(path_type=Path), help="Folder or archive as it was downloaded.")
@click.option("--again", is_flag=True, help="Prepare anew even if it is ready.")
@folder_options
def prepare(dataset: str, source: Path | None, again: bool, **folder: Any) -> None:
    """Decode DATASET (a name, or a folder of images) into the cache; `run` uses it from there.

    \b
    cellbench prepare hep2 --from hep2_i3a.tar
    cellbench prepare synthetic-yeast-full
    cellbench prepare my_cells/ --labels labels.csv --group-column well
    """
    from ..datasets import cache, datasets

    if again and dataset in datasets:
        cache.clear(datasets[dataset].key)
    start = time.perf_counter()
    path = data_folder(dataset, folder, source)
    data = cache.read(path)
    size = " × ".join(map(str, data.images.shape[2:]))
    parts = ", ".join(f"{len(data.split[part]):,} {part}" for part in ("train", "val", "test"))
    click.echo(
        f"{data.name}: {len(data):,} images of {size} pixels, channels {', '.join(data.channels)}, {data.images.dtype}"
    )
    click.echo(f"split {data.split.name}: {parts}; {len(data.classes)} classes")
    for note in data.info.notes:
        click.echo(f"note: {note}")
    click.echo(f"ready after {time.perf_counter() - start:.1f} s in {path}. Next: cellbench run -d {dataset}")
