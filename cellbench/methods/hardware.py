"""The hardware and the settings of torch that results kept in the cache depend on."""

from ..core.environment import machine_name


def hardware(device: str) -> tuple[str, str, int, bool]:
    """Return the device, its name, the number of threads, and whether only deterministic algorithms are used.

    The name is that of the card on CUDA, else that of the machine.
    """
    import torch

    card = torch.cuda.get_device_name() if device == "cuda" else machine_name()
    return device, card, torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
