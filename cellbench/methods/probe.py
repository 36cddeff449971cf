"""Probes: a frozen encoder and a small classifier on what it makes of the images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.data import Samples
from ..core.errors import UsageError, did_you_mean
from ..core.runs import RunLog
from ..core.settings import choice, described
from ..datasets.preprocessing import Preprocessing
from . import heads
from .classical import FeatureSVM, FittedSVM, SVMSettings
from .embedding import Embedder, embed_and_keep, full_scale
from .heads import FittedHead, LinearSettings, NeighbourSettings, StandardisedHead
from .inputs import square_side
from .registry import methods

if TYPE_CHECKING:
    from ..deep.pretrained.encoders import Encoder

ENCODER = "torchvision:mobilenet_v2"
SIZE = 96  # pixels that images are resized to
POOLINGS = ("head", "avg", "max", "avg+max")
CHANNEL_MODES = ("each", "rgb")


@dataclass(frozen=True)
class EncoderSettings:
    """What the encoder is and how images are put through it; its input size is preprocessing's `size`."""

    encoder: str = described(ENCODER, "net whose inner values are the features", "a net's name")
    weights: str | None = described(
        "imagenet",
        "what the encoder has learnt; none: nothing, its weights are drawn at random",
        "imagenet, PATH, none",
    )
    channel_mode: str = choice("each channel through the encoder by itself, or all as one RGB picture", *CHANNEL_MODES)
    layer: str | None = described(None, "whose output is pooled; none: the last one before the head", "a module's name")
    pooling: str = choice("over the picture; head: as the net itself does it", *POOLINGS)
    views: int = described(1, "8: the mean over quarter turns and reflections, at eight times the cost", "1 or 8")
    cached: bool = described(True, "keep embeddings, and take those that were made before")

    def __post_init__(self) -> None:
        if not isinstance(self.encoder, str):
            raise UsageError(f"encoder is {self.encoder!r}; give a net's name, such as {ENCODER}")
        if self.encoder != ENCODER:  # to look for it takes torch
            from ..deep.nets.table import find

            find(self.encoder)
        if not isinstance(self.weights, str | None):
            raise UsageError(f"weights is {self.weights!r}; give imagenet, the path of a file, or none")
        for name, allowed in (("channel_mode", CHANNEL_MODES), ("pooling", POOLINGS)):
            if (value := getattr(self, name)) not in allowed:
                raise UsageError(f"{name} is {value!r}; {did_you_mean(str(value), allowed)}")
        if not isinstance(self.layer, str | None):
            raise UsageError(f"layer is {self.layer!r}; give the name of a module of the encoder, or none")
        if self.views not in (1, 8) or isinstance(self.views, bool):
            raise UsageError(f"views is {self.views!r}; give 1 or 8")
        if not isinstance(self.cached, bool):
            raise UsageError(f"cached is {self.cached!r}; give true or false")


@dataclass(frozen=True)
class Head:
    """A classifier on embeddings.

    settings: its dataclass; names: names of the fields that a user may set. make(settings, device): one that is to be
    fitted on Samples whose images are embeddings. restore(state, device): a fitted one. scores: what its scores are
    for one label an image and for several, see methods.registry.Method.
    """

    settings: type
    names: tuple[str, ...]
    make: Callable[[Any, str], Any]
    restore: Callable[[Mapping[str, Any], str], Any]
    scores: tuple[str, str] = ("", "")


def _svm(settings: SVMSettings, device: str) -> FeatureSVM:
    return FeatureSVM(methodcaller("clone"), settings, device)  # it standardises in place


def _restored_svm(state: Mapping[str, Any], device: str) -> FittedSVM:
    return FittedSVM.of_state(methodcaller("clone"), state, device)


def _linear(settings: LinearSettings, device: str) -> StandardisedHead:
    return StandardisedHead(heads.linear_path, settings, "scikit-learn")


def _neighbours(settings: NeighbourSettings, device: str) -> StandardisedHead:
    return StandardisedHead(heads.neighbour_path, settings, "torch")


def _restored(kind: type, state: Mapping[str, Any], device: str) -> FittedHead:
    return FittedHead.of_state(kind, state)


SVM = Head(SVMSettings, ("C", "gamma", "kernel", "class_weight", "backend"), _svm, _restored_svm)
LINEAR = Head(LinearSettings, ("C",), _linear, partial(_restored, heads.Linear), ("softmax", "sigmoid"))
NEIGHBOURS = Head(NeighbourSettings, ("k",), _neighbours, partial(_restored, heads.Neighbours))


