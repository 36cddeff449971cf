"""Augmentation of whole batches: geometric, of intensity, and images mixed with each other."""
