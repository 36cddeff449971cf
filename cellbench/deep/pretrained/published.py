"""ImageNet weights that torchvision and timm publish: downloading them, their licence, and where they come from."""

import torch
import torchvision
from torch import Tensor

from ...core.extras import EXTRAS
from .files import short_timeout


def published(pretrained: str) -> tuple[dict[str, Tensor], str]:
    """Return the ImageNet weights of `torchvision:NAME` or `timm:NAME`, and their name; downloads them if need be.

    Raises OSError or RuntimeError where that fails, ValueError where there are none.
    """
    package, _, name = pretrained.partition(":")
    if package == "timm":
        EXTRAS["timm"].require(pretrained)
    try:
        with short_timeout():
            return _of_torchvision(name) if package == "torchvision" else _of_timm(name)
    except (OSError, RuntimeError, ValueError, ImportError, MemoryError):
        raise
    except Exception as error:  # httpx, http, safetensors and pickle have kinds of their own
        reason = ": ".join(filter(None, [type(error).__name__, str(error)]))
        raise OSError(f"the download failed, or the file is damaged: {reason}") from error


def _of_torchvision(name: str) -> tuple[dict[str, Tensor], str]:
    chosen = torchvision.models.get_model_weights(name).DEFAULT
    return torchvision.models.get_model(name, weights=chosen).state_dict(), str(chosen)


def _of_timm(name: str) -> tuple[dict[str, Tensor], str]:
    from .hub import weights_of_timm

    return weights_of_timm(name)


def licence(pretrained: str) -> str:
    """Return the licence of published weights, or '' if their package does not state it (torchvision seldom does)."""
    package, _, name = pretrained.partition(":")
    if package == "torchvision":
        return torchvision.models.get_model_weights(name).DEFAULT.meta.get("license", "")
    import timm

    known = timm.get_pretrained_cfg(name)
    return (known and known.license) or ""


def source_of_weights(pretrained: str) -> tuple[str, str]:
    """Return the address that `published` downloads weights from, and the folder in which it looks first."""
    package, _, name = pretrained.partition(":")
    if package == "torchvision":
        return torchvision.models.get_model_weights(name).DEFAULT.url, f"{torch.hub.get_dir()}/checkpoints"
    import timm

    known = timm.get_pretrained_cfg(name)
    return f"https://huggingface.co/{known.hf_hub_id if known else 'timm'}", "the cache of huggingface_hub"
