"""One's own images: a folder of single-cell crops becomes a Dataset.

options: how to read it. listing: what it says before any pixel is read. contents reads that: channels (which files make
an image; ome_files: as OME-TIFFs say themselves; table_channels: as a table says; masks: which files are none), and
labels from a label_table (table_finding: which file that is; columns: what its columns mean; plate_tables: of places on
plates; row_matching: which row is about which file), from class_folders (levels: which folders are the classes) or as
a layout says. split: the one that the folder gives, or a drawn one. decoding: the pixels (cutting: of one cell alone).
dataset: all of that, put into the cache.
"""

from .dataset import prepare
from .options import FolderOptions

__all__ = ["FolderOptions", "prepare"]
