"""Shards: a plan cut into parts that can run in different places without knowing of each other."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ...core.errors import UsageError
from ..job import Job

MOST_SHARDS = 10_000


@dataclass(frozen=True)
class Shard:
    """Shard `number`, from 1, of `count`.

    Whether a run belongs to it depends on nothing but the key of the run: every run is in exactly one of the `count`
    shards, and stays there when more or fewer runs are chosen.
    """

    number: int
    count: int

    def holds(self, key: str) -> bool:
        """Whether the run with this key, hexadecimal digits, belongs to the shard."""
        return int(key, 16) % self.count == self.number - 1

    def of(self, jobs: Iterable[Job]) -> list[Job]:
        return [job for job in jobs if self.holds(job.spec.key)]

    def __str__(self) -> str:
        return f"shard {self.number}/{self.count}"


def parse_shard(asked: str) -> Shard:
    """Return the shard that a text such as '3/8' stands for. Raises UsageError for any other text."""
    found = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", asked, re.ASCII)
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count <= MOST_SHARDS:
        raise UsageError(f"--shard got {asked!r}; write 3/8 for the third of eight, up to {MOST_SHARDS:,} shards")
    return Shard(number, count)
