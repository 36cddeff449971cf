"""Could an SVM do better with few images? Other ways to choose and weigh its features, and other classifiers, on val.

    python benchmarks/few_images_svm.py run -d hep2           adds what is missing to results/few_images_svm.csv
    python docs/tools/tables.py few-images                    accuracies, as Markdown

Each draw takes `--limit` training images and, to choose by, val images in proportion, class by class; the remaining val
images judge. All ways learn from the same images. The test part is never looked at.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import click
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from trials import Trials

from cellbench import open_dataset
from cellbench.core.tensors import as_tensor
from cellbench.features.groups import DEFAULT_GROUPS, layout, values_of
from cellbench.features.tensors import Standardiser

TRIALS = Trials("few_images_svm", ("dataset", "n", "draw", "way"), ("val_accuracy", "n_val", "judged"))
CS = (1, 10, 100)
GAMMA_FACTORS = (0.5, 2.0)
FOLDS = 5
AT_ONCE = 500  # images whose features are computed together

Classifier = SVC | LogisticRegression | ExtraTreesClassifier


@dataclass(frozen=True, eq=False)
class Part:
    """Features, (n, features) float32, and labels of some images."""

    X: NDArray[np.float32]
    y: NDArray[np.int64]

    def __getitem__(self, index: NDArray[np.int64]) -> "Part":
        return Part(self.X[index], self.y[index])


@dataclass(frozen=True, eq=False)
class Draw:
    """Few training images, val images to choose by, and those that judge; groups: the columns of each group."""

    train: Part
    chosen_by: Part
    judge: Part
    groups: Mapping[str, slice]

    @property
    def subsets(self) -> list[tuple[str, ...]]:
        """Return the sets of groups that are chosen from, the simplest first."""
        everything = tuple(self.groups)
        return [("intensity",), ("texture", "intensity"), tuple(g for g in everything if g != "hog"), everything]

    def scaled(self, weights: Mapping[str, float]) -> "Draw":
        """Return the draw with these groups, standardised by the training images, times their weight; others are 0."""
        scale = Standardiser.of_groups(torch.from_numpy(self.train.X), [self.groups[name] for name in weights])
        for name, weight in weights.items():
            scale.factor[self.groups[name]] *= weight
        parts = (self.train, self.chosen_by, self.judge)
        return Draw(*(Part(scale(torch.from_numpy(p.X.copy())).numpy(), p.y) for p in parts), self.groups)

    def alike(self, groups: Iterable[str]) -> "Draw":
        """Return the draw with these groups, each with the same weight."""
        return self.scaled(dict.fromkeys(groups, 1.0))

    @property
    def usual_gamma(self) -> float:
        """Return what SVC takes for gamma='scale'."""
        return float(1 / (self.train.X.shape[1] * self.train.X.var()))

    def score(self, model: Classifier) -> float:
        """Fit the model on the training images, and return its accuracy on the images that judge."""
        return float(np.mean(model.fit(self.train.X, self.train.y).predict(self.judge.X) == self.judge.y))

    def val_f1(self, model: Classifier) -> float:
        """Return macro-F1 on the val images to choose by."""
        found = model.fit(self.train.X, self.train.y).predict(self.chosen_by.X)
        return float(f1_score(self.chosen_by.y, found, average="macro"))

    def cross_f1(self, model: Classifier) -> float:
        """Return macro-F1 on the training images, each by a model of the other folds."""
        return float(f1_score(self.train.y, self._cross(model), average="macro"))

    def cross_skill(self, model: Classifier) -> float:
        """Return accuracy in cross-validation, scaled so that 0 is that of the commonest class, and at least 0."""
        chance = np.bincount(self.train.y).max() / len(self.train.y)
        return max(0.0, (float(np.mean(self._cross(model) == self.train.y)) - chance) / (1 - chance))

    def _cross(self, model: Classifier) -> NDArray[np.int64]:
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        return cross_val_predict(model, self.train.X, self.train.y, cv=folds)


def as_for_many(draw: Draw) -> float:
    """An rbf kernel. Val chooses C and whether HOG takes part, then gamma: what svm-combined does with many images."""
    alike = [draw.alike(groups) for groups in draw.subsets[2:]]
    tried = [(chosen, SVC(C=C)) for chosen, C in product(alike, CS)]
    figures = [chosen.val_f1(model) for chosen, model in tried]
    chosen, model = tried[int(np.argmax(figures))]
    around = [clone(model).set_params(gamma=factor * chosen.usual_gamma) for factor in GAMMA_FACTORS]
    return chosen.score(max([model, *around], key=chosen.val_f1))


def linear(draw: Draw) -> float:
    """A linear kernel and C 10, with or without HOG as val chooses."""
    tried = [draw.alike(groups) for groups in draw.subsets[2:]]
    model = SVC(C=10, kernel="linear")
    return max(tried, key=lambda scaled: scaled.val_f1(model)).score(model)


def linear_on_all(draw: Draw) -> float:
    """A linear kernel and C 10 on all groups; nothing is chosen: what svm-combined does with few images."""
    return draw.alike(draw.groups).score(SVC(C=10, kernel="linear"))


def wide(draw: Draw, factor: float) -> float:
    """An rbf kernel with this multiple of the usual gamma and C 100 on all groups; nothing is chosen."""
    scaled = draw.alike(draw.groups)
    return scaled.score(SVC(C=100, gamma=factor * scaled.usual_gamma))


def subset(draw: Draw, figure: Callable[[Draw, Classifier], float]) -> float:
    """The best of four sets of groups and of C by this figure."""
    scaled = [draw.alike(groups) for groups in draw.subsets]
    tried = list(product(scaled, (SVC(C=C) for C in CS)))
    chosen, model = max(tried, key=lambda pair: figure(*pair))
    return chosen.score(model)


def weighted(draw: Draw) -> float:
    """Every group counts by how much better than chance it alone is in cross-validation."""
    skill = {name: draw.scaled({name: 1.0}).cross_skill(SVC(C=10)) for name in draw.groups}
    return (draw.scaled(skill) if any(skill.values()) else draw.alike(draw.groups)).score(SVC(C=10))


def classifier(draw: Draw, model: Classifier, groups: Callable[[Draw], Sequence[str]]) -> float:
    """Another classifier, of the features of these groups as they are."""
    columns = np.concatenate([np.r_[draw.groups[name]] for name in groups(draw)])
    parts = (Part(part.X[:, columns], part.y) for part in (draw.train, draw.chosen_by, draw.judge))
    return Draw(*parts, {}).score(model)


def intensity(draw: Draw) -> Sequence[str]:
    """The groups that floor-intensity learns from."""
    return draw.subsets[0]


def all_but_hog(draw: Draw) -> Sequence[str]:
    return draw.subsets[2]


LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
TREES = ExtraTreesClassifier(300, random_state=0)

WAYS: dict[str, Callable[[Draw], float]] = {
    "linear kernel, C 10": linear,
    "linear kernel, C 10, all groups": linear_on_all,
    "rbf kernel of a fifth of gamma, C 100, all groups": partial(wide, factor=0.2),
    "rbf kernel of a twentieth of gamma, C 100, all groups": partial(wide, factor=0.05),
    "rbf kernel": as_for_many,
    "rbf kernel, groups chosen on val": partial(subset, figure=Draw.val_f1),
    "rbf kernel, groups chosen by cross-validation": partial(subset, figure=Draw.cross_f1),
    "rbf kernel, groups weighted by cross-validation": weighted,
    "logistic regression": partial(classifier, model=LOGISTIC, groups=all_but_hog),
    "extremely randomised trees": partial(classifier, model=TREES, groups=all_but_hog),
    "logistic regression on intensity": partial(classifier, model=LOGISTIC, groups=intensity),
}


def features(name: str, **folder: str | None) -> tuple[Part, Part, dict[str, slice]]:
    """Return features and labels of the training and of the val part, and the columns of each group."""
    data = open_dataset(name, **{key: value for key, value in folder.items() if value})
    parts = [data.part(part) for part in ("train", "val")]
    shape = parts[0].images.shape[1:]
    groups = [group for group in DEFAULT_GROUPS if shape[0] > 1 or group != "between"]
    train, val = (
        Part(
            np.concatenate([values_of(groups, as_tensor(images)).numpy() for images in _some(part.images)]), part.labels
        )
        for part in parts
    )
    return train, val, dict(layout(groups, shape).groups)


def _some(images: NDArray) -> Sequence[NDArray]:
    return [images[start : start + AT_ONCE] for start in range(0, len(images), AT_ONCE)]


def drawn(train: Part, val: Part, groups: Mapping[str, slice], n: int, seed: int) -> Draw:
    """Return the draw of n training images with this seed."""
    few, _ = train_test_split(np.arange(len(train.y)), train_size=n, stratify=train.y, random_state=seed)
    n_val = round(n * len(val.y) / len(train.y))
    chosen_by, judge = train_test_split(np.arange(len(val.y)), train_size=n_val, stratify=val.y, random_state=seed)
    return Draw(train[few], val[chosen_by], val[judge], groups)


@click.group()
def cli() -> None:
    """Ways to learn from few images."""


@cli.command()
@click.option("-d", "--dataset", required=True)
@click.option("--labels", help="As `cellbench run` takes it.")
@click.option("--group-column", help="As `cellbench run` takes it.")
@click.option("-n", "--limit", type=int, default=100)
@click.option("--draws", type=int, default=8)
@click.option("--way", "ways", multiple=True, type=click.Choice([*WAYS]), default=[*WAYS])
def run(
    dataset: str, labels: str | None, group_column: str | None, limit: int, draws: int, ways: Sequence[str]
) -> None:  # fmt: skip
    """Measure what is missing."""
    done = TRIALS.done()
    train, val, groups = features(dataset, labels=labels, group_column=group_column)
    for seed in range(draws):
        draw = drawn(train, val, groups, limit, seed)
        for way in ways:
            if (dataset, limit, seed, way) not in done:
                accuracy = round(WAYS[way](draw), 4)
                TRIALS.add((dataset, limit, seed, way, accuracy, len(draw.chosen_by.y), len(draw.judge.y)))
                click.echo(f"draw {seed}, {way}: {accuracy:.1%}")


if __name__ == "__main__":
    cli()
