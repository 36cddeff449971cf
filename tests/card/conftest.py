"""A card for each test that asks for one."""

from collections.abc import Iterator

import pytest

from cellbench.deep.training import batches

from .pretended import Card, card


@pytest.fixture
def pretended() -> Iterator[Card]:
    """A pretended card with 16 GiB, while the test lasts."""
    with card() as made:
        yield made
    batches._sending_stream.cache_clear()  # a stream of that card
