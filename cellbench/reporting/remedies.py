"""What to type so that a row says something of its method."""

import json

from .captions import get_one
from .table import Row
from .undertrained import AMOUNT


def train_longer(row: Row) -> str:
    """A clause with the command that trains a row enough: by default where that was changed, else for twice the
    epochs."""
    changed = json.loads(row["overrides"])
    others = {name: value for name, value in changed.items() if name not in AMOUNT}
    epochs = json.loads(row["params"]).get("epochs")
    if others == changed and epochs:
        others = {**changed, "epochs": 2 * epochs}
    return get_one({**row, "overrides": json.dumps(others)}, row["method"], {})
