"""The command that trains a method for long enough to judge it by."""

import json

from ..core.training_budget import MANY_IMAGES, budget
from ..results.rows.row import Row
from ..results.rows.undertrained import AMOUNT
from .captions import get_one


def train_longer(row: Row) -> str:
    """Return a clause with the command that trains the row's method for longer.

    Where settings of the amount of training (epochs, batch, rate) were changed, the command leaves them at their
    defaults. Otherwise, for a method with epochs, it asks for twice as many, and for no fewer than the
    default.
    """
    changed = json.loads(row.overrides)
    others = {name: value for name, value in changed.items() if name not in AMOUNT}
    params = json.loads(row.params)
    if others == changed and "epochs" in params:
        default = budget(row.n_train or MANY_IMAGES, None, params.get("batch")).epochs
        others = {**changed, "epochs": 2 * default if params["epochs"] is None else max(default, 2 * params["epochs"])}
    return get_one({**row, "overrides": json.dumps(others)}, row.method, {})
