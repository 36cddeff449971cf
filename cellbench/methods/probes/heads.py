"""Classifiers that learn from embeddings: logistic regression and nearest neighbours. SVMs are in methods.svms."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...core.data import Samples
from ...core.mixed_values import Facts, SettingValues, State
from ...core.records.runs import RunLog
from ...core.settings import OneOrMore, Positive, Settings, between, setting
from ..best_candidate import Candidate, best_candidate
from ..svms.classical import as_tuple

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression
    from torch import Tensor

    from ...features.tensors import Standardiser

ITERATIONS = 200  # of L-BFGS for a value of C; the path of C starts each from the one before
NEVER = -30.0  # the logit of a label that no training image has
TEMPERATURE = 0.07  # of neighbours' votes, as Wu et al. (CVPR 2018) have it
QUERIES = 1024  # images whose neighbours are looked for at a time


class LinearSettings(Settings):
    """C: inverse strength of the L2 penalty, as in scikit-learn's LogisticRegression."""

    C: Annotated[
        OneOrMore[Positive],
        setting(
            "inverse strength of the penalty; of several the best on val",
            may_be="a positive number, or a list of them such as C=0.01,0.1,1",
            search=between(1e-3, 10.0, log=True),
        ),
    ] = (0.001, 0.01, 0.1, 1)


class NeighbourSettings(Settings):
    """k: neighbours that vote."""

    k: Annotated[
        OneOrMore[Annotated[int, Field(ge=1)]],
        setting(
            "neighbours that vote; of several the best on val",
            may_be="a whole number of at least 1, or a list of them such as k=1,5,20",
            search=between(1, 50, log=True),
        ),
    ] = (1, 3, 5, 10, 20, 50)


class FittedClassifier(Protocol):
    """A fitted classifier that scores standardised embeddings."""

    def __call__(self, rows: "Tensor") -> NDArray[np.float32]:
        """Return scores (n, classes) of embeddings, rows (n, features) float32."""

    def state(self) -> State: ...


@dataclass(frozen=True, eq=False)
class Linear:
    """A linear classifier with weight (classes, features) and bias (classes,), float32; its scores are logits."""

    weight: "Tensor"
    bias: "Tensor"

    def __call__(self, rows: "Tensor") -> NDArray[np.float32]:
        return (rows @ self.weight.T + self.bias).numpy()

    def state(self) -> State:
        return {"weight": self.weight, "bias": self.bias}

    @classmethod
    def of_state(cls, state: State) -> Self:
        return cls(state["weight"], state["bias"])


@dataclass(frozen=True, eq=False)
class Neighbours:
    """A nearest-neighbour classifier with weighted votes, as in Wu et al. (CVPR 2018).

    The k training images of greatest cosine similarity s vote with weight exp(s / 0.07). A score is the share of the
    votes less 0.5, so that of several labels those that get more than half of the votes are above 0.

    rows: (n, features), embeddings of the training images, scaled to length 1. truth: (n, classes) float32 of 0 and 1.
    """

    rows: "Tensor"
    truth: "Tensor"
    k: int

    def __call__(self, rows: "Tensor") -> NDArray[np.float32]:
        return self.with_each_k(rows, (self.k,))[0]

    def with_each_k(self, rows: "Tensor", ks: tuple[int, ...]) -> list[NDArray[np.float32]]:
        """Return the scores for each k, (n, classes) float32; the neighbours are searched only once."""
        import torch
        from torch.nn.functional import normalize

        most = min(max(ks), len(self.rows))
        scores: list[list[Tensor]] = [[] for _ in ks]
        for queries in torch.split(rows, QUERIES):
            similarity, nearest = (normalize(queries) @ self.rows.T).topk(most)
            votes = (similarity / TEMPERATURE).exp()
            for collected, k in zip(scores, ks, strict=True):
                weights = votes[:, :k, None] / votes[:, :k].sum(1)[:, None, None]
                collected.append((weights * self.truth[nearest[:, :k]]).sum(1) - 0.5)
        return [torch.cat(each).numpy() for each in scores]

    def state(self) -> State:
        return {"rows": self.rows, "truth": self.truth, "k": self.k}

    @classmethod
    def of_state(cls, state: State) -> Self:
        return cls(state["rows"], state["truth"], state["k"])


