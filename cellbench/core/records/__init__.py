"""A run and its files: runs (what to do, what came of it), schema (what a file may hold), store (the folder of all)."""
