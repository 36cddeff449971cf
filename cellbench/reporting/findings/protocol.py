"""Whether nets were trained as long as the source of a claim trained its own, and what would do that."""

import json
import math
from collections.abc import Sequence

from ...core.suites import Protocol
from ...core.training_budget import steps
from ...results.rows import Row
from .evidence import briefly

MOST_NAMED = 3


def is_shortened(row: Row, protocol: Protocol) -> bool:
    """Return whether a row is of a net that was trained for fewer epochs or steps than the source trained its nets."""
    trained = _trained_for(row)
    if trained is None:
        return False
    epochs, done = trained
    return epochs < (protocol.epochs or 0) or done < (protocol.steps or 0)


def shortened(rows: Sequence[Row], protocol: Protocol) -> str:
    """Return the names of the rows that are shortened, each with its epochs and steps; '' if none is."""
    trained = [(briefly(row), *(_trained_for(row) or (0, 0))) for row in rows if is_shortened(row, protocol)]
    named = [f"{name}: {epochs:,} epochs, {done:,} steps" for name, epochs, done in dict.fromkeys(trained)]
    if not named:
        return ""
    asked = f"{protocol.steps:,} steps" if protocol.steps else f"{protocol.epochs} epochs"
    rest = f"; and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return f"{'; '.join(named[:MOST_NAMED])}{rest}; the source has {asked}"


def in_full(command: str, rows: Sequence[Row], protocol: Protocol) -> str:
    """Return the command with as many epochs as the source's steps take on all training images of `rows`."""
    trained = [found for row in rows if row.limit is None and (found := _trained_for(row))]
    if not protocol.steps or not trained:
        return command
    return f"{command} --set epochs={max(math.ceil(protocol.steps * epochs / done) for epochs, done in trained)}"


def _trained_for(row: Row) -> tuple[int, int] | None:
    """Return the epochs and steps that a row's net was trained for; None if it is no net, or if they are unknown."""
    params = json.loads(row.params)
    if not row.n_train or not isinstance(params.get("epochs"), int) or not params["epochs"]:
        return None
    return params["epochs"], steps(row.n_train, params)
