"""Published data sets, and the simulated ones: a file for each, which registers what it knows under its name.

hep2, deepyeast, hpa, medmnist: real images that somebody published. synthetic_yeast, synthetic_hpa: simulated ones in
the layout of deepyeast and hpa, drawn by cellbench.simulation. A new file in this folder is found by itself.
"""