def linear_path(
    settings: LinearSettings, rows: "Tensor", train: Samples, unseen: "Tensor"
) -> Iterator[Candidate[Linear]]:
    """Yield a fitted logistic regression for every C, ascending, each started from the one before.

    It is multinomial; with several labels an image it is one binary regression for each label. rows, unseen: the
    standardised embeddings of the training and of the validation images.
    """
    from sklearn.linear_model import LogisticRegression

    models: dict[int, LogisticRegression] = {}
    targets = dict(enumerate(train.labels.T)) if train.multilabel else {0: train.labels}
    for C in sorted(as_tuple(settings.C)):
        for at, target in targets.items():
            if len(np.unique(target)) > 1:
                model = models.setdefault(at, LogisticRegression(max_iter=ITERATIONS, warm_start=True))
                models[at] = model.set_params(C=C).fit(rows.numpy(), target)
        fitted = _linear(models, train, rows.shape[1])
        yield Candidate({"C": C}, fitted, fitted(unseen))


def _linear(models: "Mapping[int, LogisticRegression]", train: Samples, features: int) -> Linear:
    import torch

    weight = np.zeros((len(train.classes), features), np.float32)
    bias = np.full(len(train.classes), NEVER, np.float32)
    if train.multilabel:
        bias[train.labels.all(0)] = -NEVER
        for at, model in models.items():
            weight[at], bias[at] = model.coef_[0], model.intercept_[0]
    elif models:
        model = models[0]
        if len(model.classes_) == 2:  # one logit, of the second: half of it each way
            coefficients, intercepts = (np.stack([-x[0], x[0]]) / 2 for x in (model.coef_, model.intercept_))
        else:
            coefficients, intercepts = model.coef_, model.intercept_
        weight[model.classes_], bias[model.classes_] = coefficients, intercepts
    else:  # all training images are of one class
        bias[train.labels[0]] = -NEVER
    return Linear(torch.from_numpy(weight), torch.from_numpy(bias))


def neighbour_path(
    settings: NeighbourSettings, rows: "Tensor", train: Samples, unseen: "Tensor"
) -> Iterator[Candidate[Neighbours]]:
    """Yield a nearest-neighbour classifier for every k, ascending.

    A k larger than the number of training images is left out; if all are, that number is the only k. rows, unseen: the
    standardised embeddings of the training and of the validation images.
    """
    import torch
    from torch.nn.functional import normalize

    truth = train.labels if train.multilabel else np.eye(len(train.classes), dtype=bool)[train.labels]
    seen, votes = normalize(rows), torch.from_numpy(truth.astype(np.float32))
    asked = sorted(as_tuple(settings.k))
    ks = tuple(k for k in asked if k <= len(rows)) or (len(rows),)
    for k, scores in zip(ks, Neighbours(seen, votes, ks[0]).with_each_k(unseen, ks), strict=True):
        yield Candidate({"k": k}, Neighbours(seen, votes, k), scores)


S = TypeVar("S", bound=Settings)
Candidates = Callable[[S, "Tensor", Samples, "Tensor"], Iterator[Candidate[FittedClassifier]]]  # such as linear_path


class StandardisedHead:
    """Standardises embeddings by train statistics and uses the classifier of a path that does best on val."""

    def __init__(self, path: "Candidates[S]", settings: S, backend: str) -> None:
        self._candidates, self.backend = partial(path, settings), backend
        self.chosen: SettingValues = {}
        self.facts: Facts = {}

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        """Fit on train and choose on val; the images of both are embeddings, (n, features) float32."""
        import torch

        from ...features.tensors import Standardiser

        with log.phase("fit"):
            rows = torch.from_numpy(train.images).clone()
            scale = Standardiser.of(rows)
            unseen = scale(torch.from_numpy(val.images).clone())
            _, winner = best_candidate(self._candidates(scale(rows), train, unseen), val, log)
            self.chosen, self._fitted = dict(winner.settings), FittedHead(scale, winner.model)

    def predict(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._fitted.predict(embeddings)

    def state(self) -> State:
        return self._fitted.state()


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A fitted classifier, and the standardiser that its embeddings go through first."""

    scale: "Standardiser"
    fitted: FittedClassifier

    @classmethod
    def of_state(cls, kind: type[Linear] | type[Neighbours], state: State) -> Self:
        """Return the head whose state `state` returned; kind: the class of its classifier, Linear or Neighbours."""
        from ...features.tensors import Standardiser

        return cls(Standardiser(*state["scale"]), kind.of_state(state["fitted"]))

    def state(self) -> State:
        return {"scale": [self.scale.mean, self.scale.factor], "fitted": self.fitted.state()}

    def predict(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        return self.fitted(self.scale(torch.from_numpy(embeddings).clone()))
