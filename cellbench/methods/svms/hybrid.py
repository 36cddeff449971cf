"""The method that trains a net and then fits a support vector machine to the inputs of its last layer."""

import hashlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, model_validator

from ... import __version__
from ...core.data import Images, Samples, add_content
from ...core.machine.environment import cache_folder
from ...core.mixed_values import Facts, SettingValues, State
from ...core.records.runs import RunLog
from ...core.settings import left_open, part, replace, setting
from ...core.training_budget import EPOCHS, MANY_IMAGES
from ...deep.nets.table import find
from ...deep.recipe import Recipe
from ..decorator import method
from ..deep import NetMethod
from ..deep import restore as restore_net
from ..hardware import hardware
from ..registry import methods
from .classical import FeatureSVM, FittedSVM, MachineSettings, SVMSettings

if TYPE_CHECKING:
    from torch import Tensor

    from ...deep.classifier import NetClassifier

FOLLOWING = ("epochs", "batch", "lr", "choose")  # settings that follow from the number of training images
A_NET = "a net's name, such as resnet18"


def _known(name: str) -> str:
    find(name)  # raises, with a suggestion
    return name


NetName = Annotated[str, AfterValidator(_known)]


class NetAndMachineSettings(MachineSettings):
    """net: any net. cached: take a net that was trained in the same way on the same images before; what its training
    cost then is counted again."""

    net: Annotated[NetName, setting("whose features", may_be=A_NET)] = "resnet18"
    cached: Annotated[bool, setting("take the net from an earlier run of the same training")] = True

    @model_validator(mode="after")
    def _check_recipe(self) -> Self:
        recipe_of(self)  # refuses what a recipe refuses
        return self


# The net is trained by its own recipe, but for what is given here of a recipe's settings; epochs=0: with the weights
# that it comes with. What both have by one name, class_weight and gamma, is the machine's.
DeepFeatureSettings = left_open("DeepFeatureSettings", NetAndMachineSettings, Recipe, unset="net's")
RECIPE = [name for name in Recipe.model_fields if name not in MachineSettings.model_fields]


def recipe_of(settings: NetAndMachineSettings) -> Recipe:
    """Return the recipe that the settings describe; what they leave open (None) has the recipe's default."""
    return Recipe(**{name: value for name in RECIPE if (value := getattr(settings, name)) is not None})


def recipe_for(settings: NetAndMachineSettings, n: int) -> Recipe:
    """Return the recipe for `n` training images, in which no setting is left at auto."""
    return find(settings.net).suited(recipe_of(settings), n)


def suited(settings: NetAndMachineSettings, n: int) -> NetAndMachineSettings:
    """Return the settings with automatic ones filled in where they differ from those for a large training set.

    The others stay unset, so that the keys of older records stay valid.

    n: training images. A record without epochs means EPOCHS of them, whatever the net.
    """
    recipe = recipe_for(settings, n)
    many = replace(find(settings.net).suited(Recipe(), MANY_IMAGES), epochs=EPOCHS)
    unset = [name for name in FOLLOWING if getattr(settings, name) is None]
    found = {name: getattr(recipe, name) for name in unset if getattr(recipe, name) != getattr(many, name)}
    return replace(settings, **found)


def penultimate(model: "NetClassifier", images: "Tensor") -> "Tensor":
    """Return the inputs of the net's last linear layer for these images, (n, features) float32."""
    import torch

    from ...deep.nets.layers import inputs_of, last_linear

    with inputs_of(last_linear(model.net)) as reached:
        model.predict(images)
    return torch.cat([batch.float() for batch in reached])


def restore(settings: NetAndMachineSettings, state: State, device: str) -> FittedSVM:
    """Return a fitted machine that scores images as the DeepFeatureSVM with this state did."""
    model = restore_net(find(settings.net), recipe_of(settings), state, device)
    return FittedSVM.of_state(partial(penultimate, model), state["svm"], device)


@method(
    "svm-deep",
    "RBF support vector machine on the penultimate layer of a net trained here",
    family="svm",
    settings=DeepFeatureSettings(),
    revision=2,
    cost=46,
    restore=restore,
    suited=suited,
)
class DeepFeatureSVM:
    """A C-SVC on the inputs of the last linear layer of a trained net, standardised."""

    def __init__(self, settings: NetAndMachineSettings, seed: int, device: str) -> None:
        from ...svm.backends import choose

        choose(settings.backend, device=device, kernel=settings.kernel)  # refused now, not when the net is trained
        self._settings, self._seed, self._device = settings, seed, device
        self.chosen: SettingValues = {}
        self.parameters: int | None = None
        self.backend = ""

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        from ...core.tensors import NoTensorsError

        recipe = recipe_for(self._settings, len(train))
        net = NetMethod(find(self._settings.net), recipe, self._seed, self._device)
        kept = cache_folder() / "nets" / f"{self._key(recipe, train, val)}.pt"
        cached = self._settings.cached and kept.is_file()
        if cached:
            try:
                log.carry(*net.load(kept))
            except (OSError, NoTensorsError, RuntimeError, TypeError, LookupError):  # damaged, or another's
                cached = False
        if not cached:
            before, spent = dict(log.seconds), log.spent
            net.fit(train, val, log)
        if self._settings.cached and not cached:
            cost = {phase: seconds - before.get(phase, 0) for phase, seconds in log.seconds.items()}
            net.save(kept, cost, log.spent - spent)
        self._machine = FeatureSVM(partial(penultimate, net.model), part(SVMSettings, self._settings), self._device)
        self._machine.fit(train, val, log)
        self.parameters, self._net = net.parameters, net
        self.backend = f"{net.backend}, {self._machine.backend}"
        self.chosen = {**net.chosen, **self._machine.chosen, "net_from_cache": cached}

    def predict(self, images: Images) -> NDArray[np.float32]:
        return self._machine.predict(images)

    @property
    def facts(self) -> Facts:
        return {**self._net.facts, **self._machine.facts}

    def state(self) -> State:
        """Return the net's state, so that other nets can start from its weights, with the machine's under 'svm'.

        'scores' is '', as the scores are the machine's decision values.
        """
        return {**self._net.state(), "scores": "", "svm": self._machine.state()}

    def _key(self, recipe: Recipe, train: Samples, val: Samples) -> str:
        """Return a hash of all that a trained net and its cost depend on.

        These are the pixels, labels, number of classes, settings, seed, versions of the code, hardware and threads.
        """
        import torch

        digest = hashlib.sha256()
        for samples in (train, val):
            for array in (samples.images, samples.labels):
                add_content(digest, array)
        if recipe.weights is not None and (file := Path(recipe.weights)).is_file():
            digest.update(file.read_bytes())
        settings = (self._settings.net, recipe, self._seed, len(train.classes))
        code = (__version__, torch.__version__, methods["svm-deep"].revision, methods[self._settings.net].revision)
        digest.update(repr((settings, code, hardware(self._device))).encode())
        return digest.hexdigest()[:32]
