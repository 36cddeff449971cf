"""The judge of whether a lead of one split over another comes from its larger number of training images."""

import itertools
import math
from collections.abc import Sequence

from ....core.suites import titled
from ....results.rows.row import HARDWARE, SETTINGS_OF_ALL_SIZES, Row, grouped_by
from ....results.rows.val_policy import val_policies
from ..claim import Claim
from ..evidence import figure_of, places, sides
from ..trial import (
    Trial,
    both_shown,
    points,
    trial,
)


def explained_by_n(claim: Claim, rows: Sequence[Row]) -> list[Trial]:
    """Return trials of whether a's lead over b is smaller at equal numbers of training images.

    a and b are rows of two splits, each with separate test images. Contradicted where there is no lead as large as
    `target`, or where a leads with no more images. Otherwise supported where the lead falls by more than the
    half-widths of both leads' intervals, added in quadrature, or else contradicted where clearly more than half of it
    stays.
    """
    names = ("dataset", "fingerprint", *SETTINGS_OF_ALL_SIZES, *HARDWARE)
    trials = []
    for of_a, of_b in places(*sides(claim, rows), names):
        for splits in itertools.product(grouped_by(of_a, ("split",)), grouped_by(of_b, ("split",))):
            duels = _duels(*splits)
            if None in duels and (found := _explained(claim, duels.pop(None), duels)):
                trials.append(found)
    return trials


def _duels(of_a: Sequence[Row], of_b: Sequence[Row]) -> dict[int | None, tuple[Row, ...]]:
    """Return pairs of a row of a and a row of b by their limit of training images, None for all images.

    val is limited in the same way in all pairs; of the ways that there are, the one with the most limits is taken.
    """
    found: list[dict[int | None, tuple[Row, ...]]] = []
    for policy_a, policy_b in itertools.product(val_policies(of_a), val_policies(of_b)):
        a, b = ({row.limit: row for row in policy} for policy in (policy_a, policy_b))
        same = [n for n in a.keys() & b.keys() if bool(a[n].val_limit) == bool(b[n].val_limit)]
        found.append({n: (a[n], b[n]) for n in same})
    return max(found, key=len)


def _explained(claim: Claim, own: tuple[Row, ...], duels: dict[int | None, tuple[Row, ...]]) -> Trial | None:
    figure, equal = figure_of(claim, own[0]), duels[max(n for n in duels if n)] if duels else None
    lead, half = _apart(own, figure)
    if lead is None or half is None:
        return None
    more = (own[0].n_train or 0) > (own[1].n_train or 0)
    text = f"lead of {own[0]['split']} over {own[1]['split']}, each on its own test images: {points(lead)} ± "
    text += f"{100 * half:.1f} in {titled(figure)} with {own[0]['n_train']:,} against {own[1]['n_train']:,} images"
    difference, sure, shows = 0.0, False, [*own]
    needs = f"the same with equal numbers of training images: {claim.commands[-1]}"
    if lead + half < claim.target:
        difference, sure = -1.0, True
        text += f": no lead of {points(claim.target)} to explain"
    elif lead - half > 0 and not more:
        difference, sure = -1.0, True
        text += ": it leads with no more images"
    elif equal and lead - half > 0:
        left, half_left = _apart(equal, figure)
        if left is not None and half_left is not None:
            text += f"; at {equal[0]['n_train']:,} each: {points(left)} ± {100 * half_left:.1f}"
            shows += equal
            falls = lead - left > math.hypot(half, half_left)
            stays = left - half_left > lead / 2
            difference, sure = (1.0 if falls else -1.0 if stays else 0.0), falls or stays
            needs = "more seeds or a larger test set would narrow both intervals"
    elif lead - half <= 0:
        needs = "more seeds or a larger test set would tell whether there is a lead at all"
    return trial(
        own[0],
        shows,
        difference=difference,
        p=None,
        sure=sure,
        said=text,
        needs=needs,
        evidence=both_shown(shows, figure),
    )


def _apart(duel: Sequence[Row], figure: str) -> tuple[float | None, float | None]:
    """Return the difference of two rows' figures on different test images, and half of its 95 % interval.

    Both are None where either row has no figure or no interval.
    """
    spans = [row.interval(figure) for row in duel]
    if None in spans or None in [row.metric(figure) for row in duel]:
        return None, None
    return duel[0].value(figure) - duel[1].value(figure), math.hypot(*(span.half_width for span in spans if span))
