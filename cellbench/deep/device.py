"""The device that a net computes on: 'cpu' or 'cuda'."""

import torch
from torch import Tensor

SHARE_FOR_IMAGES = 0.5  # of the device's free memory; the rest is for the net and what flows through it


def synchronise(device: str) -> None:
    """Wait until the device has finished all of its work, so that times measured afterwards are right."""
    if device == "cuda":
        torch.cuda.synchronize()


def place(images: Tensor, device: str) -> Tensor:
    """Return the images on the device if they fit into half of its free memory, else where they are."""
    if device == "cpu" or images.nbytes > SHARE_FOR_IMAGES * torch.cuda.mem_get_info()[0]:
        return images
    return images.to(device)
