"""What every other room rests on; imports nothing else of ours.

data: images and labels. settings, registry, errors: how things are configured, found and refused. suites: studies as
data. records/: a run and its files. scoring/: from scores to labels and figures. text/: words for people. machine/: the
processor, the processes, the disk.
"""
