"""Simulated yeast cells in two stains, twelve patterns of a protein.

patterns: what each looks like. plan: which cell lies in which well. wells: what the cells of a well share. crops: all
of that drawn, as arrays. Drawing needs torch: renderer calls, in this order, cells, maps, stains, dots, microscope.
"""
