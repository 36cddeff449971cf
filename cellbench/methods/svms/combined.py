"""Groups of hand-made features, each with the same weight, and one support vector machine on all of them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from ...core.data import Images, Samples
from ...core.mixed_values import Facts, SettingValues, State
from ...core.records.runs import RunLog
from ...core.scoring.metrics import validation_figure
from ...core.settings import AUTOMATIC, OneOrMore, Positive, Settings, Several, among, between, setting
from ...core.settings import replace as with_settings
from ...core.training_budget import LINEAR_BELOW, MANY_IMAGES
from ...datasets.preprocessing import Preprocessing
from ...features.groups import DEFAULT_GROUPS, GROUPS, Layout, check_groups, layout, values_of
from ..decorator import method
from .classical import FeatureSVM, FittedSVM, SVMSettings

if TYPE_CHECKING:
    from torch import Tensor

    from ...features.tensors import Standardiser

OPTIONAL_GROUPS = ("hog",)
IMPORTANCE_IMAGES = 1000  # validation images that importance is measured on, at most
MIN_SIZE = 16  # pixels; of smaller images texture has hardly a pixel to compare


def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names in the order of GROUPS, which is the order in records. Raises UsageError as check_groups."""
    check_groups(names)
    return tuple(name for name in GROUPS if name in names)


Groups = Annotated[
    Several[str],
    AfterValidator(_in_order),
    setting(
        "groups of features to learn from",
        may_be="; ".join(f"{group.name}: {group.summary}" for group in GROUPS.values()),
    ),
]


class GroupSettings(Settings):
    """Which groups of features there are, see cellbench.features.groups, and which of them val may do without."""

    features: Groups = DEFAULT_GROUPS
    optional: Annotated[
        Several[str] | None,
        Field(validate_default=True),
        setting(
            "groups dropped, all at once, if the val score is better without them",
            may_be="groups among features, or none",
            search=among(None, OPTIONAL_GROUPS),
        ),
    ] = OPTIONAL_GROUPS

    @field_validator("optional")
    @classmethod
    def _among_features(
        cls, names: tuple[str, ...] | Literal["auto"] | None, info: ValidationInfo
    ) -> tuple[str, ...] | Literal["auto"]:
        """Return the optional groups that are among the features; none if all are optional, as one must stay."""
        if names == "auto":
            return names
        if names:
            check_groups(names, "optional")
        features = info.data.get("features", ())
        kept = tuple(name for name in features if name in (names or ()))
        return kept if len(kept) < len(features) else ()


class CombinedSettings(SVMSettings, GroupSettings):
    """A machine on groups of features. What is left at auto, `suited` fills in by the number of training images."""

    kernel: Annotated[
        Literal["rbf", "linear", "poly", "sigmoid"] | None,
        setting(
            f"what compares two images; auto: linear with fewer than {LINEAR_BELOW} training images, else rbf",
            unset="auto",
        ),
    ] = None  # type: ignore[assignment]
    C: Annotated[
        OneOrMore[Positive] | None,
        setting(
            "price of an error; of several the best on val; auto: 1, 10 and 100, or 10 where few images have a linear "
            "kernel",
            may_be="a positive number, or a list of them such as C=1,10,100",
            unset="auto",
            search=between(0.1, 1000.0, log=True),
        ),
    ] = None  # type: ignore[assignment]
    optional: Annotated[
        Literal["auto"] | Several[str] | None,
        Field(validate_default=True),
        setting(
            "groups dropped, all at once, if the val score is better without them; auto: hog, or none where few "
            "images have a linear kernel",
            may_be="auto, groups among features, or none",
            search=among(None, OPTIONAL_GROUPS),
        ),
    ] = "auto"  # type: ignore[assignment]
    gamma_factors: Annotated[
        Several[Positive] | None,
        setting(
            "with gamma=scale: multiples of it that are tried last, with the C and the groups chosen by then",
            may_be="positive numbers, or none",
            search=among(None, (0.5, 2.0), (0.25, 0.5, 2.0, 4.0)),
        ),
    ] = (0.5, 2.0)


