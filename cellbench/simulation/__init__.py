"""Simulation: cells that never lived. It knows nothing but numbers, and no data set."""
