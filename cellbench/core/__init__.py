"""The ground floor: what all other folders of the package use. It imports none of them.

data: images and labels. settings, registry, errors, extras: how things are configured, found, refused and missed.
suites: studies as data. families, conformance: what kinds of methods there are, and what each must do. split_names:
what the name of a split says. training_budget, undertraining: how long nets train, and whether that was enough.
tensors: torch's. records/: a run and its files. scoring/: from scores to labels and figures. text/: words for people.
machine/: the processor, the processes, the disk.
"""
