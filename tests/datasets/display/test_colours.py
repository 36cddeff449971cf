import numpy as np

from cellbench.datasets.display.colours import channel_colours, to_rgb


def test_channels_are_coloured_by_name_or_else_by_place():
    red, green, blue, yellow = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)
    assert channel_colours(["cell"]) == [(1, 1, 1)]
    assert channel_colours(["cell", "protein"]) == [red, green]
    assert channel_colours(["nucleus", "ER", "protein", "microtubules"]) == [blue, yellow, green, red]
    assert channel_colours(["red", "green", "blue", "yellow"]) == [red, green, blue, yellow]
    assert channel_colours(["a", "b", "c"]) == [red, green, blue]


def test_each_channel_is_stretched_to_its_colour():
    pixels = np.zeros((2, 10, 10), np.uint16)
    pixels[0, 0], pixels[1, 9] = 4000, 90
    pixels[1] += 10
    rgb = to_rgb(pixels, [(1, 0, 0), (0, 1, 0)])
    assert (rgb[0] == [255, 0, 0]).all()
    assert (rgb[9] == [0, 255, 0]).all()
    assert (rgb[5] == 0).all()
    dim = to_rgb(pixels, [(1, 0, 0), (0, 1, 0)], np.array([4000, 6000]))
    assert (dim[9] == [0, 23, 0]).all()  # 90 of the 1000 that are a sixth of the usual range


def test_of_four_channels_green_stands_out_and_the_others_mix_as_light_does():
    pixels = np.zeros((4, 10, 10), np.uint8)
    red, green, blue, yellow = pixels
    red[:2], yellow[1:3], green[4], blue[6] = 200, 200, 200, 200
    rgb = to_rgb(pixels, channel_colours(["microtubules", "protein", "nucleus", "ER"]))
    assert rgb[0, 0].tolist() == [153, 0, 0]  # 0.6 of 255
    assert rgb[2, 0].tolist() == [89, 89, 0]  # 0.35 of 255
    assert rgb[1, 0].tolist() == [189, 89, 0]  # red: 1 - 0.4 · 0.65 = 0.74 of 255
    assert (rgb[4, 0].tolist(), rgb[6, 0].tolist()) == ([0, 255, 0], [0, 0, 204])
