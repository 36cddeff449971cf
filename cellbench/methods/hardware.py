"""The hardware and the settings of torch that results kept in the cache depend on."""

from ..core.machine import contention
from ..core.machine.environment import machine_name


def hardware(device: str) -> tuple[object, ...]:
    """Return the device, its name, the number of threads, and whether only deterministic algorithms are used.

    The name is that of the card on CUDA, else that of the machine. Where several runs share the machine, their number
    comes last: what was timed then is nothing that a run alone may carry on.
    """
    import torch

    card = torch.cuda.get_device_name() if device == "cuda" else machine_name()
    alone = (device, card, torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
    return alone if contention.at_once == 1 else (*alone, contention.at_once)
