"""What a data set, its split and its parts print."""

import numpy as np

from cellbench.core.data import Dataset, Split


def test_a_data_set_prints_as_what_it_holds_and_not_as_its_pixels():
    split = Split("official", train=np.arange(1_000), val=np.array([1_000]), test=np.array([1_001]))
    images, labels = np.zeros((1_002, 2, 8, 9), np.uint16), np.arange(1_002) % 3
    data = Dataset("cells", images, labels, ("a", "b", "c"), ("DAPI", "GFP"), split)
    assert str(data) == (
        "cells: 1,002 images of 8 × 9 pixels, channels DAPI, GFP, uint16\n"
        "split official: 1,000 train, 1 val, 1 test; 3 classes"
    )
    assert repr(data.part("train")) == "1,000 images of 8 × 9 pixels, uint16; 3 classes"
