"""What judges claims: functions from a claim and pooled rows to trials, one a place, named as in claims.toml."""

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial

from ...core.suites import titled
from ..captions import device_of
from ..certainty import ALPHA, compare_rows, intervals_of_row
from ..compare import log_time
from ..pooling import DATA, HARDWARE, SETTINGS, by
from ..ranking import best_on_val
from ..stats import FEWEST_SEEDS, SEEDS, Comparison, compare_over_seeds, holm
from ..table import SECONDS, Row
from .claim import Claim
from .evidence import Evidence, called, figure_of, pairs, places, rivals, shown, sides
from .power import told_units
from .trial import (
    Trial,
    both_shown,
    p_of,
    p_said,
    percent,
    points,
    said_versus,
    seeds_said,
    settling,
    settling_seeds,
    sureness,
    trial,
    versus,
)

Judge = Callable[[Claim, Sequence[Row]], list[Trial]]
IN_95 = 1.959964  # standard errors in half of a 95 % interval
OF_ONE_RUN = 2.0  # what a ratio of single times has to be beyond: they vary by a tenth or more
DEVIATIONS = 2.0  # pooled standard deviations between training errors
ROUNDED = 0.005  # half of the last digit of claims in whole percent
IMBALANCE = 2.0  # the commonest class over the rarest
METHODS = 5  # that agree, before their order says anything
SAME_MACHINE = (*HARDWARE, "processor", "gpu")


