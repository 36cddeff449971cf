"""What a method is to the harness: a factory, its default settings, and facts for tables and for the plan."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.data import Samples
from ..core.families import check_family
from ..core.registry import Registry
from ..core.runs import RunLog
from ..core.settings import Settings
from ..datasets.preprocessing import Preprocessing


class Scorer(Protocol):
    """What can score images."""

    def predict(self, images: NDArray) -> NDArray[np.float32]:
        """Scores (n, classes) for images (n, channels, height, width)."""


class Method(Scorer, Protocol):
    """Two verbs, and after `fit` three facts: what ran it, what it chose on val, how many parameters it has.

    A method may also have `facts: Mapping[str, Any]`, JSON values that are added to the record's. It is read once,
    after `predict`, when times and memory have been taken: a property may compute what it tells.
    And `state() -> Mapping[str, Any]`, all that was learnt as tensors, numbers, text, and lists and mappings of them:
    what the entry's `restore` makes a Scorer of. Its 'scores' say what makes probabilities of scores: 'softmax' or
    'sigmoid'; '' or nothing where they are decision values.
    """

    backend: str
    chosen: Mapping[str, Any]
    parameters: int | None

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        """Learn from train, choose on val; return when finished, the device synchronised."""


@dataclass(frozen=True)
class MethodEntry:
    """A method by name.

    factory(params, seed, device) makes one; params are Settings like `defaults`, what `--set` reaches (beside
    Preprocessing and core.decision, that every method has).
    family: see core.families; a name that is none of ours founds a new one.
    revision: raise it when results may change.
    seeded: whether the random seed changes its result, or a function that says so for params as a record has them; if
    not, one seed is all that is run.
    min_size: the smallest side of an image that it can take, in pixels; smaller ones are skipped, with this reason.
    smallest(): the same where only trying tells, which is too slow for a plan; None where that doesn't either.
    devices: what it can run on; where another is asked for, it runs on the first, and the record says so.
    depth, shortcuts: of a net that takes part in the depth view. cost: seconds of training for 1,000 images with
    the default settings on two processor cores, for estimates before anything was run here.
    restore(params, state, device): what scores images as the method did whose `state()` this was, on any device;
    without it no model can be saved.
    needs: the extra of cellbench, see core.extras, that it takes, if any. Where only some values of a setting take one,
    the setting says so.
    suited(params, n): the settings for n training images, where some of them follow from their number.
    """

    name: str
    factory: Callable[[Any, int, str], Method]
    summary: str
    family: str
    defaults: Settings
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    revision: int = 1
    standard: bool = False
    seeded: bool | Callable[[Mapping[str, Any]], bool] = True
    min_size: int = 1
    devices: tuple[str, ...] = ("cpu", "cuda")
    depth: int | None = None
    shortcuts: bool | None = None
    pretrained: bool = False
    cost: float = 1.0
    restore: Callable[[Any, Mapping[str, Any], str], Scorer] | None = None
    needs: str = ""
    smallest: Callable[[], int | None] | None = None
    suited: Callable[[Any, int], Any] | None = None

    def __post_init__(self) -> None:
        check_family(self.family, self.name)

    def is_seeded(self, params: Mapping[str, Any]) -> bool:
        """Whether the random seed changes the result of a run with these settings."""
        return self.seeded(params) if callable(self.seeded) else self.seeded


methods: Registry[MethodEntry] = Registry("method", package="cellbench.methods", group="cellbench.methods")
