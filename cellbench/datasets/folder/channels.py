"""Images whose channels are in separate files: which files make up an image."""

import re
from pathlib import Path

from ...core.errors import DataError
from ..files.names import first_few, is_image, natural_key

Planes = dict[str, tuple[Path, ...]]  # images by name, each with its files


def join_channels(files: dict[str, Path], pattern: str) -> tuple[Planes, tuple[str, ...]]:
    """Return the files of each image, in the order of the channels' names, and those names.

    Without a pattern every image file is an image and the channels have no names. Where a file's name fits the pattern
    in two ways, the channel's name is the shorter one. Raises DataError for a file that does not fit the pattern and
    for an image that has a channel twice, or lacks one.
    """
    names = [name for name in files if is_image(name)]
    if not pattern:
        return {name: (files[name],) for name in names}, ()
    found = _by_image(names, pattern)
    channels = tuple(sorted({channel for planes in found.values() for channel in planes}, key=natural_key))
    for image, planes in found.items():
        if missing := [channel for channel in channels if channel not in planes]:
            raise DataError(
                f"image {image} has no channel {missing[0]!r}; there are {first_few(channels, 10)}: "
                "add the file, or mend the pattern"
            )
    return {
        image: tuple(files[found[image][channel]] for channel in channels) for image in sorted(found, key=natural_key)
    }, channels


def unnamed_channels(n: int) -> tuple[str, ...]:
    """Return names for n channels that have none in the files."""
    usual = {1: ("grey",), 3: ("red", "green", "blue")}
    return usual[n] if n in usual else tuple(f"channel {k + 1}" for k in range(n))


def fits_pattern(name: str, pattern: str) -> bool:
    """Whether a file's name, with or without folders before it, fits a pattern such as '{id}_{channel}.tif'."""
    return _expression(pattern).fullmatch(name) is not None


def _expression(pattern: str) -> re.Pattern[str]:
    words = re.escape(pattern).replace(r"\{id\}", "(?P<id>[^/]+)").replace(r"\{channel\}", "(?P<channel>[^/]+?)")
    return re.compile(f"(?P<folder>(.*/)?){words}", re.IGNORECASE)


def _by_image(names: list[str], pattern: str) -> dict[str, dict[str, str]]:
    """Return, by image and then by channel, the name of the file that holds the channel."""
    expression = _expression(pattern)
    fits = {name: expression.fullmatch(name) for name in names}
    if odd := [name for name, fit in fits.items() if not fit]:
        raise DataError(
            f"{len(odd)} of {len(names)} images are not called {pattern!r}, the first is {odd[0]}; "
            "mend the pattern or move them elsewhere"
        )
    found: dict[str, dict[str, str]] = {}
    suffix = Path(pattern).suffix
    for name, fit in fits.items():
        assert fit is not None
        planes = found.setdefault(f"{fit['folder']}{fit['id']}{suffix}", {})
        if fit["channel"] in planes:
            raise DataError(
                f"{planes[fit['channel']]} and {name} are the same channel of one image; remove one of them"
            )
        planes[fit["channel"]] = name
    return found
