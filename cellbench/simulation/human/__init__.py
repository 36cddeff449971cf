"""Simulated human cells in four stains, a protein in one or more of 28 places, as in the Human Protein Atlas.

structures: the places. atlas: how often they go together. plan: which crop lies on which slide. slides: what the crops
of a slide share. crops: all of that drawn, as arrays. Drawing needs torch: renderer calls, in this order, cells, maps,
points and tracers (lines and dots), stains, microscope.
"""
