"""Whether methods had as much training, and as many images, as in the source of a claim, and what would do that."""

import json
import math
from collections.abc import Sequence

from ...core.suites import Protocol
from ...core.training_budget import steps
from ...results.rows.row import Row
from .evidence import brief_name

MOST_NAMED = 3


def is_shortened(row: Row, protocol: Protocol) -> bool:
    """Return whether a row had fewer epochs, steps or training images than the source of a claim.

    The images are fewer where the row has a limit and the source had all of its data set.
    """
    if protocol.images and row.limit is not None:
        return True
    trained = _trained_for(row)
    if trained is None:
        return False
    epochs, done = trained
    return epochs < protocol.epochs_of(row.method) or done < (protocol.steps or 0)


def shortened_text(rows: Sequence[Row], protocol: Protocol) -> str:
    """Return the rows that are shortened, each with what it had, and what the source had; '' if there are none."""
    short = [row for row in rows if is_shortened(row, protocol)]
    named = list(dict.fromkeys(f"{brief_name(row)}: {_had(row)}" for row in short))
    if not named:
        return ""
    rest = f"; and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return f"{'; '.join(named[:MOST_NAMED])}{rest}; the source has {_asked(short, protocol)}"


def _had(row: Row) -> str:
    """Return in words what a row was trained with: '9 epochs, 1,215 steps', and its images where they are limited."""
    trained = _trained_for(row)
    words = [f"{trained[0]:,} epochs, {trained[1]:,} steps"] if trained else []
    words += [] if row.limit is None else [f"{row.limit:,} images"]
    return " on ".join(words)


def _asked(rows: Sequence[Row], protocol: Protocol) -> str:
    """Return in words what the source had for the methods of these rows."""
    epochs = sorted({found for row in rows if (found := protocol.epochs_of(row.method))})
    words = [f"{' or '.join(f'{n:,}' for n in epochs)} epochs"] if epochs else []
    if protocol.steps:
        words = [f"{protocol.steps:,} steps"]
    if protocol.images and any(row.limit is not None for row in rows):
        words.append(f"{protocol.images:,} images")
    return " on ".join(words)


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
