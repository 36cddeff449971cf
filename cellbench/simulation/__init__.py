"""Simulation: cells that never lived. It knows nothing but numbers: no data set, no method.

yeast: cells in two stains; human: cells in four. Both plan which crop belongs to which well or slide, draw what such
crops have in common, and then each chunk of crops, with a random generator of its own. planning: whole numbers and
generators that both use; drawing: the canvas, random tensors and threads.
"""