def more_accurate(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """a is better on the same test images."""
    trials = []
    for a, b in pairs(claim, *sides(claim, rows)):
        figure = figure_of(claim, a)
        if None in (a[f"test_{figure}"], b[f"test_{figure}"]):
            continue
        difference, found = versus(a, b, figure)
        p = found.p if found else 1.0
        told = {"said": said_versus(a, b, figure, difference, found), "evidence": both_shown((a, b), figure)}
        trials.append(trial(a, difference=difference, p=p, **told, **settling(a, b, figure, difference, found)))
    return trials


def best_of(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """a is better than each of b: as sure as the least sure of these; contradicted by any b that is better."""
    trials = []
    for a, others in rivals(claim, *sides(claim, rows), among=claim.among):
        figure = figure_of(claim, a)
        others = [b for b in others if b[f"test_{figure}"] is not None]
        if len(others) < claim.least or a[f"test_{figure}"] is None:
            continue
        found = [versus(a, b, figure) for b in others]
        p = [comparison.p if comparison else 1.0 for _, comparison in found]
        i, p_of_all = _decisive([difference for difference, _ in found], p)
        said = "; ".join(
            f"{points(d)} against {called(b)}{sureness(c)}" for b, (d, c) in zip(others, found, strict=True)
        )
        told = {
            "said": f"{called(a)} {percent(a[f'test_{figure}'])} in {titled(figure)}: {said}{seeds_said(a, *others)}",
            "evidence": both_shown((a, *others), figure),
            **settling(a, others[i], figure, *found[i]),
        }
        trials.append(trial(a, difference=found[i][0], p=p_of_all, **told))
    return trials


def _decisive(differences: Sequence[float], p: Sequence[float]) -> tuple[int, float]:
    """Which comparison decides, and p: the least sure if a leads in all, else the surest that it loses (Holm)."""
    if min(differences) > 0:
        i = max(range(len(p)), key=lambda k: p[k])
        return i, p[i]
    adjusted = holm(p)
    i = min((k for k in range(len(p)) if differences[k] <= 0), key=lambda k: adjusted[k])
    return i, float(adjusted[i])


def slower(claim: Claim, rows: Sequence[Row], names: Sequence[str] = SAME_MACHINE, across: bool = False) -> list[Trial]:
    """a takes longer to train: Welch's t on logarithms from three seeds of each on, else by a factor of two."""
    trials = []
    for a, b in pairs(claim, *sides(claim, rows), (*DATA, *names)):
        if not (a["train_seconds"] and b["train_seconds"]):
            continue
        logs = [log_time(row) for row in (b, a)]
        difference, found = logs[1][0] - logs[0][0], compare_over_seeds(logs[0], logs[1], "train_seconds")
        n = min(len(a["seeds"]), len(b["seeds"]))
        few = {"needs": f"{FEWEST_SEEDS - n} more seeds of each would show how times vary", "seeds": FEWEST_SEEDS}
        sds = [sd or 0.0 for _, sd, _ in logs]
        told = {
            "said": _said_times(a, b, difference, found, across),
            "evidence": tuple({**shown(row, "train_seconds"), "hardware": _hardware(row)} for row in (a, b)),
            **(settling_seeds(difference, sds, n) if found else few),
        }
        sure = found is None and abs(difference) > math.log(OF_ONE_RUN)
        trials.append(trial(a, difference=difference, p=found.p if found else None, sure=sure, **told))
    return trials


def _said_times(a: Row, b: Row, difference: float, found: Comparison | None, across: bool) -> str:
    times = " against ".join(
        f"{called(row)} {_time(row['train_seconds'])}" + f" on {_hardware(row)}" * across for row in (a, b)
    )
    span = ""
    if found and found.interval:
        low, high = math.exp(found.interval.low), math.exp(found.interval.high)
        span = f" (95 % interval over seeds: {low:.2g} to {high:.2g}; Welch's t, {p_said(found.p)})"
    rule = "" if found else f"; fewer than three seeds of each, so a factor of {OF_ONE_RUN:g} is asked for"
    mark = "; UNLIKE DEVICES: this tells of the hardware as much as of the methods" if across else f", {_hardware(a)}"
    return f"{times} of training: {math.exp(difference):.2g} ×{span}{mark}{rule}"


def _hardware(row: Row) -> str:
    return f"{device_of(row)} of {row['machine']}"


def _time(seconds: float) -> str:
    size, unit = next((one for one in SECONDS.units if seconds >= one[0]), SECONDS.units[-1])
    return f"{seconds / size:.3g} {unit}"


def gap_by_n(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """From the fewest training images to the most the gap from train to test narrows, net by net."""
    trials = []
    for group in by(sides(claim, rows)[0], ("dataset", "fingerprint", "split", *SETTINGS, *HARDWARE)):
        sizes = {row["n_train"]: row for row in group if row["n_train"] and row[_gap(claim, row)] is not None}
        if len(sizes) < 2:
            continue
        few, many = sizes[min(sizes)], sizes[max(sizes)]
        trials.append(_narrowing(claim, few, many, [sizes[n] for n in sorted(sizes)]))
    return trials


def _gap(claim: Claim, row: Row) -> str:
    return f"gap_{figure_of(claim, row)}"


def _narrowing(claim: Claim, few: Row, many: Row, every: Sequence[Row]) -> Trial:
    name, figure = _gap(claim, few), figure_of(claim, few)
    difference = few[name] - many[name]
    images = compare_rows(few, many, figure)  # of the figures on test; those on train are exact for these models
    of_many, of_few = ((row[name], row.get(f"{name}_sd"), len(row["seeds"])) for row in (many, few))
    seeds = compare_over_seeds(of_many, of_few, name)
    half = max((c.interval.half for c in (images, seeds) if c and c.interval), default=None)
    p = max([p_of(difference, half / IN_95)] if half else [1.0], default=1.0)
    said = ", ".join(f"{points(row[name]).removeprefix('+')} at {_a_class(row)}" for row in every)
    told = {
        "said": f"{called(few)}, gap from train to test in {titled(figure)}: {said}; it narrows by {points(difference)}"
        + f" ± {100 * (half or 0):.1f}, {p_said(p)}" * bool(half)
        + seeds_said(few, many),
        "evidence": tuple({**shown(row, name), "figure": f"train minus test {titled(figure)}"} for row in every),
        **_settling_gap(few, many, name, difference, images, seeds),
    }
    return trial(few, difference=difference, p=p, **told)


def _settling_gap(
    few: Row, many: Row, name: str, difference: float, images: Comparison | None, seeds: Comparison | None
) -> dict[str, object]:
    sds = [row.get(f"{name}_sd") or 0.0 for row in (few, many)]
    span, of_seeds = (c.interval if c else None for c in (images, seeds))
    if of_seeds and (span is None or span.over == SEEDS or of_seeds.half > span.half):
        return settling_seeds(difference, sds, min(len(few["seeds"]), len(many["seeds"])))
    return settling(few, many, name, difference, images)


def _a_class(row: Row) -> str:
    return f"{row['n_train'] / row['n_classes']:,.0f} images a class" if row["n_classes"] else f"n={row['n_train']:,}"


SAME_NETS = (*DATA, *HARDWARE, "preprocessing", "overrides")


def training_error_rises(claim: Claim, rows: Sequence[Row], sign: int = 1) -> list[Trial]:
    """The deepest net's training error is above (sign 1) or below (−1) the shallowest's."""
    trials = []
    for group in by(_with_depth(sides(claim, rows)[0]), SAME_NETS):
        depths = {row["depth"]: row for row in group}
        if len(depths) > 1:
            every = [depths[depth] for depth in sorted(depths)]
            trials.append(_errors(every[-1], every[0], every, sign))
    return trials


def training_error_falls(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """At the greatest depth that both have a's training error is below b's."""
    trials = []
    of_claim = [_with_depth(side) for side in sides(claim, rows)]
    for of_a, of_b in places(of_claim[0], of_claim[1], SAME_NETS):
        a, b = ({row["depth"]: row for row in side} for side in (of_a, of_b))
        if depths := a.keys() & b.keys():
            every = [net[depth] for depth in sorted(depths) for net in (a, b)]
            trials.append(_errors(every[-2], every[-1], every, -1))
    return trials


def _with_depth(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["depth"] and row["train_accuracy"] is not None and not row["several_labels"]]


def _errors(a: Row, b: Row, every: Sequence[Row], sign: int) -> Trial:
    """a's training error against b's: two pooled deviations from two seeds of each on, or Welch's t from three."""
    difference = sign * (b["train_accuracy"] - a["train_accuracy"])
    stats_of = [(row["train_accuracy"], row.get("train_accuracy_sd"), len(row["seeds"])) for row in (a, b)]
    n, sds = min(stats_of[0][2], stats_of[1][2]), [sd or 0.0 for _, sd, _ in stats_of]
    pooled = math.sqrt((sds[0] ** 2 + sds[1] ** 2) / 2)
    welch = compare_over_seeds(stats_of[0], stats_of[1], "train_accuracy")
    sure = n > 1 and (abs(difference) > DEVIATIONS * pooled or bool(welch and welch.p <= ALPHA))
    errors = ", ".join(f"{called(row)} {percent(1 - row['train_accuracy'])}" for row in every)
    few = {"needs": f"{2 - n} more seed of each, two are the least that tell how errors vary", "seeds": 2}
    told = {
        "said": f"training error: {errors}; {a['method']} − {b['method']}: {points(sign * difference)}"
        + f", {abs(difference) / (pooled or 1):.1f} pooled standard deviations" * bool(n > 1 and pooled)
        + seeds_said(a, b),
        "evidence": both_shown_train(every),
        **(few if n < 2 else settling_seeds(difference, sds, n)),
    }
    return trial(a, difference=difference, p=None, sure=bool(sure), **told)


def both_shown_train(rows: Sequence[Row]) -> tuple[Evidence, ...]:
    return tuple(
        {**shown(row, "train_accuracy"), "figure": "training error", "value": 1 - row["train_accuracy"]} for row in rows
    )


def reaches(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """The interval of the best of a on val lies above what was claimed, a rounded figure, or below it."""
    trials = []
    for group in by(sides(claim, rows)[0], DATA):
        best = best_on_val(group)
        figure = figure_of(claim, group[0])
        if not best or best[f"test_{figure}"] is None:
            continue
        span = intervals_of_row(best, (figure,)).get(figure)
        difference = best[f"test_{figure}"] - (claim.target - ROUNDED)
        found = f" (95 % interval over {span.over}: {percent(span.low)} to {percent(span.high)})" if span else ""
        told = {
            "said": f"{called(best)} {percent(best[f'test_{figure}'])} in {titled(figure)}{found}, claimed "
            f"{100 * claim.target:g} %{seeds_said(best).replace(' each', '')}",
            "needs": told_units(difference, span.half, span.n, span.over)
            if span
            else "its predictions, or three seeds",
            "evidence": both_shown((best,), figure),
        }
        sure = span is not None and not span.low <= claim.target - ROUNDED <= span.high
        trials.append(trial(best, difference=difference, p=None, sure=sure, **told))
    return trials


def explained_by_n(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """a's lead over b on other images vanishes at equal numbers of training images.

    Contradicted where there is no lead as large as `target`, where a has no more images, or where more than half of
    the lead stays at equal numbers.
    """
    names = ("dataset", "fingerprint", *SETTINGS, *HARDWARE)
    trials = []
    for of_a, of_b in places(*sides(claim, rows), names):
        limits = {row["limit"] for row in of_a} & {row["limit"] for row in of_b}
        duels = {n: tuple(next(row for row in side if row["limit"] == n) for side in (of_a, of_b)) for n in limits}
        if None in duels and (found := _explained(claim, duels.pop(None), duels)):
            trials.append(found)
    return trials


def _explained(claim: Claim, own: tuple[Row, ...], duels: dict[int, tuple[Row, ...]]) -> Trial | None:
    figure, equal = figure_of(claim, own[0]), duels[max(duels)] if duels else None
    lead, half = _apart(own, figure)
    if lead is None or half is None:
        return None
    more = (own[0]["n_train"] or 0) > (own[1]["n_train"] or 0)
    said = f"lead of {own[0]['split']} over {own[1]['split']}, each on its own test images: {points(lead)} ± "
    said += f"{100 * half:.1f} in {titled(figure)} with {own[0]['n_train']:,} against {own[1]['n_train']:,} images"
    difference, sure, shows = 0.0, False, [*own]
    needs = f"the same with equal numbers of training images: {claim.commands[-1]}"
    if lead + half < claim.target:
        difference, sure = -1.0, True
        said += f": no lead of {points(claim.target)} to explain"
    elif lead - half > 0 and not more:
        difference, sure = -1.0, True
        said += ": it leads with no more images"
    elif equal and lead - half > 0:
        left, half_left = _apart(equal, figure)
        if left is not None and half_left is not None:
            said += f"; at {equal[0]['n_train']:,} each: {points(left)} ± {100 * half_left:.1f}"
            shows += equal
            falls = lead - left > math.hypot(half, half_left)
            stays = left - half_left > lead / 2
            difference, sure = (1.0 if falls else -1.0 if stays else 0.0), falls or stays
            needs = "more seeds or a larger test set would narrow both intervals"
    elif lead - half <= 0:
        needs = "more seeds or a larger test set would tell whether there is a lead at all"
    return trial(
        own[0], difference=difference, p=None, sure=sure, said=said, needs=needs, evidence=both_shown(shows, figure)
    )


def _apart(duel: Sequence[Row], figure: str) -> tuple[float | None, float | None]:
    """The difference on unlike images and half of its 95 % interval."""
    spans = [intervals_of_row(row, (figure,)).get(figure) for row in duel]
    values = [row[f"test_{figure}"] for row in duel]
    if None in values or None in spans:
        return None, None
    return values[0] - values[1], math.hypot(*(span.half for span in spans if span))


def ranks_differ(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """Of two methods one is more accurate and the other has the higher macro-F1, both shown (Holm over all pairs)."""
    trials = []
    for group in by(sides(claim, rows)[0], DATA):
        counts = group[0]["largest_class_n"], group[0]["smallest_class_n"]
        skew = counts[0] / counts[1] if all(counts) else 0
        figures = ("exact_match" if group[0]["several_labels"] else "accuracy", "macro_f1")
        best = [best_on_val(of_method) for of_method in by(group, ("method",))]
        best = [row for row in best if row and None not in [row[f"test_{name}"] for name in figures]]
        if skew >= IMBALANCE and len(best) >= METHODS:
            trials.append(_ranks(best, figures, skew))
    return trials


def _ranks(best: Sequence[Row], figures: Sequence[str], skew: float) -> Trial:
    couples = list(itertools.combinations(sorted(best, key=lambda row: -row[f"test_{figures[0]}"]), 2))
    leads = [[a[f"test_{name}"] - b[f"test_{name}"] for name in figures] for a, b in couples]
    turned = [i for i, (first, second) in enumerate(leads) if first * second < 0]
    asked = turned or range(len(couples))
    found = {i: [compare_rows(couples[i][1], couples[i][0], name, resamples=500) for name in figures] for i in asked}
    p = [max(c.p if c else 1.0 for c in found[i]) if i in found else 1.0 for i in range(len(couples))]
    adjusted = holm(p)
    i = min(turned, key=lambda k: adjusted[k]) if turned else max(asked, key=lambda k: adjusted[k])
    agree = sum((first * second > 0) - (first * second < 0) for first, second in leads) / len(leads)
    a, b = couples[i]
    which = "of these the surest is" if turned else "the least sure is"
    told = {
        "said": f"{len(best)} methods, the commonest class {skew:.1f} times the rarest: {titled(figures[0])} and "
        f"{titled(figures[1])} order {len(turned)} of {len(couples)} pairs differently (Kendall's τ {agree:.2f}); "
        f"{which} {called(a)} − {called(b)}: {points(leads[i][0])} and {points(leads[i][1])}, "
        f"{p_said(float(adjusted[i]))} (Holm over all pairs)",
        "evidence": tuple(e for name in figures for e in both_shown(best, name)),
        **_settling_ranks(couples[i], figures, leads[i], found[i]),
    }
    return trial(a, difference=1.0 if turned else -1.0, p=float(adjusted[i]), **told)


def _settling_ranks(
    couple: tuple[Row, Row], figures: Sequence[str], leads: Sequence[float], found: Sequence[Comparison | None]
) -> dict[str, object]:
    k = max(range(len(figures)), key=lambda j: c.p if (c := found[j]) else 1.0)
    return settling(couple[0], couple[1], figures[k], leads[k], found[k])


JUDGES: dict[str, Judge] = {
    "more_accurate": more_accurate,
    "best_of": best_of,
    "slower": slower,
    "slower_across_devices": partial(slower, names=(), across=True),
    "gap_by_n": gap_by_n,
    "training_error_rises": training_error_rises,
    "training_error_falls": training_error_falls,
    "training_error_falls_with_depth": partial(training_error_rises, sign=-1),
    "reaches": reaches,
    "explained_by_n": explained_by_n,
    "ranks_differ": ranks_differ,
}
