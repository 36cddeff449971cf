"""Figures from results: for each kind a function that gathers plain data, and one that draws them."""
