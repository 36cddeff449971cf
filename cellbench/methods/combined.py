"""Groups of hand-made features, each with the same weight, and one support vector machine on all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import field, fields, make_dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.data import Samples
from ..core.metrics import validation_figure
from ..core.runs import RunLog
from ..core.settings import described
from ..datasets.preprocessing import Preprocessing
from ..features.groups import GROUPS, Layout, check_groups, layout, values_of
from .classical import FeatureSVM, FittedSVM, SVMSettings, machine_of
from .registry import methods

if TYPE_CHECKING:
    from torch import Tensor

    from ..features.tensors import Standardiser

DEFAULT_GROUPS = ("hog", "texture", "intensity", "haralick", "radial", "between")
OPTIONAL_GROUPS = ("hog",)
IMPORTANCE_IMAGES = 1000  # validation images that importance is measured on, at most
MIN_SIZE = 16  # pixels; of smaller images texture has hardly a pixel to compare


def feature_setting() -> Any:
    """The setting of every method that learns from groups of features."""
    groups = "; ".join(f"{group.name}: {group.summary}" for group in GROUPS.values())
    return described(DEFAULT_GROUPS, "groups of features to learn from", groups)


def settle_groups(settings: Any) -> None:
    """Check the setting `features`, and bring it into the one form and order that a record has."""
    given = settings.features
    names = tuple(given) if isinstance(given, list | tuple) else (given,)
    check_groups(names)
    object.__setattr__(settings, "features", tuple(name for name in GROUPS if name in names))


def _check(settings: Any) -> None:
    settle_groups(settings)
    given = () if settings.optional is None else settings.optional
    names = tuple(given) if isinstance(given, list | tuple) else (given,)
    if names:
        check_groups(names, "optional")
    kept = tuple(name for name in settings.features if name in names)
    # all of them cannot be left out
    object.__setattr__(settings, "optional", kept if len(kept) < len(settings.features) else ())
    machine_of(settings)  # refuses what it can't be


CombinedSettings = make_dataclass(
    "CombinedSettings",
    [
        ("features", tuple[str, ...] | str, feature_setting()),
        (
            "optional",
            tuple[str, ...] | str | None,
            described(
                OPTIONAL_GROUPS,
                "groups dropped, all at once, if the val score is better without them",
                "groups among features, or none",
            ),
        ),
        *((each.name, each.type, field(default=each.default, metadata=each.metadata)) for each in fields(SVMSettings)),
    ],
    frozen=True,
    namespace={"__post_init__": _check},
)
CombinedSettings.__doc__ = """features: names of groups, see cellbench.features.groups. optional: those among them
that val may do without. The rest as in SVMSettings."""


class CombinedSVM:
    """Groups of features, standardised and each divided by the root of its size, then a C-SVC: a sum of kernels."""

    def __init__(self, settings: Any, device: str) -> None:
        self._groups, self._device = settings.features, device
        needed = tuple(name for name in self._groups if name not in settings.optional)
        choices = {",".join(groups): partial(self._scale, groups) for groups in (needed, self._groups)}
        self._svm = FeatureSVM(partial(values_of, self._groups), machine_of(settings), device, choices)
        self.backend = self._svm.backend
        self.chosen: Mapping[str, Any] = {}
        self.parameters = None

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        self._layout = layout(self._groups, train.images.shape[1:], train.channels)
        self._svm.fit(train, val, log)
        self.backend, self.chosen = self._svm.backend, self._svm.chosen
        self._val = _some(val, IMPORTANCE_IMAGES)

    def predict(self, images: NDArray) -> NDArray[np.float32]:
        return self._svm.predict(images)

    def state(self) -> dict[str, Any]:
        return self._svm.state()

    @property
    def facts(self) -> dict[str, Any]:
        machine = FittedSVM.of_state(partial(values_of, self._groups), self.state(), self._device)
        return {
            **self._svm.facts,
            "features": len(self._layout.names),
            "importance": importance(machine, self._layout, self._val),
        }

    def _scale(self, groups: Sequence[str], features: "Tensor") -> "Standardiser":
        """Equal weight for these groups, none for the others."""
        from ..features.tensors import Standardiser

        return Standardiser.of_groups(features, [self._layout.groups[name] for name in groups])


def importance(machine: FittedSVM, layout: Layout, val: Samples) -> dict[str, dict[str, float]]:
    """How much worse val is scored when a group's, or a channel's, features are those of another image.

    The figure is that by which C is chosen: macro-F1, or mean average precision of several labels an image. Images are
    permuted once, with seed 0. A group without features, as pairs of one channel, is left out.
    Source: Breiman, "Random Forests", Machine Learning 45, 2001, section 10.
    """
    import torch

    features = machine.features_of(val.images)
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(val))).to(features.device)
    _, whole = validation_figure(val.labels, machine.scores(features))

    def drop(columns: slice | Sequence[int]) -> float:
        mixed = features.clone()
        mixed[:, columns] = features[order][:, columns]
        return whole - validation_figure(val.labels, machine.scores(mixed))[1]

    return {
        "groups": {name: drop(columns) for name, columns in layout.groups.items() if columns.stop > columns.start},
        "channels": {name: drop(columns) for name, columns in layout.channels.items()},
    }


def _some(samples: Samples, most: int) -> Samples:
    """All of them, or a fixed random part."""
    if len(samples) <= most:
        return samples
    drawn = np.sort(np.random.default_rng(0).choice(len(samples), most, replace=False))
    return replace(samples, images=samples.images[drawn], labels=samples.labels[drawn])


def restore(settings: Any, state: Mapping[str, Any], device: str) -> FittedSVM:
    """What scores images as the CombinedSVM did whose state it was."""
    return FittedSVM.of_state(partial(values_of, settings.features), state, device)


@methods.register(
    "svm-combined",
    summary="RBF support vector machine on groups of features, each with equal weight",
    family="svm",
    defaults=CombinedSettings(),
    preprocessing=Preprocessing(size=None),
    standard=True,
    seeded=False,
    min_size=MIN_SIZE,
    cost=2.0,
    restore=restore,
)
def svm_combined(settings: Any, seed: int, device: str) -> CombinedSVM:
    return CombinedSVM(settings, device)
