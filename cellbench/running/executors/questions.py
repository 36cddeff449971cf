"""Functions that need torch, such as whether there is a CUDA device; an executor calls them where runs are done."""

from collections.abc import Callable, Sequence
from typing import TypedDict

from ...core.errors import BackendError
from ...core.machine.environment import cuda_driver
from ..job import Job
from ..single_run import make_method


class Torch(TypedDict):
    """What torch finds; gpu is empty without a CUDA device, cuda_version if torch was built without CUDA.

    cards: the number of CUDA devices.
    """

    cuda: bool
    gpu: str
    cuda_version: str
    threads: int
    cards: int


def describe_torch() -> Torch:
    """Return whether torch finds CUDA, the first card's name, CUDA's version, the numbers of threads and of cards."""
    import torch

    cuda = torch.cuda.is_available()
    return {
        "cuda": cuda,
        "gpu": torch.cuda.get_device_name() if cuda else "",
        "cuda_version": torch.version.cuda or "",
        "threads": torch.get_num_threads(),
        "cards": torch.cuda.device_count() if cuda else 0,
    }


def _here(question: Callable[[], Torch]) -> Torch:
    return question()


def choose_device(wanted: str, ask: Callable[[Callable[[], Torch]], Torch] = _here) -> str:
    """Return the device to run on, 'cpu' or 'cuda'; 'auto' is CUDA if torch finds a device.

    ask: calls a function where the runs are done, by default in this process, and returns its result. Raises
    BackendError if 'cuda' is wanted and there is none.
    """
    if wanted == "cpu" or (wanted == "auto" and not cuda_driver()):
        return "cpu"
    if ask(describe_torch)["cuda"]:
        return "cuda"
    if wanted == "cuda":
        raise BackendError(
            "--device cuda: torch sees no CUDA device here; `cellbench doctor` says more, or use --device cpu"
        )
    return "cpu"


def missing_backend(jobs: Sequence[Job]) -> str:
    """Return the first method of the jobs that lacks a library or device here, and what it lacks; '' if none does.

    Other errors in making a method are ignored here; the record of its run will hold them.
    """
    for job in jobs:
        try:
            make_method(job)
        except BackendError as error:
            return f"{job.spec.method}: {error}"
        except Exception:
            continue
    return ""
