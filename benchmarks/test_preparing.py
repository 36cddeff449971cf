"""How long it takes to decode the studies' files into the cache, and the memory for it: the real program, with files
of their number, size and layout. The limits hold for two cores; where others keep these busy when it starts, the
program's own processor seconds are judged instead of the clock's, and the summary says which were."""

import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cellbench.core.machine.environment import cores
from cellbench.datasets.files import parallel
from cellbench.datasets.files.images import npy
from cellbench.datasets.files.images.decoding import decode
from cellbench.datasets.sources import deepyeast, hep2
from cellbench.datasets.toy import rings

IDLE = 0.5  # load average of the last minute below which the machine is this test's alone
# A small process between this one and the program: Linux counts what the parent holds into a child's greatest memory.
BETWEEN = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""
DISTINCT = 500  # images that are encoded; the files hold them by turns


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    """A folder that goes at once: pytest would keep 1.5 GB of its last three runs."""
    yield tmp_path / "room"
    shutil.rmtree(tmp_path / "room")


def test_preparing_13596_hep2_sized_pngs(room: Path, prepared) -> None:
    pngs = cycle(encoded(rings(n=DISTINCT, size=78).images))
    rows = ["Image ID,Image class"]
    for i, part in enumerate(parts(13_596, ("training", "validation", "test")), 1):
        write(room / part / f"{i:05d}.png", next(pngs))
        rows.append(f"{i},{hep2.CLASSES[i % 6]}")
    (room / hep2.TABLE).write_text("\n".join(rows))
    seconds, memory = prepared("hep2", room, workers=0)
    assert seconds < 5
    assert memory < 0.5e9


def test_preparing_90000_deepyeast_sized_pngs(room: Path, prepared) -> None:
    two = rings(n=DISTINCT, size=64, channels=2).images
    pngs = cycle(encoded(np.concatenate([two, np.zeros_like(two[:, :1])], 1)))
    lists: dict[str, list[str]] = {folder: [] for folder in deepyeast.RENAMED_FOLDERS}
    for i, part in enumerate(parts(90_000, deepyeast.RENAMED_FOLDERS)):
        write(room / part / f"{i}.png", next(pngs))
        lists[part].append(f"{i}.png {i % len(deepyeast.CLASSES)}")
    for name, rows in zip(deepyeast.RENAMED_LISTS, lists.values(), strict=True):
        (room / name).write_text("\n".join(rows))
    seconds, memory = prepared("deepyeast", room, workers=min(cores(), parallel.MOST_PROCESSES))
    assert seconds < 60
    assert memory < 1e9


def test_decoding_of_50000_pngs(against, room: Path) -> None:
    files = [room / f"{i:05}.png" for i in range(50_000)]
    for file, png in zip(files, encoded(rings(n=DISTINCT, size=78).images), strict=False):
        write(file, png)
    for i, file in enumerate(files[DISTINCT:]):
        file.hardlink_to(files[i % DISTINCT])

    had: list[float] = []  # cores, of each round: where others keep one busy, two processes gain nothing

    def ours() -> None:
        start, busy = time.perf_counter(), sum(os.times()[:4])
        items = ((place, file.name, file) for place, file in enumerate(files))
        shape = (len(files), 1, 78, 78)
        npy.write(room / "x.npy", shape, np.dtype(np.uint8), items, decode, "", processes=True)
        had.append((sum(os.times()[:4]) - busy) / (time.perf_counter() - start))

    def peer() -> None:
        np.stack([np.array(Image.open(file)) for file in files])

    ratio = against(ours, peer, "a loop with Pillow, one core", rounds=3, warm=False)  # the files were just written
    assert ratio > (1.0 if statistics.median(had) > 1.5 else 0.5)  # measured with two cores: 1.45, with one: 0.7


@pytest.fixture
def prepared(benchmark, figures, against_products, request: pytest.FixtureRequest):
    """prepared(name, source, workers) prepares once in a process of its own; seconds, and bytes at most.

    Seconds are the clock's or, when the machine was not idle before, the processors'. Bytes: as if each worker had as
    much as the largest process.
    """

    def measure(name: str, source: Path, workers: int) -> tuple[float, float]:
        command = [
            sys.executable,
            "-c",
            BETWEEN,
            sys.executable,
            "-m",
            "cellbench",
            "prepare",
            name,
            "--from",
            str(source),
        ]
        environment = {**os.environ, "CELLBENCH_DATA": str(source / "cache")}
        usage: list[Any] = []

        def run() -> None:
            told = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout
            usage.extend(json.loads(told))

        judged = "clock" if os.getloadavg()[0] < IDLE else "processors"

        def timed() -> float:
            benchmark.pedantic(run, rounds=1)
            return float(benchmark.stats.stats.median)

        clock, processors = against_products(timed), usage[0]
        memory = usage[1] * (1 if sys.platform == "darwin" else 1024) * (1 + workers)
        benchmark.extra_info.update(processor_seconds=processors, memory=memory, judged=judged)
        figures(request.node.name, clock, processors, memory, judged)
        return {"clock": clock, "processors": processors}[judged], memory

    return measure


def encoded(arrays: np.ndarray) -> list[bytes]:
    """(n, channels, height, width) as PNG files."""
    pngs = []
    for array in arrays:
        out = io.BytesIO()
        Image.fromarray(array[0] if len(array) == 1 else np.moveaxis(array, 0, -1)).save(out, "PNG")
        pngs.append(out.getvalue())
    return pngs


def parts(n: int, folders: Sequence[str]) -> list[str]:
    """The folder of each of n images: 70 % in the first, 15 % in each of the others."""
    return [folders[0 if i % 20 < 14 else 1 if i % 20 < 17 else 2] for i in range(n)]


def write(path: Path, data: bytes) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
    path.write_bytes(data)
