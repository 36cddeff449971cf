"""Sizes of memory as people write them."""

import pytest

from cellbench.core.errors import UsageError
from cellbench.running.planning import options
from cellbench.running.planning.options import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("8GB", 8e9), ("1.5 gb", 1.5e9), ("2GiB", 2 * 2**30), ("2000M", 2e9), (3 * 10**9, 3e9), ("1T", 1e12)],
)
def test_a_size_is_read_in_every_unit(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-8GB", "8 G B", "8.GB", "nan", "999MB", 0])
def test_what_is_no_size_or_too_small_is_refused(text):
    with pytest.raises(UsageError, match=r"give a size such as 8GB, of at least 1\.0 GB") as refused:
        parse_size(text)
    assert repr(text) in str(refused.value)


def test_memory_is_limited_on_linux_alone(monkeypatch):
    monkeypatch.setattr(options, "CAN_LIMIT_MEMORY", False)
    with pytest.raises(
        UsageError, match=r"--max-memory got '8GB'; only Linux can limit the memory of a run, .*leave it"
    ):
        parse_size("8GB")
