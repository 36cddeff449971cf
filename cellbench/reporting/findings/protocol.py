"""Whether nets were trained as long as the source of a claim trained its own, and what would do that."""

import json
import math
from collections.abc import Sequence

from ...core import suites
from ...core.training_budget import steps
from ...results.rows import Row
from .claim import Claim
from .evidence import briefly, sides

MOST_NAMED = 3


def is_shortened(claim: Claim, row: Row) -> bool:
    """Return whether a row is of a net that had fewer steps or epochs than the claim's source gave its nets."""
    protocol, had = suites.load(claim.suite).protocol, _had(row)
    if protocol is None or had is None:
        return False
    return had[0] < (protocol.epochs or 0) or had[1] < (protocol.steps or 0)


def shortened(claim: Claim, rows: Sequence[Row]) -> str:
    """Return which of the claim's rows are shortened, with their epochs and steps, '' if none is."""
    named = {}
    for row in (row for side in sides(claim, rows) for row in side if is_shortened(claim, row)):
        epochs, done = _had(row) or (0, 0)
        named[f"{briefly(row)}: {epochs:,} epochs, {done:,} steps"] = True
    if not named:
        return ""
    protocol = suites.load(claim.suite).protocol
    asked = f"{protocol.steps:,} steps" if protocol and protocol.steps else f"{protocol and protocol.epochs} epochs"
    beyond = f"; and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return f"{'; '.join(list(named)[:MOST_NAMED])}{beyond}; the source has {asked}"


def in_full(claim: Claim, command: str, rows: Sequence[Row]) -> str:
    """Return a command of the claim with as many epochs as the source's steps take on the images of `rows`."""
    protocol = suites.load(claim.suite).protocol
    had = [found for side in sides(claim, rows) for row in side if row.limit is None and (found := _had(row))]
    if protocol is None or not protocol.steps or not had:
        return command
    return f"{command} --set epochs={max(math.ceil(protocol.steps * epochs / done) for epochs, done in had)}"


def _had(row: Row) -> tuple[int, int] | None:
    """Return the epochs and steps that a row's net was trained for; None for what is no net, or if they are unknown."""
    params = json.loads(row.params)
    if not row.n_train or not isinstance(params.get("epochs"), int) or not params["epochs"]:
        return None
    return params["epochs"], steps(row.n_train, params)
