"""What a method is to the harness: a factory, its default settings, and facts for tables and for the plan."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.data import Images, Samples
from ..core.errors import UsageError
from ..core.families import check_family
from ..core.mixed_values import SettingValues, State
from ..core.records.runs import RunLog
from ..core.registry import Registry
from ..core.settings import Settings
from ..datasets.preprocessing import Preprocessing


class Scorer(Protocol):
    """An object that scores images."""

    def predict(self, images: Images) -> NDArray[np.float32]:
        """Return scores (n, classes) for images (n, channels, height, width)."""


class Method(Scorer, Protocol):
    """The interface of a method: `fit`, `predict`, and three attributes that are read after `fit`.

    backend: what ran it. chosen: what it chose on val. parameters: how many parameters it has, or None.

    A method may also have `facts: Facts`, JSON values that are added to the record's. It is read once,
    after `predict`, when times and memory have been taken, so it may be a property that computes them.

    A method may also have `state() -> State`, all that was learnt, as tensors, numbers, text, and lists
    and mappings of them. The entry's `restore` makes a Scorer from it. Its key 'scores' says how scores become
    probabilities: 'softmax' or 'sigmoid'; it is '' or missing if scores are decision values.
    """

    backend: str
    chosen: SettingValues
    parameters: int | None

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        """Learn from train and choose on val; return only when the device has finished its work."""


@dataclass(frozen=True)
class MethodEntry:
    """A method by name.

    factory(params, seed, device) makes one; params are Settings like `defaults`, what `--set` reaches (beside
    Preprocessing and core.scoring.decision, that every method has).
    family: see core.families; a name that is none of ours founds a new one.
    revision: raise it when results may change.
    seeded: whether the random seed changes its result, or a function that says so for params as a record has them; if
    not, one seed is all that is run.
    min_size: the smallest side of an image that it can take, in pixels; smaller ones are skipped, with this reason.
    smallest(): the same for a net that has to be tried to know it, which is too slow for a plan; None if unknown.
    devices: those it can run on; if another is asked for, it runs on the first, and the record says so.
    depth, shortcuts: of a net that takes part in the depth view. cost: seconds of training for 1,000 images with
    the default settings on two processor cores, for estimates before anything was run here.
    restore(params, state, device): returns a Scorer, on any device, that scores images as the method with this state
    did; without it no model can be saved.
    needs: the extra of cellbench (see core.extras) that the method requires, if any. If only some values of a setting
    require one, the setting says so.
    suited(params, n): returns the settings for n training images, if some settings depend on n.
    """

    name: str
    factory: Callable[[Any, int, str], Method]
    summary: str
    family: str
    defaults: Settings
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    revision: int = 1
    standard: bool = False
    seeded: bool | Callable[[SettingValues], bool] = True
    min_size: int = 1
    devices: tuple[str, ...] = ("cpu", "cuda")
    depth: int | None = None
    shortcuts: bool | None = None
    pretrained: bool = False
    cost: float = 1.0
    restore: Callable[[Any, State, str], Scorer] | None = None
    needs: str = ""
    smallest: Callable[[], int | None] | None = None
    suited: Callable[[Any, int], Settings] | None = None

    def __post_init__(self) -> None:
        check_family(self.family, self.name)
        if not isinstance(self.defaults, Settings):
            kind = type(self.defaults).__name__
            raise UsageError(f"method {self.name!r}: its defaults are of type {kind}; give an instance of Settings")

    def is_seeded(self, params: SettingValues) -> bool:
        """Whether the random seed changes the result of a run with these settings."""
        return self.seeded(params) if callable(self.seeded) else self.seeded


methods: Registry[MethodEntry] = Registry("method", package="cellbench.methods", group="cellbench.methods")
