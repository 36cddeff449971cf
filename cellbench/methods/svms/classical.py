"""Methods that fit a support vector machine to features of images."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...core.data import Images, Labels, Samples
from ...core.errors import DataError
from ...core.mixed_values import Facts, SettingValues, State
from ...core.records.runs import RunLog
from ...core.settings import OneOrMore, Positive, Settings, among, between, setting
from ...datasets.preprocessing import Preprocessing
from ..best_candidate import Candidate, best_candidate
from ..decorator import method
from ..inputs import check_two_classes

if TYPE_CHECKING:
    from torch import Tensor

    from ...features.tensors import Standardiser
    from ...svm.backends import Backend

FeatureFunction = Callable[["Tensor"], "Tensor"]
Scaler = Callable[["Tensor"], "Standardiser | None"]

# Settings that methods share: a positive number, and one or several of which the best on val is taken.
Penalty = Annotated[
    OneOrMore[Positive],
    setting(
        "price of an error; of several the best on val",
        may_be="a positive number, or a list of them such as C=1,10,100",
        search=between(0.1, 1000.0, log=True),
    ),
]
Width = Literal["scale"] | Positive

T = TypeVar("T")


class Grid(TypedDict):
    """The values to try; each of C is tried with each of gamma."""

    C: tuple[float, ...]
    gamma: tuple[float | Literal["scale"], ...]


class MachineSettings(Settings):
    """A support vector machine as in scikit-learn; of several values of C and gamma the best on val is taken."""

    C: Penalty = (1, 10, 100)
    gamma: Annotated[
        OneOrMore[Width],
        setting(
            "factor in the kernel, the larger the narrower rbf is; scale is 1 / (features × variance); of several the "
            "best on val",
            may_be="'scale' or a positive number, or a list of them",
        ),
    ] = "scale"
    kernel: Annotated[Literal["rbf", "linear", "poly", "sigmoid"], setting("what compares two images")] = "rbf"
    class_weight: Annotated[
        Literal["balanced"] | None,
        setting("balanced: classes count in inverse proportion to their images", search=among(None, "balanced")),
    ] = None
    backend: Annotated[
        Literal["auto", "torch", "onedal", "libsvm", "thundersvm", "cuml", "nystroem"],
        setting(
            "library that solves it; nystroem approximates it, for very many images",
            needs={"thundersvm": "thundersvm", "cuml": "cuda"},
        ),
    ] = "auto"


class SVMSettings(MachineSettings):
    """All settings of a machine, for those methods that show them all."""

    degree: Annotated[int, setting("degree of the polynomial, for kernel=poly", ge=1)] = 3
    coef0: Annotated[float, setting("constant added in the kernel, for kernel=poly and sigmoid", ge=0)] = 0.0
    smote: Annotated[
        bool,
        setting("make samples between those of rarer classes until all have as many", needs={True: "imbalance"}),
    ] = False

    @property
    def grid(self) -> Grid:
        return {"C": as_tuple(self.C), "gamma": as_tuple(self.gamma)}

    @property
    def fixed(self) -> SettingValues:
        """Return the settings that are the same for every machine of the grid."""
        return {name: getattr(self, name) for name in ("kernel", "degree", "coef0", "class_weight")}


def standardised(features: "Tensor") -> "Standardiser":
    """Return the usual scaler, which gives every feature mean 0 and deviation 1."""
    from ...features.tensors import Standardiser

    return Standardiser.of(features)


def unscaled(features: "Tensor") -> None:
    """Return None, which stands for features that are used as they are."""


class FeatureSVM:
    """A C-SVC on features that are scaled by train statistics.

    If there are several values of C or gamma, or several scalers, those that do best on val are taken.

    scalers: by name, the simplest first; the chosen one's name is `chosen["features"]`, unless it is ''.
    gamma_factors: with gamma 'scale', multiples of it that are tried last, with the scaler and the C chosen before.
    """

    def __init__(
        self,
        features: FeatureFunction,
        settings: SVMSettings,
        device: str,
        scalers: Mapping[str, Scaler] = MappingProxyType({"": standardised}),
        gamma_factors: Sequence[float] = (),
    ) -> None:
        from ...features import oversampling
        from ...svm.backends import choose

        self._features, self._settings, self._device, self._scalers = features, settings, device, scalers
        self._gamma_factors = gamma_factors
        self.chosen: SettingValues = {}
        self.parameters = None
        self.backend = choose(settings.backend, device=device, kernel=settings.kernel).name
        if settings.smote:
            oversampling.load()  # what is missing is reported before anything is computed

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        settings = self._settings
        check_two_classes(train)
        if settings.smote and train.multilabel:
            raise DataError("SMOTE makes images of one class each, and these have several labels; use smote=false")
        train = _by_class(train)
        with log.phase("transfer"):
            images, others = self._on_device(train.images), self._on_device(val.images)
        with log.phase("features"):
            seen, unseen = self._features(images), self._features(others)
            self._synchronise()
        best = -1.0
        backend: Backend | None = None
        for name, scaler in self._scalers.items():
            with log.phase("features"):
                scale = scaler(seen)
                given = self._inputs(scale, seen, unseen, train)
                self._synchronise()
            with log.phase("fit"):
                backend = backend or self._chosen_backend(*given[:2])
                figure, winner = self._best(backend, given, settings.grid, val, log)
                if figure > best:  # on a tie the smaller C, the simpler machine, stays
                    best, machine, winning, chosen_scale = figure, winner, given, scale
                    self.chosen = {**({"features": name} if name else {}), **winner.settings}
                self._synchronise()
        if backend and self._gamma_factors and machine.settings["gamma"] == "scale" and settings.kernel != "linear":
            with log.phase("fit"):
                around: Grid = {"C": (machine.settings["C"],), "gamma": self._around_scale(winning[0])}
                figure, winner = self._best(backend, winning, around, val, log)
                if figure > best:
                    machine = winner
                    self.chosen = {**self.chosen, **winner.settings}
                self._synchronise()
        self.fitted = FittedSVM(self._features, chosen_scale, machine.model, len(train.classes), self._device)

    def _chosen_backend(self, inputs: "Tensor", labels: Labels) -> "Backend":
        """Return the backend for these training samples, and note its name, and why it was chosen."""
        from ...svm.backends import Problem, choose, reason, use_threads
        from ...svm.pilot import share_of_vectors

        settings = self._settings
        one = {**settings.fixed, "C": max(settings.grid["C"]), "gamma": settings.grid["gamma"][0]}
        problem = Problem(
            largest_pair=_largest_pair(labels),
            features=inputs.shape[1],
            values=len(settings.grid["C"]),
            several_labels=labels.ndim == 2,
            pilot=cache(partial(share_of_vectors, inputs, labels, **one)),
        )
        backend = choose(settings.backend, device=self._device, kernel=settings.kernel, problem=problem)
        self.backend = backend.name
        is_explained = settings.backend == "auto" or not backend.is_exact
        self._reason = reason(backend, settings.kernel, problem) if is_explained else ""
        use_threads(backend)
        return backend

    def _around_scale(self, inputs: "Tensor") -> tuple[float, ...]:
        from ...svm.kernels import gamma_value

        scale = gamma_value("scale", inputs.shape[1], float(inputs.var(correction=0)))
        return tuple(factor * scale for factor in self._gamma_factors)

    def _best(
        self, backend: "Backend", given: "tuple[Tensor, Labels, Tensor]", grid: Grid, val: Samples, log: RunLog
    ) -> tuple[float, Candidate[Any]]:
        """Return the best figure on val that a machine of the grid reaches, and that machine."""
        from ...svm.backends import candidates

        inputs, labels, unseen = given
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a label that all or no training images have: its score is constant
            tried = candidates(backend, inputs, labels, unseen, **grid, **self._settings.fixed)
            scored = (Candidate(c, model, _scores(model, d, len(val.classes))) for c, model, d in tried)
            return best_candidate(scored, val, log)

    def _inputs(
        self, scale: "Standardiser | None", seen: "Tensor", unseen: "Tensor", train: Samples
    ) -> "tuple[Tensor, Labels, Tensor]":
        """Return scaled training features, their labels and scaled validation features.

        With `smote`, new samples are among the training features and labels.
        """
        from ...features.oversampling import smote

        if len(self._scalers) > 1:  # scaling is done in place, and the others need them too
            seen, unseen = seen.clone(), unseen.clone()
        inputs, labels = _scaled(seen, scale), train.labels
        if self._settings.smote:
            inputs, labels = smote(inputs, labels, train.classes)
        return inputs, labels, _scaled(unseen, scale)

    def predict(self, images: Images) -> NDArray[np.float32]:
        return self.fitted.predict(images)

    def state(self) -> State:
        return self.fitted.state()

    @property
    def facts(self) -> Facts:
        from ...svm import objective

        machine = self.fitted.machine
        gap = getattr(machine, "gap_", None)  # of ours: whether it got as far as LIBSVM asks is to be seen
        facts = {"gap": None if gap is None else float(gap.max()), "backend_reason": self._reason or None}
        return {**objective.facts(machine), **{name: value for name, value in facts.items() if value is not None}}

    def _on_device(self, images: Images) -> "Tensor":
        from ...core.tensors import as_tensor

        return as_tensor(images).to(self._device)

    def _synchronise(self) -> None:
        from ...deep.device import synchronise

        synchronise(self._device)


@dataclass(frozen=True, eq=False)
class FittedSVM:
    """A fitted machine of any backend, with the function and the standardiser that make its features from images.

    classes: the number of classes.
    """

    features: FeatureFunction
    scale: "Standardiser | None"
    machine: Any
    classes: int
    device: str

    @classmethod
    def of_state(cls, features: FeatureFunction, state: State, device: str) -> "FittedSVM":
        """Return the machine whose state `state` returned, as one of our solver's, whatever backend had fitted it."""
        from ...features.tensors import Standardiser
        from ...svm import saved

        scale = [part.to(device) for part in state["scale"]]
        machine = saved.classifier(state["machine"], device)
        return cls(features, Standardiser(*scale) if scale else None, machine, state["classes"], device)

    def state(self) -> State:
        from ...svm import saved

        scale = [] if self.scale is None else [self.scale.mean, self.scale.factor]
        return {"scale": scale, "machine": saved.state(self.machine), "classes": self.classes}

    def predict(self, images: Images) -> NDArray[np.float32]:
        return self.scores(self.features_of(images))

    def features_of(self, images: Images) -> "Tensor":
        """Return the scaled features of images, (n, features) float32."""
        from ...core.tensors import as_tensor

        return _scaled(self.features(as_tensor(images).to(self.device)), self.scale)

    def scores(self, features: "Tensor") -> NDArray[np.float32]:
        """Return the scores (n, classes) of scaled features."""
        from ...svm import SVC

        ours = isinstance(self.machine, SVC)
        decisions = self.machine.decision_function(features if ours else features.cpu().numpy())
        return _scores(self.machine, decisions, self.classes)


