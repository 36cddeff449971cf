"""The options of `cellbench run` and `cellbench.run`: one field for each long option."""

import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ...core.errors import UsageError
from ...core.machine.processes import CAN_LIMIT_MEMORY
from ...core.mixed_values import SettingValues
from ...core.records.results_folder import DEFAULT_FOLDER
from ...core.text.numbers import each_once, ranges_in
from ...core.text.words import file_size

LEAST_MEMORY = 10**9  # bytes: the libraries alone take half of it
MOST_SEEDS = 10_000  # more are a slip, and would take years


@dataclass(frozen=True)
class RunOptions:
    """The options of a run as they were given; `cellbench run --help` says what each does.

    Options that may be repeated are plural, those for folders of images are in `folder`, see FolderKeywords. None means
    that an option was not given.
    """

    datasets: Sequence[str] = ()
    methods: Sequence[str] = ()
    all: bool = False
    quick: bool = False
    suites: Sequence[str] = ()
    exclude: Sequence[str] = ()
    seeds: str | int | Iterable[int] | None = None
    set: SettingValues | Sequence[str] = ()
    epochs: int | None = None
    limit: int | None = None
    val_limit: int | str | None = None
    split: str | None = None
    device: str = "auto"
    deterministic: bool = False
    output: Path = DEFAULT_FOLDER
    machine: str | None = None
    timeout: float | None = None
    max_memory: str | int | None = None
    force: bool = False
    retry_failed: bool = False
    fail_fast: bool = False
    save_models: bool = False
    shard: str | None = None
    jobs: int = 1
    wait: bool = True
    dry_run: bool = False
    plugins: Sequence[Path] = ()
    folder: Mapping[str, object] = field(default_factory=dict)
    quiet: bool = False
    verbose: bool = False


def parse_size(asked: str | int) -> int:
    """Return the bytes that '8GB', '500 MB', '2GiB' or a number stand for.

    Raises UsageError for anything else, and where memory cannot be limited.
    """
    if not CAN_LIMIT_MEMORY:
        raise UsageError(
            f"--max-memory got {asked!r}; only Linux can limit the memory of a run, and this is {platform.system()}: "
            "leave it out"
        )
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]?)(I?)B?", str(asked).strip().upper())
    size = 0
    if found:
        size = int(float(found[1]) * (1024 if found[3] else 1000) ** ["", *"KMGT"].index(found[2]))
    if size < LEAST_MEMORY:
        raise UsageError(f"--max-memory got {asked!r}; give a size such as 8GB, of at least {file_size(LEAST_MEMORY)}")
    return size


def parse_seeds(asked: str | int | Iterable[int]) -> tuple[int, ...]:
    """Return the seeds that 0, '0', '0-2', '0,3,5' or several numbers stand for, each once, in order."""
    text = asked if isinstance(asked, str) else ",".join(map(str, [asked] if isinstance(asked, int) else asked))
    ranges = ranges_in(text)
    if not ranges:
        raise UsageError(f"--seeds got {text!r}; write 0, 0-2 or 0,3,5")
    if any(one.stop > MOST_SEEDS for one in ranges):
        raise UsageError(f"--seeds got {text!r}; give seeds below {MOST_SEEDS:,}")
    return each_once(ranges)


def parse_val_limit(asked: str | int) -> int | Literal["all"]:
    """Return 'all' or a number of images from 1. Raises UsageError for anything else."""
    text = str(asked)
    if text == "all":
        return "all"
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--val-limit got {text!r}; write a number of images, or all")
    return int(text)
