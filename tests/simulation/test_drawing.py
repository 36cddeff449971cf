"""What the simulators share."""

import torch

from cellbench.simulation.drawing import share_light, within


def test_a_point_s_light_is_shared_by_distance_between_the_four_pixels_around_it():
    canvas = torch.zeros(2, 4, 4, dtype=torch.float64)
    x, y = torch.tensor([0.75, 9.0, -1.5]), torch.tensor([-0.5, 0.0, 0.0])  # from the centre, at 1.5 of both axes
    seen = within(canvas, x, y)
    assert seen.tolist() == [0]  # the others are outside, or on the edge
    share_light(canvas, torch.tensor([1]), x[seen].double(), y[seen].double(), torch.tensor([8.0]).double())
    expected = torch.zeros(2, 4, 4, dtype=torch.float64)
    expected[1, 1, 2:4] = torch.tensor([6.0, 2.0])
    assert torch.equal(canvas, expected)
