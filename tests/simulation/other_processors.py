"""Simulating again as another processor would: with other threads, or without vector instructions."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from typing import TypeVar

import torch
from numpy.typing import NDArray

T = TypeVar("T")


def with_threads(threads: int, simulate: Callable[[], T]) -> T:
    """What `simulate` returns when torch has so many threads; it must leave their number as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        again = simulate()
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    return again


def hash_of(images: NDArray) -> str:
    return hashlib.sha256(images.tobytes()).hexdigest()


def hash_without_vectors(kind: str, arguments: str) -> str:
    """`hash_of` the images of `simulate(arguments)`, of kind 'human' or 'yeast', where torch has no vector
    instructions."""
    code = (
        f"import hashlib; from cellbench.simulation.{kind}.crops import simulate;"
        f"print(hashlib.sha256(simulate({arguments}).images.tobytes()).hexdigest())"
    )
    plain = {**os.environ, "ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
    done = subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=True)
    return done.stdout.strip()
