"""Suspect labels: images whose label is contradicted by models that did not learn from them."""

import csv
import io
import warnings
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import NDArray

from ..core.data import PARTS, Dataset, Labels, Samples, count_classes
from ..core.errors import DataError, UsageError
from ..core.extras import EXTRAS
from ..core.records.runs import RunLog
from ..core.records.store import write_whole
from ..core.scoring.calibration import calibrate
from ..core.text.console import progress_line
from ..core.text.shown_text import csv_cell
from ..core.training_budget import MANY_IMAGES
from ..datasets.audit.result import ProgressText
from ..datasets.display.gallery import gallery
from ..datasets.display.sheet import Line, save_picture
from ..datasets.inspection import check_place
from ..datasets.opening import FolderKeywords, open_dataset
from ..datasets.splits import fold_numbers, limited
from .registry import methods
from .svms.combined import CombinedSettings, suited

if TYPE_CHECKING:
    from PIL.Image import Image

METHOD = "svm-combined"
FOLDS = 5  # of these three train a model, the next chooses its settings, and the last is judged by it
SEED = 0
SHOWN = 36  # images in the gallery


@dataclass(frozen=True)
class Suspect:
    """One image of the ranking.

    rank: 1 is contradicted most. position: in the data set, from 0. name: its file, where that is known. part: train,
    val or test of the official split, '' for an image of none. given, likely: names of classes; of several labels an
    image joined by '; ', and '' for none. quality: cleanlab's score of the label, 0 to 1, low where it is contradicted.
    given_probability, likely_probability: that out-of-fold models give to the two; None with several labels an image.
    """

    rank: int
    position: int
    name: str
    part: str
    given: str
    likely: str
    quality: float
    given_probability: float | None
    likely_probability: float | None


@dataclass(frozen=True, eq=False)
class SuspectLabels:
    """A ranking of a data set's images by how far models that learnt from other images contradict their labels.

    order: (n judged,) int64, positions in the data set, the most contradicted label first. quality: (n,) float64, 0 to
    1, low where the label is contradicted. probabilities: (n, classes) float64, out-of-fold. Both are NaN for images
    that were not judged. unjudged: positions of images whose class some model could not learn, as all of its images, or
    groups, lie in the fold that is judged or in the one that chooses.
    """

    data: Dataset
    order: NDArray[np.int64]
    quality: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    unjudged: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.order)

    def first(self, n: int | None = None) -> list[Suspect]:
        """Return the n images whose labels are contradicted most; all that were judged if n is None."""
        parts = np.full(len(self.data), "", dtype="U5")
        for part in PARTS:
            parts[self.data.split[part]] = part
        return [self._suspect(rank, i, str(parts[i])) for rank, i in enumerate(self.order[:n].tolist(), 1)]

    def likely(self, i: int) -> NDArray[np.int64]:
        """Return the classes that the models expect of image i: the likeliest, or of several labels those above 0.5."""
        if self.data.multilabel:
            return np.flatnonzero(self.probabilities[i] > 0.5)
        likeliest: NDArray[np.int64] = self.probabilities[i].argmax(keepdims=True)
        return likeliest

    def _suspect(self, rank: int, i: int, part: str) -> Suspect:
        data, one_label = self.data, not self.data.multilabel
        given = data.labels[i : i + 1] if one_label else np.flatnonzero(data.labels[i])
        likely = self.likely(i)
        return Suspect(
            rank=rank,
            position=i,
            name=data.name_of(i),
            part=part,
            given="; ".join(data.classes[k] for k in given),
            likely="; ".join(data.classes[k] for k in likely),
            quality=float(self.quality[i]),
            given_probability=float(self.probabilities[i, given[0]]) if one_label else None,
            likely_probability=float(self.probabilities[i, likely[0]]) if one_label else None,
        )


def suspect_labels(
    dataset: str | Path,
    *,
    limit: int | None = None,
    output: str | Path | None = None,
    picture: str | Path | None = None,
    **folder: Unpack[FolderKeywords],
) -> SuspectLabels:
    """Rank the images of a data set, train, val and test together, by how far models contradict their labels.

    limit: the number of images to judge, drawn so that classes are in proportion; all if None. output: a CSV to write
    with all of the ranking. picture: a PNG to write with the first SHOWN images. folder: how to read a folder of
    images. Raises BackendError if cleanlab is not installed, UsageError if a file cannot be written, and DataError as
    `rank` does.
    """
    EXTRAS["labels"].require("the ranking of suspect labels")
    for file in (output, picture):
        if file is not None:
            check_place(Path(file), str(dataset))
    data = open_dataset(dataset, **folder)
    found = rank(data, limited(np.arange(len(data)), data.labels, limit), progress_line)
    if output is not None:
        save_csv(found, Path(output))
    if picture is not None:
        progress_line("drawing the gallery")
        save_picture(draw(found), Path(picture))
    progress_line("")
    return found


