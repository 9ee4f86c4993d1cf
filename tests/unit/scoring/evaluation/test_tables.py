import numpy as np

from streamer.scoring.evaluation.tables import Group, by_decile, by_frequency


def test_seven_and_more_stand_together_and_absent_numbers_are_left_out() -> None:
    x = np.array([0.0, 0.0, 2.0, 7.0, 12.0])
    predicted, actual = np.array([1.0, 2.0, 3.0, 4.0, 6.0]), np.array([0.0, 1.0, 3.0, 0.0, 9.0])
    assert by_frequency(x, predicted, actual) == [
        Group("0", 2, 1.5, 0.5),
        Group("2", 1, 3.0, 3.0),
        Group("7+", 2, 5.0, 4.5),
    ]


def test_deciles_begin_with_the_highest_and_hold_everybody_once() -> None:
    predicted = np.arange(23, dtype=np.float64)
    groups = by_decile(predicted, 2 * predicted)
    assert [group.group for group in groups] == [str(number) for number in range(1, 11)]
    assert [group.customers for group in groups] == [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]
    assert groups[0] == Group("1", 3, 21.0, 42.0)
    assert groups[-1] == Group("10", 2, 0.5, 1.0)


def test_fewer_customers_than_deciles_get_a_line_each() -> None:
    groups = by_decile(np.array([1.0, 3.0, 2.0]), np.array([0.0, 1.0, 0.0]))
    assert [(group.predicted_mean, group.actual_mean) for group in groups] == [
        (3.0, 1.0),
        (2.0, 0.0),
        (1.0, 0.0),
    ]
