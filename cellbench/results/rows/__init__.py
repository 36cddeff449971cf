"""Rows: runs that differ in nothing but the random seed, pooled; their order, and which are asked for."""
