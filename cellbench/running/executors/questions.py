"""Questions that only a process with torch can answer; an executor asks them where the runs are done."""

from collections.abc import Sequence
from typing import TypedDict

from ...core.errors import BackendError
from ..job import Job
from ..single_run import make_method


class Torch(TypedDict):
    """What torch finds; gpu and cuda_version are empty without CUDA."""

    cuda: bool
    gpu: str
    cuda_version: str
    threads: int


def describe_torch() -> Torch:
    """CUDA's presence, the card, threads."""
    import torch

    cuda = torch.cuda.is_available()
    return {
        "cuda": cuda,
        "gpu": torch.cuda.get_device_name() if cuda else "",
        "cuda_version": torch.version.cuda or "",
        "threads": torch.get_num_threads(),
    }


def missing_backend(jobs: Sequence[Job]) -> str:
    """Which method of the jobs lacks a library or device here, and what it lacks; '' when all have what they need.

    Whatever else goes wrong when a method is made is for its run to record.
    """
    for job in jobs:
        try:
            make_method(job)
        except BackendError as error:
            return f"{job.spec.method}: {error}"
        except Exception:
            continue
    return ""
