"""Splits by name: other ways to divide the same images than the split that a data set comes with."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..core.data import PARTS, Dataset, Split
from ..core.errors import DataError, UsageError, did_you_mean
from ..core.split_names import LEAVE_ONE_OUT, OFFICIAL, draws_in, kind_of, named, rule_of, unit_of
from ..core.text.words import counted, plural
from .splits import fold_numbers, grouped, leave_one_out, rarest, stratified

BLOCK = 200  # consecutive images of a class that id-block keeps together: as far as neighbours are alike in HEp-2
MASK_TRAIN = 60  # percent
BLOCK_SHARES = (0.64, 0.16, 0.20)
NOTED_DIFFERENCE = 0.1  # a class whose share in a part differs by more from the share of all images is named in a note


def with_split(data: Dataset, name: str, split_seed: int = 0) -> Dataset:
    """The data set with the split called `name`; 'official' is the one that it comes with.

    The others are drawn, and differ from seed to seed: 'stratified@5' is drawn with seed 5, whatever `split_seed` is.

    stratified, grouped: see `splits`.
    random-mask, random-mask:N: a draw for each image, as in study 001: N (60) % are train, of the others half are val.
    kfold:K/I: fold I of K is test, the next one val, the others train. Groups are kept whole where there are any.
    id-block, id-block:N: runs of N (200) consecutive images of a class are kept together; of each class 64 % of the
    images are train, 16 % val and 20 % test, as far as whole runs allow.
    leave-one-out@K: group K, counted from 0 in ascending order, is test; val is drawn from the other groups.
    leave-one-out:donor@K is the same, and is refused where the groups are known to be other than donors.

    Raises UsageError for another name, and DataError when the data cannot be split like that.
    """
    drawn_by, seed = _rule_and_seed(name, split_seed)
    if name == OFFICIAL or named(drawn_by, (seed,)) == data.split.name:
        return data
    rule, _, argument = drawn_by.partition(":")
    if rule not in RULES:
        raise UsageError(f"no drawn split is called {name!r}; {did_you_mean(rule, NAMES)}")
    split = RULES[rule](data, argument, seed)
    split = replace(split, name=named(split.name, (seed,)))
    drawn = replace(data, split=split)
    counts = drawn.class_counts()
    if lost := [name for name, n in zip(data.classes, counts["train"], strict=True) if not n]:
        raise DataError(f"the split {split.name!r} leaves no training image of {', '.join(lost)}; choose another split")
    return replace(
        drawn, info=replace(data.info, notes=(*data.info.notes, *_torn_groups(drawn), *_shares(drawn, rule)))
    )


def each_draw(data: Dataset, name: str) -> list[str]:
    """Return the name of each single split that `name` stands for: of 'id-block@0-2' id-block, id-block@1, id-block@2.

    'leave-one-out' without draws stands for one split for each group of the data set. Raises UsageError as `draws_in`
    does, and if a rule that is not drawn has an @.
    """
    rule, at, _ = name.partition("@")
    if kind_of(name) == LEAVE_ONE_OUT and not at:
        return [named(rule, (k,)) for k in range(len(np.unique(_groups_of(data))))]
    if rule == OFFICIAL and at:
        raise UsageError(f"the split {name!r} cannot be drawn again: official is the one that the data came with")
    return [named(rule, (draw,)) for draw in draws_in(name)]


def _rule_and_seed(name: str, split_seed: int) -> tuple[str, int]:
    """A split's name without its seed, and the seed: the one after '@', else `split_seed`."""
    if "@" not in name:
        return name, split_seed
    draw, *more = draws_in(name)
    if more:
        raise UsageError(f"the split {name!r} is several draws, and one is needed here; write {rule_of(name)}@{draw}")
    return rule_of(name), draw


def _torn_groups(data: Dataset) -> list[str]:
    """Return a note, in a list, if the split tears groups, that is, puts images of one group into several parts."""
    if data.groups is None:
        return []
    parts = [set(data.groups[data.split[part]]) for part in PARTS]
    torn = len((parts[0] & parts[1]) | (parts[0] & parts[2]) | (parts[1] & parts[2]))
    if not torn:
        return []
    unit = unit_of(data.info.groups_are)
    return [f"The split {data.split.name!r} tears {counted(torn, unit, plural(unit))}: images of one lie in two parts."]


def _shares(data: Dataset, rule: str) -> list[str]:
    """A note on the shares of the parts: always for blocks, which seldom fit; else when a class's shares differ."""
    counts = np.array([data.class_counts()[part] for part in PARTS])
    of_all = np.array([len(data.split[part]) for part in PARTS]) / len(data)
    of_class = counts / counts.sum(0).clip(1)
    differs = np.abs(of_class - of_all[:, None]).max(0) > NOTED_DIFFERENCE
    apart = np.flatnonzero(differs & counts.any(0))
    if not (len(apart) or rule == "id-block"):
        return []
    of_classes = "".join(f"; of {data.classes[k]} {_percent(of_class[:, k])} %" for k in apart)
    return [f"The split {data.split.name!r} came out as {_percent(of_all)} % in train/val/test{of_classes}."]


def _percent(shares: NDArray) -> str:
    """Shares in whole per cent: '64/16/20'."""
    return "/".join(f"{100 * share:.0f}" for share in shares)


def _stratified(data: Dataset, argument: str, split_seed: int) -> Split:
    _no_argument("stratified", argument)
    return stratified(data.labels, split_seed, data.classes)


