"""Files: what stands between a data set and the disk. Nothing here knows what an image shows.

find and names: image files in folders and archives; archives and members: tar and zip, safely. images/: what is in an
image file. parallel: the threads and processes that read many. tables: small tables of text. download: fetches
published files. cache/: prepared data sets; locking: one process at a time in a folder.
"""
