"""The options for reading a folder of images."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from ...core.settings import Settings, setting
from ..files.names import is_image

NO_GROUPS = "none"  # as the group column: split without groups, whatever columns the table has
ONE_HOT = "onehot"
CLASS, PART = "class", "split"  # places of a layout with a meaning of their own
SEPARATORS = (";", ",", "|", " ")


def _separator(given: str) -> str:
    if given not in ("", ONE_HOT, *SEPARATORS):
        raise ValueError("no separator")
    return given


def _pattern(given: str) -> str:
    once = given.count("{id}") == given.count("{channel}") == 1
    if given and not (once and is_image(given)):
        raise ValueError("no pattern")
    return given


def _layout(given: str) -> str:
    if given and CLASS not in layout_places(given):
        raise ValueError("no layout")
    return given


def layout_places(given: str) -> list[str]:
    """Return the names of a layout's places, 'plate' and 'well' of '{plate}/{well}/*.png'.

    Raises ValueError for a place without a proper name, a name that two places have, and a path from the root.
    """
    places = re.findall(r"\{([^{}]*)\}", given)
    plain = re.sub(r"\{[A-Za-z_]\w*\}", "", given)
    if len(set(places)) < len(places) or set("{}") & set(plain) or given.startswith("/"):
        raise ValueError("no layout")
    return places


class FolderOptions(Settings):
    """How to read a folder. Where a column's name is empty, columns of usual names are looked for.

    labels: the table of files and labels; looked for in the folder when it is None.
    group_column: may be several, 'plate,well', which then say together what the group is; 'none' for a split without
    groups though the table has a column for them.
    multilabel: how a table gives several labels an image, which is never guessed: what stands between labels; or
    'onehot' when each label has a column of 0 and 1: those in `label_column`, with commas between them, or all columns
    that have no other meaning.
    pattern: the names of files that hold one channel each, such as '{id}_{channel}.tif'.
    layout: what the folders stand for, such as '{plate}/{well}/{class}/*.png'; '*' is any name, '**' any folders.
    labelled_only: leave out images without a row or a label, rows without an image, and say how many.
    channel_names: of images whose files do not name them, with commas between them: 'DAPI,GFP'.
    side_by_side: take each image apart into squares, its channels, as DeepProfiler writes single cells.
    masks: cut cells out by the masks beside the images, which are left out otherwise.
    size: side in pixels to which all images are brought. None keeps them as they are, or means 64 when sizes are mixed.
    """

    labels: Path | None = None
    file_column: str = ""
    label_column: str = ""
    group_column: str = ""
    multilabel: Annotated[
        str,
        AfterValidator(_separator),
        setting(
            "how a table gives several labels an image",
            may_be=f"what stands between labels, {' '.join(map(repr, SEPARATORS))}, or {ONE_HOT}",
        ),
    ] = ""
    pattern: Annotated[
        str,
        AfterValidator(_pattern),
        setting(
            "files that hold one channel each",
            may_be="{id}, {channel} and an image's suffix: '{id}_{channel}.tif'",
        ),
    ] = ""
    layout: Annotated[
        str,
        AfterValidator(_layout),
        setting(
            "what the folders stand for",
            may_be="folders with {class} once, others by names of their own: '{plate}/{well}/{class}/*.png'",
        ),
    ] = ""
    size: Annotated[int | None, setting("side of images", ge=8, le=1024, may_be="8 to 1024 pixels", unset="")] = None
    skip_unreadable: bool = False
    labelled_only: bool = False
    masks: bool = False
    side_by_side: bool = False
    channel_names: Annotated[
        str, setting("names of the channels", may_be="as many names as there are channels: 'DAPI,GFP'")
    ] = ""
    split_seed: int = 0
