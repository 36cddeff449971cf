"""Files: what stands between a data set and the disk. Nothing here knows what an image shows.

images: finds image files in folders and archives, and decodes one. archives: tar and zip, member by member, safely.
npy: decodes any number of images into one array on disk; parallel: the threads and processes that do it.
tables: small tables of text. download: fetches published files. cache: prepared data sets; locking: one process at
a time in a folder.
"""
