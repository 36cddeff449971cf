"""One's own images: a folder of single-cell crops becomes a Dataset.

listing: the options, and what a folder says before any pixel is read. contents reads that: channels (which files make
an image), then labels from a label_table or from class_folders. split: the one that the folder gives, or a drawn one.
decoding: the pixels. dataset: all of that, put into the cache.
"""

from .dataset import prepare
from .listing import FolderOptions

__all__ = ["FolderOptions", "prepare"]
