from cellbench.simulation.planning import apportion


def test_apportion_gives_the_remainder_to_the_largest_fractions() -> None:
    assert apportion(10, (1, 1, 1)).tolist() == [4, 3, 3]
    assert apportion(7, (50, 30, 20)).tolist() == [4, 2, 1]  # 3.5, 2.1, 1.4