def settings_of(head: Head) -> type:
    """One dataclass of the encoder's settings and the head's, which checks both."""
    shown = [each for each in fields(head.settings) if each.name in head.names]
    return make_dataclass(
        "ProbeSettings",
        [
            (each.name, each.type, field(default=each.default, metadata=each.metadata))
            for each in (*fields(EncoderSettings), *shown)
        ],
        frozen=True,
        namespace={"__post_init__": lambda self: (_part(self, EncoderSettings), _part(self, head.settings))},
    )


def _part(settings: Any, kind: type) -> Any:
    """The settings of one dataclass out of those of both."""
    names = [each.name for each in fields(kind) if hasattr(settings, each.name)]
    return kind(**{name: getattr(settings, name) for name in names})


class Probe:
    """Embeddings of a frozen encoder, then a head that chooses on val."""

    def __init__(self, head: Head, settings: Any, seed: int, device: str) -> None:
        self._kind, self._seed, self._device = head, seed, device
        self._settings: EncoderSettings = _part(settings, EncoderSettings)
        self._head = head.make(_part(settings, head.settings), device)
        self.backend = self._head.backend
        self.chosen: dict[str, Any] = {}
        self.facts: dict[str, Any] = {}
        self.parameters: int | None = None

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        encoder, facts = self._encoder(train)
        wanted = self._settings
        self._embedder = Embedder(encoder, wanted.channel_mode, full_scale(train.images), wanted.views, self._device)
        parts = {"train": train.images, "val": val.images}
        embeddings, from_cache = embed_and_keep(self._embedder, parts, log, cached=wanted.cached)
        self._known = [(parts[name], embeddings[name]) for name in parts]
        self._multilabel = train.multilabel
        on_train, on_val = (
            Samples(embeddings[name], part.labels, part.classes) for name, part in (("train", train), ("val", val))
        )
        before = len(log.history)
        self._head.fit(on_train, on_val, log)
        self.parameters = encoder.parameters
        self.backend = f"torch {self._embedder.precision}, {self._head.backend}"
        self.chosen = {**self._head.chosen, "candidates": len(log.history) - before}  # each has a row
        self.facts = {
            **facts,
            **getattr(self._head, "facts", {}),
            "encoder": wanted.encoder,
            "features": on_train.images.shape[1],
            "embeddings_from_cache": from_cache,
        }

    def predict(self, images: NDArray) -> NDArray[np.float32]:
        known = next((rows for seen, rows in self._known if seen is images), None)
        return self._head.predict(self._embedder(images) if known is None else known)

    def state(self) -> dict[str, Any]:
        """Encoder and head, so that no file of weights is needed again."""
        encoder = self._embedder.encoder
        return {
            "scores": self._kind.scores[self._multilabel],
            "encoder": encoder.net.state_dict(),
            "size": self._size,
            "full": self._embedder.full,
            "head": self._head.state(),
        }

    def _encoder(self, train: Samples) -> "tuple[Encoder, dict[str, Any]]":
        import torch

        from ..deep.pretrained import encoders

        self._size, wanted = square_side(train), self._settings
        torch.manual_seed(self._seed)
        shape = (self._size, wanted.layer, wanted.pooling, self._device)
        if wanted.weights is None:
            return encoders.untrained(wanted.encoder, *shape), {}
        return encoders.pretrained(wanted.encoder, wanted.weights, *shape)


@dataclass(frozen=True, eq=False)
class FittedProbe:
    """An embedder and a fitted head."""

    embedder: Embedder
    head: Any

    def predict(self, images: NDArray) -> NDArray[np.float32]:
        return self.head.predict(self.embedder(images))


def restore(head: Head, settings: Any, state: Mapping[str, Any], device: str) -> FittedProbe:
    """What scores images as the Probe did whose state it was."""
    from ..deep.pretrained import encoders

    wanted = _part(settings, EncoderSettings)
    encoder = encoders.untrained(wanted.encoder, state["size"], wanted.layer, wanted.pooling, device)
    encoder.net.load_state_dict(state["encoder"])
    embedder = Embedder(encoder, wanted.channel_mode, state["full"], wanted.views, device)
    return FittedProbe(embedder, head.restore(state["head"], device))


def _is_seeded(params: Mapping[str, Any]) -> bool:
    """Only weights that are drawn at random depend on the seed."""
    return params["weights"] is None


for name, title, head, standard in (
    ("probe-svm", "RBF support vector machine", SVM, True),
    ("probe-linear", "logistic regression", LINEAR, False),
    ("probe-knn", "nearest neighbours", NEIGHBOURS, False),
):
    methods.add(
        name,
        factory=partial(Probe, head),
        summary=f"{title} on a frozen, pretrained encoder",
        family="probe",
        defaults=settings_of(head)(),
        preprocessing=Preprocessing(size=SIZE),
        standard=standard,
        seeded=_is_seeded,
        cost=7,
        restore=partial(restore, head),
    )
