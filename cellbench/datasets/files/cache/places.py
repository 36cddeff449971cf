"""Where things are in the cache folder."""

import json
from pathlib import Path

from ....core.machine.environment import cache_folder
from ....core.mixed_values import Facts

FORMAT = 1  # changes whenever prepared data sets are written in another way
IMAGES = "images.npy"
DOWNLOADS = "downloads"


def location(key: str) -> Path:
    """Return the folder of the prepared data set `key`, whether or not it exists."""
    return cache_folder() / f"v{FORMAT}" / key


def is_ready(key: str) -> bool:
    """Whether the data set `key` is prepared."""
    return (location(key) / "meta.json").is_file()


def meta(key: str) -> Facts:
    """The description that is stored with the prepared data set `key`; {} when it isn't prepared."""
    try:
        return json.loads((location(key) / "meta.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
