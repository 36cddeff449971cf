"""The hardware and torch's settings on which what is kept between runs depends."""

from ..core.environment import machine_name


def hardware(device: str) -> tuple[str, str, int, bool]:
    """Device, name of the card or machine, number of threads, whether only deterministic algorithms are used."""
    import torch

    card = torch.cuda.get_device_name() if device == "cuda" else machine_name()
    return device, card, torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