def _scaled(features: "Tensor", scale: "Standardiser | None") -> "Tensor":
    return scale(features) if scale else features


def _scores(model: Any, decisions: NDArray[np.floating], n_classes: int) -> NDArray[np.float32]:
    """Return scores (n, n_classes) from decision values; a class unseen in training scores lowest."""
    if decisions.ndim == 2 and decisions.shape[1] == n_classes:
        return decisions.astype(np.float32)
    if decisions.ndim == 1:  # two classes: one signed distance
        decisions = np.stack([-decisions, decisions], 1)
    scores = np.full((len(decisions), n_classes), decisions.min(initial=0) - 1, np.float32)
    scores[:, model.classes_.astype(int)] = decisions
    return scores


def _by_class(train: Samples) -> Samples:
    """Return the samples sorted by class, as the solver wants them; with several labels an image, unchanged.

    Images are sorted rather than features because they are smaller.
    """
    if train.multilabel:
        return train
    order = train.labels.argsort(kind="stable")
    return replace(train, images=train.images[order], labels=train.labels[order])


def _largest_pair(labels: Labels) -> int:
    """Return the number of samples of the largest binary machine.

    These are the samples of the two commonest classes, or with several labels an image all samples.
    """
    return len(labels) if labels.ndim == 2 else int(np.sort(np.bincount(labels))[-2:].sum())