def save_csv(found: SuspectLabels, path: Path) -> None:
    """Write the whole ranking as CSV with the fields of Suspect, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Suspect)], lineterminator="\n")
    writer.writeheader()
    for suspect in found.first():
        writer.writerow({name: csv_cell(_rounded(value)) for name, value in asdict(suspect).items()})
    try:
        write_whole(path, lambda file: file.write(text.getvalue().encode()))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}; give another place with -o") from error


def draw(found: SuspectLabels) -> "Image":
    """Draw a PIL image of the first SHOWN images of the ranking, each with its given and its likely label."""
    cells = [
        (one.position, (f"{one.rank}  is {one.given or 'none'}", f"likely {one.likely or 'none'}", one.name))
        for one in found.first(SHOWN)
    ]
    lines: list[Line] = [(f"the {len(cells)} of {len(found):,} labels that models contradict most; judge by eye", [])]
    picture: Image = gallery(found.data, f"{found.data.name}: suspect labels", cells, lines)
    return picture


def _rounded(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value


def rank(data: Dataset, index: NDArray[np.int64], progress: ProgressText = lambda text: None) -> SuspectLabels:
    """Order the images at these positions by how likely it is that their label is wrong, as cleanlab scores it.

    The score rests on the probabilities that models give to images which they did not learn from.

    The images are divided into FOLDS folds, stratified by class, with groups kept whole. A model of METHOD learns from
    three folds, chooses its settings on the fourth, where its scores are also turned into probabilities, and judges the
    fifth; each fold is judged once. The score of a label is the probability that the model gives it ("self
    confidence"); with several labels an image it is cleanlab's average over the classes.
    Source: Northcutt, Jiang and Chuang, "Confident Learning", JAIR 70, 2021.

    Raises DataError if there are fewer than FOLDS groups, or fewer images than that in every class.
    """
    number = _folds(data, index)
    probabilities = np.full((len(data), len(data.classes)), np.nan)
    judged = np.zeros(len(data), bool)
    for fold in range(FOLDS):
        progress(f"model {fold + 1} of {FOLDS} learns from other images than those that it judges")
        judge, choose = (index[number == (fold + turn) % FOLDS] for turn in (0, 1))
        learn = index[(number != fold) & (number != (fold + 1) % FOLDS)]
        probabilities[judge] = _out_of_fold(data, learn, choose, judge)
        judged[judge] = data.multilabel or _known(data.labels, learn, choose)[data.labels[judge]]
    quality = np.full(len(data), np.nan)
    quality[judged] = _quality(data.labels[judged], probabilities[judged])
    positions = np.flatnonzero(judged)
    return SuspectLabels(
        data=data,
        order=positions[quality[judged].argsort(kind="stable")],
        quality=quality,
        probabilities=np.where(judged[:, None], probabilities, np.nan),
        unjudged=np.setdiff1d(index, positions),
    )


def _folds(data: Dataset, index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the fold of each image of `index`, (n,)."""
    labels, groups = data.labels[index], None if data.groups is None else data.groups[index]
    if groups is not None and (n := len(np.unique(groups))) < FOLDS:
        raise DataError(
            f"data set {data.name!r} has {n} groups; at least {FOLDS} are needed to judge labels by models that did "
            "not see their group"
        )
    if max(count_classes(labels, len(data.classes))) < FOLDS:
        raise DataError(
            f"data set {data.name!r} has fewer than {FOLDS} images in every class; too few to judge labels by models "
            "that did not see them"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes with fewer images than folds, which are named as not judged
        return fold_numbers(labels, groups, FOLDS)


def _known(labels: Labels, learn: NDArray[np.int64], choose: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each class, (classes,) bool, whether both parts have images of it."""
    known = np.zeros(labels.max() + 1, bool)
    known[np.intersect1d(labels[learn], labels[choose])] = True
    return known


def _out_of_fold(
    data: Dataset, learn: NDArray[np.int64], choose: NDArray[np.int64], judge: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return probabilities (n judged, classes) of a model that learns from `learn` and is calibrated on `choose`.

    Scores become probabilities as those of `predict` do, see `core.scoring.calibration`.
    """
    entry = methods[METHOD]
    images, _ = entry.preprocessing.apply(data.images, {"train": learn, "val": choose, "test": judge}, data.channels)
    channels = entry.preprocessing.channel_names(data.channels)
    train = Samples(images["train"], data.labels[learn], data.classes, channels)
    val = Samples(images["val"], data.labels[choose], data.classes, channels)
    settings = suited(CombinedSettings(), MANY_IMAGES)  # of few images too, so that all folds have the same
    model = entry.factory(settings, SEED, "cpu")
    model.fit(train, val, RunLog())
    rule = calibrate(np.asarray(model.predict(val.images)), val.labels)
    return rule(np.asarray(model.predict(images["test"])))


def _quality(labels: Labels, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return cleanlab's quality of each label, (n,), from 0 to 1."""
    if labels.ndim == 1:
        from cleanlab.rank import get_label_quality_scores

        quality: NDArray[np.float64] = get_label_quality_scores(labels, probabilities)
        return quality
    from cleanlab.multilabel_classification import get_label_quality_scores

    quality = get_label_quality_scores([np.flatnonzero(row).tolist() for row in labels], probabilities)
    return quality