def _grouped(data: Dataset, argument: str, split_seed: int) -> Split:
    _no_argument("grouped", argument)
    return grouped(data.labels, _groups_of(data), split_seed, data.classes)


def _groups_of(data: Dataset) -> NDArray[np.int64]:
    if data.groups is None:
        raise DataError(
            f"data set {data.name!r} has no groups to split by; choose another split, or name the column of a table "
            "that has them: --labels FILE --group-column donor"
        )
    return data.groups


def _leave_one_out(data: Dataset, argument: str, split_seed: int) -> Split:
    """Return a split whose test images are one group, number `split_seed`. argument: what the groups are, or empty."""
    groups = _groups_of(data)
    known = data.info.groups_are
    if argument and known and argument != known:
        raise UsageError(
            f"the split 'leave-one-out:{argument}' leaves out a {argument}, and the groups of {data.name!r} are from "
            f"{known!r}; write leave-one-out:{known}, or prepare the images with --group-column {argument}"
        )
    n = len(np.unique(groups))
    if split_seed >= n:
        raise UsageError(
            f"the split 'leave-one-out@{split_seed}' names no group: {data.name!r} has {n}, numbered 0 to {n - 1}"
        )
    split = leave_one_out(data.labels, groups, split_seed)
    return replace(split, name=f"{LEAVE_ONE_OUT}:{argument}" if argument else LEAVE_ONE_OUT)


def _random_mask(data: Dataset, argument: str, split_seed: int) -> Split:
    """Return a split that draws the part of each image independently. argument: per cent of the images to train on."""
    if argument and not (argument.isdecimal() and 0 < int(argument) < 100):
        raise UsageError(
            f"the split 'random-mask:{argument}' names no share; give whole percents to train on, 1 to 99, as in "
            "random-mask:70"
        )
    percent = int(argument or MASK_TRAIN)
    draw = np.random.default_rng(split_seed).random(len(data))
    part = np.digitize(draw, [percent / 100, (100 + percent) / 200])
    return _by_part("random-mask" if percent == MASK_TRAIN else f"random-mask:{percent}", part)


def _kfold(data: Dataset, argument: str, split_seed: int) -> Split:
    """Return a split with one fold as test, the next one as val and all others as train.

    argument: 'K/I', the number of folds and the number of the test fold.
    """
    try:
        k, fold = map(int, argument.split("/"))
    except ValueError:
        k = fold = -1
    if not (k >= 3 and 0 <= fold < k):
        raise UsageError(
            f"the split 'kfold:{argument}' names no fold; write kfold:K/I with I from 0 to K-1, K at least 3"
        )
    if not data.multilabel and (least := np.bincount(data.labels).min()) < k:
        raise DataError(
            f"data set {data.name!r} has a class of {least} images, too few for {k} folds; choose fewer folds"
        )
    if data.groups is not None and (n := len(np.unique(data.groups))) < k:
        raise DataError(f"data set {data.name!r} has {n} groups, too few for {k} folds; choose fewer, or 'stratified'")
    number = fold_numbers(data.labels, data.groups, k, split_seed)
    part = np.zeros(len(data), int)
    part[number == fold] = PARTS.index("test")
    part[number == (fold + 1) % k] = PARTS.index("val")
    return _by_part(f"kfold:{k}/{fold}", part)


def _id_block(data: Dataset, argument: str, split_seed: int) -> Split:
    """Return a split that keeps runs of a class's images together. argument: the number of images in a run."""
    if argument and not (argument.isdecimal() and int(argument) > 0):
        raise UsageError(f"the split 'id-block:{argument}' names no block size; write id-block or id-block:100")
    size = int(argument or BLOCK)
    rng = np.random.default_rng(split_seed)
    part, labels = np.zeros(len(data), int), rarest(data.labels)
    block_of, n_blocks = np.zeros(len(data), np.int64), 0
    for k in np.unique(labels):
        images = np.flatnonzero(labels == k)
        blocks = np.array_split(images, max(1, round(len(images) / size)))
        if len(blocks) < len(PARTS) and not data.multilabel:
            raise DataError(
                f"class {data.classes[k]} has {len(images)} images, too few for three blocks of {size}; "
                f"use smaller blocks: id-block:{max(1, len(images) // (2 * len(PARTS)))}"
            )
        for block in blocks:
            block_of[block] = n_blocks
            n_blocks += 1
        taken = np.zeros(len(PARTS))
        for turn, block in enumerate(rng.permutation(len(blocks))):
            lacking = np.array(BLOCK_SHARES) - taken / len(images)
            number = turn if turn < len(PARTS) else int(np.argmax(lacking))  # one for each part, then where most lacks
            part[blocks[block]] = number
            taken[number] += len(blocks[block])
    split = _by_part("id-block" if size == BLOCK else f"id-block:{size}", part)
    return replace(split, together=block_of)


def _by_part(name: str, part: NDArray) -> Split:
    """The split that puts image i into part number part[i]."""
    return Split(name, *(np.flatnonzero(part == number) for number in range(len(PARTS))))


def _no_argument(rule: str, argument: str) -> None:
    if argument:
        raise UsageError(f"the split {rule!r} takes nothing after a colon, and got {argument!r}")


# Those of core.split_names.DRAWN_RULES.
RULES: dict[str, Callable[[Dataset, str, int], Split]] = {
    "stratified": _stratified,
    "grouped": _grouped,
    "random-mask": _random_mask,
    "kfold": _kfold,
    "id-block": _id_block,
    LEAVE_ONE_OUT: _leave_one_out,
}
NAMES = (OFFICIAL, *RULES)
