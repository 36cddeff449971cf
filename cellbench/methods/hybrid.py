"""Deep features × support vector machines: a net learns to see, a C-SVC to decide."""

import dataclasses
import hashlib
import pickle
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..core.data import Samples
from ..core.environment import cache_folder, machine_name
from ..core.errors import DataError, UsageError, did_you_mean
from ..core.runs import RunLog
from ..training.recipe import Recipe
from .classical import FeatureSVM, SVMSettings
from .deep import STANDARD, NetMethod
from .registry import methods

if TYPE_CHECKING:
    from torch import Tensor

    from ..training.loop import Trained

NETS = {net.name: net for net in STANDARD}


@dataclass(frozen=True)
class DeepFeatureSettings:
    """net: one of the standard nets, trained by its own recipe but for epochs, batch and lr where they are given.

    The rest as in SVMSettings. cached: take a net that was trained in the same way on the same images before; what
    its training cost then is counted again.
    """

    net: str = "resnet18"
    epochs: int | None = None
    batch: int | None = None
    lr: float | None = None
    C: tuple[float, ...] | float = (0.01, 0.1, 1, 10)
    gamma: tuple[float | str, ...] | float | str = "scale"
    kernel: str = "rbf"
    class_weight: str | None = None
    backend: str = "auto"
    cached: bool = True

    def __post_init__(self) -> None:
        if self.net not in NETS:
            raise UsageError(f"net is {self.net!r}; {did_you_mean(self.net, NETS)}")
        if not isinstance(self.cached, bool):
            raise UsageError(f"cached is {self.cached!r}; give true or false")
        _ = self.recipe, self.machine  # they refuse what they can't be

    @property
    def recipe(self) -> Recipe:
        given = {name: getattr(self, name) for name in ("epochs", "batch", "lr") if getattr(self, name) is not None}
        return dataclasses.replace(NETS[self.net].recipe, **given)

    @property
    def machine(self) -> SVMSettings:
        return SVMSettings(
            **{name: getattr(self, name) for name in ("C", "gamma", "kernel", "class_weight", "backend")}
        )


class DeepFeatureSVM:
    """What a trained net hands to its last layer, standardised, then a C-SVC."""

    def __init__(self, settings: DeepFeatureSettings, seed: int, device: str) -> None:
        from ..svm.backends import choose

        choose(settings.backend, device=device, kernel=settings.kernel)  # refused now, not when the net is trained
        self._settings, self._seed, self._device = settings, seed, device
        self.chosen: dict[str, Any] = {}
        self.parameters: int | None = None
        self.backend = ""

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        chosen = NETS[self._settings.net]
        if (side := min(train.images.shape[2:])) < chosen.min_size:
            raise DataError(f"{chosen.name} needs images of at least {chosen.min_size} pixels and these have {side}")
        net = NetMethod(chosen.build, self._settings.recipe, self._seed, self._device)
        kept = cache_folder() / "nets" / f"{self._key(train, val)}.pt"
        cached = self._settings.cached and kept.is_file()
        if cached:
            try:
                log.carry(net.load(kept, train))
            except (RuntimeError, OSError, EOFError, KeyError, pickle.UnpicklingError):  # cut short, or another's
                cached = False
        if not cached:
            before = dict(log.seconds)
            net.fit(train, val, log)
            net.save(kept, {phase: spent - before.get(phase, 0) for phase, spent in log.seconds.items()})
        self._machine = FeatureSVM(partial(penultimate, net.model), self._settings.machine, self._device)
        self._machine.fit(train, val, log)
        self.parameters = net.parameters
        self.backend = f"{net.backend}, {self._machine.backend}"
        self.chosen = {**net.chosen, **self._machine.chosen, "net_from_cache": cached}

    def predict(self, images: NDArray) -> NDArray[np.float32]:
        return self._machine.predict(images)

    @property
    def facts(self) -> dict[str, Any]:
        return self._machine.facts

    def _key(self, train: Samples, val: Samples) -> str:
        """What a trained net and its cost depend on: pixels, labels, classes, settings, code, threads, device."""
        import torch

        digest = hashlib.sha256()
        for samples in (train, val):
            for array in (samples.images, samples.labels):
                digest.update(f"{array.dtype}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).data)
        settings = (self._settings.net, self._settings.recipe, self._seed, len(train.classes))
        code = (__version__, torch.__version__, methods["svm-deep"].revision, methods[self._settings.net].revision)
        card = torch.cuda.get_device_name() if self._device == "cuda" else machine_name()
        hardware = (self._device, card, torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
        digest.update(repr((settings, code, hardware)).encode())
        return digest.hexdigest()[:32]


def penultimate(model: "Trained", images: "Tensor") -> "Tensor":
    """(n, features) float32: what reaches the net's last linear layer."""
    import torch

    last = [module for module in model.net.modules() if isinstance(module, torch.nn.Linear)][-1]
    reached: list[Tensor] = []
    hook = last.register_forward_pre_hook(lambda _, inputs: reached.append(inputs[0].float()))
    try:
        model.predict(images)
    finally:
        hook.remove()
    return torch.cat(reached)


@methods.register(
    "svm-deep",
    summary="RBF support vector machine on the penultimate layer of a net trained here",
    family="svm",
    defaults=DeepFeatureSettings(),
    cost=46,
)
def svm_deep(settings: DeepFeatureSettings, seed: int, device: str) -> DeepFeatureSVM:
    return DeepFeatureSVM(settings, seed, device)
