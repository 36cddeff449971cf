"""Stress tests of trained models: how they do on images that another microscope might have taken.

perturbations.py  what may be done to images, as data
testing.py        a model on perturbed test images, and the record of it
"""
