"""Which level of folders is the class: where the top one plainly is not, or may not be, that is said."""

import re
from collections.abc import Collection, Sequence

from ...core.errors import DataError
from ..files.names import first_few, natural_key
from ..splits import PART_FORM

KINDS = {  # of folders that are no classes, and the form of their names
    "plate": r"plate[ _-]?\w{1,4}",
    "well": r"(well[ _-]?\w{1,4}|[A-P](0[1-9]|1\d|2[0-4]))",
    "fold": r"(fold|cv|split)[ _-]?\d+",
    "experiment": r"(exp|experiment|batch|run|replicate|rep|series)[ _-]?\d+",
    "patient": r"(patient|donor|subject|slide|specimen)[ _-]?\w{1,4}",
    "site": r"(site|field|fov)[ _-]?\d+",
    "date": r"\d{4}[_-]?\d\d[_-]?\d\d",
    "images": r"(images?|imgs?|masks?|labels?)",
    "split": PART_FORM,
}
IMAGES = "images"
SHARED = 0.5  # of the sub-folders' names, under every top folder: then they may be the classes


def check_top_level(images: Sequence[str], prefix: str = "") -> None:
    """Raise DataError when the top folders are plainly not classes, or when it is open whether they are.

    images: paths below `prefix`, which is what stands before the class folders in a layout: '{split}/'.
    """
    levels = _levels(images)
    kinds = [_kind(names) for names in levels]
    if not kinds:
        return
    if kinds[0]:
        _refuse_kind(levels, kinds, prefix)
    if found := _images_on_two_levels(images):
        above, below = found
        raise DataError(
            f"every class folder has images of its own and others in {below.rpartition('/')[2]}, as where cells were "
            f"cut out of the images beside them; say --layout '{prefix}{{class}}/{below}/*' for those in there, "
            f"--layout '{prefix}{{class}}/{above}*' for the others, or --layout '{prefix}{{class}}/**' for all"
        )
    if len(levels) > 1 and not kinds[1] and _shared(images):
        raise DataError(
            f"the folders {_some(levels[0])} all hold the same folders, {_some(levels[1])}: either may be the classes; "
            f"say --layout '{prefix}{{class}}/{{group}}/**' if {_some(levels[0], 2)} are, or "
            f"--layout '{prefix}{{group}}/{{class}}/**' if {_some(levels[1], 2)} are"
        )


def suggest_layout(images: Sequence[str]) -> str:
    """Return the layout that takes the first folders that may be classes as the classes; '' if no folders may be."""
    levels = _levels(images)
    return _layout(levels, [_kind(names) for names in levels])


def _refuse_kind(levels: list[set[str]], kinds: list[str], prefix: str) -> None:
    """Raise DataError for top folders that are plates, wells, parts of a split and the like."""
    what = {"split": "parts of a split", IMAGES: "images beside masks or labels"}.get(kinds[0], f"{kinds[0]}s")
    text = f"the top folders, {_some(levels[0])}, look like {what}, not like classes"
    override = f"--layout '{prefix}{{class}}/**' if they are the classes"
    if not (layout := _layout(levels, kinds)):
        raise DataError(f"{text}; give a table of files and labels with --labels, or {override}")
    raise DataError(f"{text}; {_some(levels[kinds.index('')])} may be: say --layout '{prefix}{layout}', or {override}")


def _layout(levels: Sequence[Collection[str]], kinds: Sequence[str]) -> str:
    """Return the layout in which the first level whose kind is '' is the class; '' if every level has a kind."""
    if "" not in kinds:
        return ""
    above = [_place(names, kind) for names, kind in zip(levels, kinds[: kinds.index("")], strict=False)]
    return "/".join([*above, "{class}", "**"])


def _place(names: Collection[str], kind: str) -> str:
    """What stands for a level in a layout."""
    if kind == IMAGES and len(names) == 1:
        return next(iter(names))
    return "*" if kind == IMAGES else f"{{{kind}}}"


def _levels(images: Sequence[str]) -> list[set[str]]:
    """The names of folders on each level that every image lies in."""
    folders = [name.split("/")[:-1] for name in images]
    depth = min(map(len, folders), default=0)
    return [{parts[k] for parts in folders} for k in range(depth)]


def _kind(names: Collection[str]) -> str:
    """What folders of these names are, when all are of one kind; '' when they may be classes."""
    fits = (kind for kind, form in KINDS.items() if all(re.fullmatch(form, name, re.IGNORECASE) for name in names))
    return next(fits, "")


def _images_on_two_levels(images: Sequence[str]) -> tuple[str, str] | None:
    """Return where images lie inside every top folder, with '/' behind it, and a folder in there that has more images.

    A folder with the name of the top folder that it lies in is '*' in both. None unless all top folders are alike.
    """
    inside: dict[str, set[str]] = {}
    for name in images:
        top, *folders, _ = name.split("/")
        inside.setdefault(top, set()).add("".join(f"{'*' if folder == top else folder}/" for folder in folders))
    common = set.intersection(*inside.values()) if len(inside) > 1 else set()
    pairs = [(above, below) for above in common for below in common if below.startswith(above) and below != above]
    return min(((above, below.rstrip("/")) for above, below in pairs), default=None)


def _shared(images: Sequence[str]) -> bool:
    """Whether most sub-folders' names, two at least, are under every top folder, of which there are two at least."""
    below: dict[str, set[str]] = {}
    for name in images:
        top, sub = name.split("/")[:2]
        below.setdefault(top, set()).add(sub)
    common, every = set.intersection(*below.values()), set.union(*below.values())
    return len(below) > 1 and len(common) > 1 and len(common) >= SHARED * len(every)


def _some(names: Collection[str], most: int = 4) -> str:
    return first_few(sorted(names, key=natural_key), most)
