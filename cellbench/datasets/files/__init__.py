"""Files: what stands between a data set and the disk. Nothing here knows what an image shows.

find and names: image files in folders and archives; archives and members: tar and zip, safely. decoding: an image
file's pixels, by pixels (PNG, JPEG, BMP) or tiff. npy: any number of images decoded into one array on disk; parallel:
the threads and processes that do it. tables: small tables of text. download: fetches published files. cache: prepared
data sets; locking: one process at a time in a folder.
"""
