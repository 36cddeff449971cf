"""The device that a net computes on: 'cpu' or 'cuda'."""

import torch
from torch import Tensor

SHARE_FOR_IMAGES = 0.5  # of the device's free memory; the rest is for the net and what flows through it


def synchronise(device: str) -> None:
    """Wait until the device has done all that it was asked, so that a clock read afterwards is true."""
    if device == "cuda":
        torch.cuda.synchronize()


def place(images: Tensor, device: str) -> Tensor:
    """The images on the device if they take no more than half of its free memory, else where they are."""
    if device == "cpu" or images.nbytes > SHARE_FOR_IMAGES * torch.cuda.mem_get_info()[0]:
        return images
    return images.to(device)
