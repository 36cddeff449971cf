"""Probes: methods that fit a small classifier to the embeddings of a frozen encoder."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator

from ...core.data import Images, Samples
from ...core.mixed_values import Facts, SettingValues, State
from ...core.records.runs import RunLog
from ...core.settings import Settings, one_of, part, setting
from ...datasets.preprocessing import Preprocessing
from ..decorator import method
from ..inputs import square_side
from ..svms.classical import FeatureSVM, FittedSVM, MachineSettings, SVMSettings
from . import heads
from .embedding import Embedder, embed_and_keep, full_scale
from .heads import FittedHead, LinearSettings, NeighbourSettings, StandardisedHead

if TYPE_CHECKING:
    from ...deep.pretrained.encoders import Encoder

ENCODER = "torchvision:mobilenet_v2"
SIZE = 96  # pixels that images are resized to


def _known(name: str) -> str:
    if name != ENCODER:  # to look for it takes torch
        from ...deep.nets.table import find

        find(name)
    return name


class EncoderSettings(Settings):
    """What the encoder is and how images are put through it; its input size is preprocessing's `size`."""

    encoder: Annotated[
        str,
        AfterValidator(_known),
        setting("net whose inner values are the features", may_be=f"a net's name, such as {ENCODER}"),
    ] = ENCODER
    weights: Annotated[
        str | None,
        setting(
            "what the encoder has learnt; none: nothing, its weights are drawn at random",
            may_be="imagenet or the path of a file",
        ),
    ] = "imagenet"
    channel_mode: Annotated[
        Literal["each", "rgb"], setting("each channel through the encoder by itself, or all as one RGB picture")
    ] = "each"
    layer: Annotated[
        str | None,
        setting(
            "whose output is pooled; none: the last one before the head",
            may_be="the name of a module of the encoder",
        ),
    ] = None
    pooling: Annotated[
        Literal["head", "avg", "max", "avg+max"], setting("over the picture; head: as the net itself does it")
    ] = "head"
    views: Annotated[
        int,
        one_of(1, 8),
        setting("8: the mean over quarter turns and reflections, at eight times the cost", may_be="1 or 8"),
    ] = 1
    cached: Annotated[bool, setting("keep embeddings, and take those that were made before")] = True


class ProbeSVMSettings(MachineSettings, EncoderSettings):
    """An encoder and a support vector machine."""


class ProbeLinearSettings(LinearSettings, EncoderSettings):
    """An encoder and a logistic regression."""


class ProbeNeighbourSettings(NeighbourSettings, EncoderSettings):
    """An encoder and nearest neighbours."""


@dataclass(frozen=True)
class Head:
    """A kind of classifier on embeddings.

    settings: the class of settings of encoder and classifier. make(settings, device): returns an unfitted classifier,
    to be fitted on Samples whose images are embeddings. restore(state, device): returns a fitted one. scores: how its
    scores become probabilities for one label an image and for several, see 'scores' in methods.registry.Method.
    """

    settings: type[EncoderSettings]
    make: Callable[[Any, str], FeatureSVM | StandardisedHead]
    restore: Callable[[State, str], FittedSVM | FittedHead]
    scores: tuple[str, str] = ("", "")


def _svm(settings: MachineSettings, device: str) -> FeatureSVM:
    return FeatureSVM(methodcaller("clone"), part(SVMSettings, settings), device)  # it standardises in place


def _restored_svm(state: State, device: str) -> FittedSVM:
    return FittedSVM.of_state(methodcaller("clone"), state, device)


def _linear(settings: LinearSettings, device: str) -> StandardisedHead:
    return StandardisedHead(heads.linear_path, settings, "scikit-learn")


def _neighbours(settings: NeighbourSettings, device: str) -> StandardisedHead:
    return StandardisedHead(heads.neighbour_path, settings, "torch")


def _restored(kind: type[heads.Linear] | type[heads.Neighbours], state: State, device: str) -> FittedHead:
    return FittedHead.of_state(kind, state)


SVM = Head(ProbeSVMSettings, _svm, _restored_svm)
LINEAR = Head(ProbeLinearSettings, _linear, partial(_restored, heads.Linear), ("softmax", "sigmoid"))
NEIGHBOURS = Head(ProbeNeighbourSettings, _neighbours, partial(_restored, heads.Neighbours))


class Probe:
    """A method that embeds images with a frozen encoder and fits a head, which chooses its settings on val."""

    def __init__(self, head: Head, settings: EncoderSettings, seed: int, device: str) -> None:
        self._kind, self._settings, self._seed, self._device = head, settings, seed, device
        self._head = head.make(settings, device)
        self.backend = self._head.backend
        self.chosen: SettingValues = {}
        self.facts: Facts = {}
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
            **self._head.facts,
            "encoder": wanted.encoder,
            "features": on_train.images.shape[1],
            "embeddings_from_cache": from_cache,
        }

    def predict(self, images: Images) -> NDArray[np.float32]:
        known = next((rows for seen, rows in self._known if seen is images), None)
        return self._head.predict(self._embedder(images) if known is None else known)

    def state(self) -> State:
        """Return the state of encoder and head, with the encoder's weights, so that no file of them is needed."""
        encoder = self._embedder.encoder
        return {
            "scores": self._kind.scores[self._multilabel],
            "encoder": encoder.net.state_dict(),
            "size": self._size,
            "full": self._embedder.full,
            "head": self._head.state(),
        }

    def _encoder(self, train: Samples) -> "tuple[Encoder, Facts]":
        import torch

        from ...deep.pretrained import encoders

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
    head: FittedSVM | FittedHead

    def predict(self, images: Images) -> NDArray[np.float32]:
        return self.head.predict(self.embedder(images))

    def in_float32(self) -> "FittedProbe":
        """Return the same probe, whose encoder computes in float32 on every device."""
        return replace(self, embedder=replace(self.embedder, wanted_precision="fp32"))


def restore(head: Head, settings: EncoderSettings, state: State, device: str) -> FittedProbe:
    """Return a fitted probe that scores images as the Probe with this state did."""
    from ...deep.pretrained import encoders

    encoder = encoders.untrained(settings.encoder, state["size"], settings.layer, settings.pooling, device)
    encoder.net.load_state_dict(state["encoder"])
    embedder = Embedder(encoder, settings.channel_mode, state["full"], settings.views, device)
    return FittedProbe(embedder, head.restore(state["head"], device))


def _is_seeded(params: SettingValues) -> bool:
    """Return whether the seed changes the result: only if the encoder's weights are drawn at random."""
    return params["weights"] is None


# Few images suit a linear classifier, many a kernel; both fit the same embeddings, so the second costs little.
for name, title, head, standard in (
    ("probe-svm", "RBF support vector machine", SVM, True),
    ("probe-linear", "logistic regression", LINEAR, True),
    ("probe-knn", "nearest neighbours", NEIGHBOURS, False),
):
    method(
        name,
        f"{title} on a frozen, pretrained encoder",
        family="probe",
        settings=head.settings(),
        preprocessing=Preprocessing(size=SIZE),
        standard=standard,
        seeded=_is_seeded,
        cost=7,
        restore=partial(restore, head),
    )(partial(Probe, head))
