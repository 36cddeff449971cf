"""Pictures of a data set's cells: montage, some of each class on one sheet; thumbnails, single ones for a report."""
