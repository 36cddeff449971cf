"""One's own images: a folder of single-cell crops becomes a Dataset.

listing: the options, and what a folder says before any pixel is read. layouts: which files make an image, and where
its label is: in class_folders, or in a label_table. split: the one that the folder gives, or a drawn one. dataset: all
of that, decoded into the cache.
"""

from .dataset import prepare
from .listing import FolderOptions

__all__ = ["FolderOptions", "prepare"]
