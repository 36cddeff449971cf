"""What the description of an OME-TIFF says: the names of channels, and which files an image is spread over."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ome:
    """channels: their names, none unless each has a different one. files: the names of the files that hold the image,
    when it is spread over several. here: the numbers of the channels that this file holds, of such an image.
    """

    channels: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    here: tuple[int, ...] = ()


def read_ome(description: str | None) -> Ome:
    """Return what an OME-TIFF's description says; nothing when there is none, or none that can be read."""
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(description or "<none/>")
    except ElementTree.ParseError:
        return Ome()
    names = [node.get("Name", "") for node in root.iterfind(".//{*}Channel")]
    channels = tuple(names) if all(names) and len(set(names)) == len(names) else ()
    files: dict[str, None] = {}
    here: dict[int, None] = {}
    for plane in root.iterfind(".//{*}TiffData"):
        uuid = plane.find("{*}UUID")
        if uuid is None:
            continue
        files[uuid.get("FileName", uuid.text or "")] = None
        if (uuid.text or "").strip() == root.get("UUID", ""):
            here[int(plane.get("FirstC", "0"))] = None
    return Ome(channels, tuple(files), tuple(here)) if len(files) > 1 else Ome(channels)
