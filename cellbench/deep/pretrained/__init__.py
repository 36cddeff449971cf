"""Weights that were learnt elsewhere, where their files come from, and frozen nets as encoders.

weights: a net's weights from ImageNet or a file. published, hub: what torchvision and timm publish, and its download.
files: published files with a fixed content. encoders: frozen nets.
"""
