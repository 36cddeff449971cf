"""One's own images: a folder of single-cell crops becomes a Dataset.

options: how to read it. listing: what it says before any pixel is read. contents reads that: channels (which files make
an image; ome_files: as OME-TIFFs say themselves; masks: which files are none), and labels from tables/, from
class_folders (levels: which folders are the classes) or as a layout says. split: the one that the folder gives, or a
drawn one. decoding: the pixels (cutting: of one cell alone). dataset: all of that, put into the cache.
"""

from .dataset import prepare
from .options import FolderOptions

__all__ = ["FolderOptions", "prepare"]