FOR_MANY_IMAGES: SettingValues = {"kernel": "rbf", "C": SVMSettings().C, "optional": OPTIONAL_GROUPS}


def suited(settings: CombinedSettings, n: int) -> CombinedSettings:
    """Return the settings with those filled in that are left at auto. n: training images.

    With few of them a linear kernel does better than rbf, and the part of val that goes with them is too small to
    choose C or groups by: docs/features.md has the measurements.
    """
    is_few = n < LINEAR_BELOW and settings.kernel in (None, "linear")
    usual: SettingValues = {"kernel": "linear", "C": 10, "optional": ()} if is_few else FOR_MANY_IMAGES
    return with_settings(settings, **{name: usual[name] for name in usual if getattr(settings, name) in AUTOMATIC})


def restore(settings: CombinedSettings, state: State, device: str) -> FittedSVM:
    """Return a fitted machine that scores images as the CombinedSVM with this state did."""
    return FittedSVM.of_state(partial(values_of, settings.features), state, device)


@method(
    "svm-combined",
    "support vector machine on groups of features, each with equal weight",
    family="svm",
    settings=CombinedSettings(),
    preprocessing=Preprocessing(size=None),
    standard=True,
    seeded=False,
    min_size=MIN_SIZE,
    cost=2.0,
    restore=restore,
    suited=suited,
)
class CombinedSVM:
    """A C-SVC on groups of features, standardised so that every group has the same total variance."""

    def __init__(self, settings: CombinedSettings, device: str) -> None:
        self._settings, self._groups, self._device = settings, settings.features, device
        self._svm = self._for(MANY_IMAGES)  # made now, so that what is missing is reported before anything is computed
        self.backend = self._svm.backend
        self.chosen: SettingValues = {}
        self.parameters = None

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        self._layout = layout(self._groups, train.images.shape[1:], train.channels)
        self._svm = self._for(len(train))
        self._svm.fit(train, val, log)
        self.backend, self.chosen = self._svm.backend, self._svm.chosen
        self._val = _some(val, IMPORTANCE_IMAGES)

    def _for(self, n: int) -> FeatureSVM:
        """Return the machine for n training images."""
        settings = suited(self._settings, n)
        needed = tuple(name for name in self._groups if name not in (settings.optional or ()))
        choices = {",".join(groups): partial(self._scale, groups) for groups in (needed, self._groups)}
        factors = settings.gamma_factors or ()
        return FeatureSVM(partial(values_of, self._groups), settings, self._device, choices, factors)

    def predict(self, images: Images) -> NDArray[np.float32]:
        return self._svm.predict(images)

    def state(self) -> State:
        return self._svm.state()

    @property
    def facts(self) -> Facts:
        machine = FittedSVM.of_state(partial(values_of, self._groups), self.state(), self._device)
        return {
            **self._svm.facts,
            "features": len(self._layout.names),
            "importance": importance(machine, self._layout, self._val),
        }

    def _scale(self, groups: Sequence[str], features: "Tensor") -> "Standardiser":
        """Return a standardiser that gives these groups equal weight and sets the features of other groups to 0."""
        from ...features.tensors import Standardiser

        return Standardiser.of_groups(features, [self._layout.groups[name] for name in groups])


def importance(machine: FittedSVM, layout: Layout, val: Samples) -> dict[str, dict[str, float]]:
    """Return by how much the figure on val falls when the features of a group or channel are permuted over images.

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
    """Return all samples, or a fixed random choice of `most` of them if there are more."""
    if len(samples) <= most:
        return samples
    drawn = np.sort(np.random.default_rng(0).choice(len(samples), most, replace=False))
    return replace(samples, images=samples.images[drawn], labels=samples.labels[drawn])