def as_tuple(value: T | tuple[T, ...]) -> tuple[T, ...]:
    """Return the value or values of a setting as a tuple."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


@dataclass(frozen=True)
class Classical:
    """A row of the table of SVM methods.

    features: the name of a function of cellbench.features; options: its keyword arguments. The other fields are as in
    MethodEntry.
    """

    name: str
    summary: str
    features: str
    cost: float
    options: SettingValues = field(default_factory=dict)
    settings: SVMSettings = field(default_factory=SVMSettings)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    standardise: bool = True
    standard: bool = True
    min_size: int = 1

    def make(self, settings: SVMSettings, seed: int, device: str) -> FeatureSVM:
        return FeatureSVM(self._compute(), settings, device, {"": standardised if self.standardise else unscaled})

    def restore(self, settings: SVMSettings, state: State, device: str) -> FittedSVM:
        return FittedSVM.of_state(self._compute(), state, device)

    def _compute(self) -> FeatureFunction:
        from ... import features

        return partial(getattr(features, self.features), **self.options)


TABLE = (
    Classical("svm-flat", "RBF support vector machine on flattened pixels", "flatten", cost=2.5),
    Classical(
        "svm-hog", "RBF support vector machine on histograms of oriented gradients", "hog", cost=1.3, min_size=16
    ),
    # As the yeast study ran it: three colour channels of which the third is zero, 30 x 30 pixels divided by their mean
    Classical(
        "svm-yeast",
        "the yeast study's support vector machine: 30×30 pixels divided by their mean",
        "flatten",
        cost=1.5,
        options={"side": 30, "by_mean": True},
        settings=SVMSettings(C=1, gamma=0.001),
        preprocessing=Preprocessing(size=None, three_channels=True),
        standardise=False,
        standard=False,
    ),
)

for row in TABLE:
    method(
        row.name,
        row.summary,
        family="svm",
        settings=row.settings,
        preprocessing=row.preprocessing,
        standard=row.standard,
        seeded=False,
        min_size=row.min_size,
        cost=row.cost,
        revision=2,
        restore=row.restore,
    )(row.make)
