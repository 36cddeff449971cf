"""Pictures of a data set's cells, to look at.

colours: channels as light of a colour. montage: some cells of each class on one sheet. thumbnails: single cells, as a
report shows them.
"""
