"""How sure a figure is, and whether two differ: intervals and paired tests as pure functions of arrays.

intervals: of one figure, over images, groups or seeds; bootstrap and jackknife: how they are drawn; draws: over draws
of one split; joint: over images and seeds together. comparisons: of two methods on the same images; swaps: the test
behind them. rare: classes of too few images.
"""
