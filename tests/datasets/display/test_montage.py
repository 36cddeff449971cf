import numpy as np

from cellbench.datasets.display import montage
from cellbench.datasets.toy import rings


def test_channels_are_coloured_by_name_or_else_by_place():
    red, green, blue, yellow = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)
    assert montage.colours(["cell"]) == [(1, 1, 1)]
    assert montage.colours(["cell", "protein"]) == [red, green]
    assert montage.colours(["nucleus", "ER", "protein", "microtubules"]) == [blue, yellow, green, red]
    assert montage.colours(["red", "green", "blue", "yellow"]) == [red, green, blue, yellow]
    assert montage.colours(["a", "b", "c"]) == [red, green, blue]


def test_each_channel_is_stretched_to_its_colour():
    pixels = np.zeros((2, 10, 10), np.uint16)
    pixels[0, 0], pixels[1, 9] = 4000, 90
    pixels[1] += 10
    rgb = montage.coloured(pixels, [(1, 0, 0), (0, 1, 0)])
    assert (rgb[0] == [255, 0, 0]).all()
    assert (rgb[9] == [0, 255, 0]).all()
    assert (rgb[5] == 0).all()
    dim = montage.coloured(pixels, [(1, 0, 0), (0, 1, 0)], np.array([4000, 6000]))
    assert (dim[9] == [0, 23, 0]).all()  # 90 of the 1000 that are a sixth of the usual range


def test_of_four_channels_green_stands_out_and_the_others_mix_as_light_does():
    pixels = np.zeros((4, 10, 10), np.uint8)
    red, green, blue, yellow = pixels
    red[:2], yellow[1:3], green[4], blue[6] = 200, 200, 200, 200
    rgb = montage.coloured(pixels, montage.colours(["microtubules", "protein", "nucleus", "ER"]))
    assert rgb[0, 0].tolist() == [153, 0, 0]  # 0.6 of 255
    assert rgb[2, 0].tolist() == [89, 89, 0]  # 0.35 of 255
    assert rgb[1, 0].tolist() == [189, 89, 0]  # red: 1 - 0.4 · 0.65 = 0.74 of 255
    assert (rgb[4, 0].tolist(), rgb[6, 0].tolist()) == ([0, 255, 0], [0, 0, 204])


def test_the_montage_shows_the_same_cells_each_time_each_of_its_class_and_part():
    data = rings(n=90)
    for k in range(3):
        shown = montage.chosen(data, k)
        assert {part: len(index) for part, index in shown.items()} == {"train": 6, "val": 3, "test": 3}
        for part, index in shown.items():
            assert (data.labels[index] == k).all()
            assert np.isin(index, data.split[part]).all()
    picture = montage.montage(data)
    assert picture.tobytes() == montage.montage(data).tobytes()
    starts, right = montage._columns(0)
    assert (starts, right) == ({"train": 0, "val": 612, "test": 924}, 1220)
