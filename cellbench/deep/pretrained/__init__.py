"""Weights that were learnt elsewhere, where their files come from, and frozen nets as encoders."""
