import numpy as np

from cellbench.datasets.display import montage
from cellbench.datasets.toy import rings


def test_the_montage_shows_the_same_cells_each_time_each_of_its_class_and_part():
    data = rings(n=90)
    for k in range(3):
        shown = montage.example_images(data, k)
        assert {part: len(index) for part, index in shown.items()} == {"train": 6, "val": 3, "test": 3}
        for part, index in shown.items():
            assert (data.labels[index] == k).all()
            assert np.isin(index, data.split[part]).all()
    picture = montage.montage(data)
    assert picture.tobytes() == montage.montage(data).tobytes()
    starts, right = montage._columns(0)
    assert (starts, right) == ({"train": 0, "val": 612, "test": 924}, 1220)
