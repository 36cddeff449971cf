"""Rows: runs that differ in nothing but the random seed, pooled; their order, and which are asked for.

row: one row with its facts, figures and intervals. pooling: from runs to rows; places: draws of one split stand
together. ranking: the order of rows. conditions, selection: the rows that conditions choose. settings: their settings
as text; backends: the libraries of SVMs; undertrained: rows that were not trained enough; val_policy: the rows of a
learning curve.
"""
