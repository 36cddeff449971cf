"""What to type so that a row says something of its method."""

import json

from ..core.training_budget import budget
from ..results.rows import Row
from ..results.undertrained import AMOUNT
from .captions import get_one

MANY = 10**6  # training images, where their number is not on record


def train_longer(row: Row) -> str:
    """A clause with the command that trains a row enough: by default where that was changed, else for twice the
    epochs, and at least for the default ones."""
    changed = json.loads(row.overrides)
    others = {name: value for name, value in changed.items() if name not in AMOUNT}
    params = json.loads(row.params)
    if others == changed and "epochs" in params:
        default = budget(row.n_train or MANY, None, params.get("batch")).epochs
        others = {**changed, "epochs": 2 * default if params["epochs"] is None else max(default, 2 * params["epochs"])}
    return get_one({**row, "overrides": json.dumps(others)}, row.method, {})
