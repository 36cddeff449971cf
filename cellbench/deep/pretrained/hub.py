"""The published weights of timm's nets, which huggingface_hub downloads."""

import contextlib
from collections.abc import Iterator

import timm
import torch
from huggingface_hub import constants, get_session
from huggingface_hub.utils import logging
from torch import Tensor

from .files import PATIENCE


def weights_of_timm(name: str) -> tuple[dict[str, Tensor], str]:
    """Return the published weights of timm's net `name`, and what they are called; downloads them if need be.

    The hub is asked once whether it can be reached: huggingface_hub asks six times for each of several files, and
    warns each time, which takes a minute without network. torch's random state stays as it is: otherwise it would
    depend on whether the weights are in the cache, as the net is built twice where they are not.

    Raises OSError where the weights are not in the cache and the hub cannot be reached, timm's RuntimeError where
    none are published, and errors of httpx and safetensors for a lost connection or a damaged file.
    """
    with _quiet_hub(), torch.random.fork_rng(devices=[]):
        before = constants.HF_HUB_OFFLINE
        try:
            constants.HF_HUB_OFFLINE = True
            with contextlib.suppress(FileNotFoundError, ConnectionError):  # they are not in the cache
                return _weights(name)
            constants.HF_HUB_OFFLINE = before
            _check_reachable()
            return _weights(name)
        finally:
            constants.HF_HUB_OFFLINE = before


def _weights(name: str) -> tuple[dict[str, Tensor], str]:
    net = timm.create_model(name, pretrained=True)
    return net.state_dict(), f"timm {net.pretrained_cfg['architecture']}.{net.pretrained_cfg['tag']}"


def _check_reachable() -> None:
    """Raise OSError, with the reason, if the hub does not answer; what it answers does not matter."""
    try:
        get_session().head(constants.ENDPOINT, timeout=PATIENCE)
    except Exception as error:  # httpx's are no OSErrors, requests' are; which one it is depends on huggingface_hub
        raise OSError(f"{constants.ENDPOINT}: {error or type(error).__name__}") from None


@contextlib.contextmanager
def _quiet_hub() -> Iterator[None]:
    """Let huggingface_hub print errors only, while the context lasts."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
