"""Simulated yeast cells, apart from the data sets that are made of them."""

import numpy as np
import pytest
import torch

from cellbench.core.errors import DataError
from cellbench.simulation.yeast import renderer
from cellbench.simulation.yeast.crops import Crops, simulate
from cellbench.simulation.yeast.wells import CONDITIONS, draw_wells

from ..other_processors import hash_of, hash_without_vectors, with_threads

COUNTS = (9, 10, 4, 9, 4, 10, 10, 10, 10, 3, 7, 10)  # cells of each class, 96 in all


@pytest.fixture(scope="module")
def few() -> Crops:
    return simulate(COUNTS, seed=3)


def test_the_cell_at_the_centre_is_brighter_than_the_border(few: Crops) -> None:
    centre, corner = few.images[:, 0, 24:40, 24:40].mean(), few.images[:, 0, :4, :4].mean()
    assert centre > 2 * corner


def test_same_seed_same_bytes_and_other_seeds_or_parts_other_bytes(few: Crops) -> None:
    assert np.array_equal(few.images, simulate(COUNTS, seed=3).images)
    assert not np.array_equal(few.images, simulate(COUNTS, seed=4).images)
    assert not np.array_equal(few.images, simulate(COUNTS, "test", seed=3).images)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_do_not_change_a_byte_and_keep_their_number(few: Crops, threads: int) -> None:
    again = with_threads(threads, lambda: simulate(COUNTS, seed=3))
    assert np.array_equal(few.images, again.images)


def test_another_cpu_would_draw_the_same_bytes(few: Crops) -> None:
    """Torch without its vector instructions rounds differently; double precision hides it."""
    assert hash_without_vectors("yeast", f"{COUNTS}, seed=3") == hash_of(few.images)


def test_a_chunk_does_not_depend_on_what_follows_it() -> None:
    labels = np.arange(12).repeat(3)
    wells = draw_wells(labels, CONDITIONS, np.random.default_rng(0))
    shown = np.arange(36)
    seeds = np.array([5, 6, 7])
    n = renderer.CHUNK
    long, short = (np.empty((size, 2, 64, 64), np.uint8) for size in (36, n))
    renderer.render(wells, shown, seeds, long)
    renderer.render(wells, shown[:n], seeds[:1], short)
    assert np.array_equal(long[:n], short)


def test_global_random_state_is_neither_used_nor_changed(few: Crops) -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    again = simulate(COUNTS, seed=3)
    assert torch.rand(1) == expected
    assert np.array_equal(few.images, again.images)


def test_peroxisomes_are_many_and_spindle_poles_sit_on_the_nucleus() -> None:
    labels = np.arange(12).repeat(20)
    wells = draw_wells(labels, CONDITIONS, np.random.default_rng(0))
    peroxisome, pole = labels == 9, labels == 10
    assert wells["vesicles"][peroxisome].min() > 3
    assert wells["spindle_poles"][peroxisome].max() == 0
    assert wells["vesicles"][pole].max() == 0
    assert 1 < wells["spindle_poles"][pole].min() <= wells["spindle_poles"][pole].max() < 2


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(DataError, match="train, val, test"):
        simulate((3,) * 12, "tset")
