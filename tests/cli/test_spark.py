"""Pictures made of characters."""

from hypothesis import given
from hypothesis import strategies as st

from demottle.cli.spark import EIGHTHS, bar, sparkline


@given(st.lists(st.floats(min_value=-1, max_value=1e6, allow_nan=False), max_size=200))
def test_a_sparkline_is_never_wider_than_asked(values: list[float]) -> None:
    line = sparkline(values, width=30)
    assert len(line) == min(len(values), 30)
    assert set(line) <= set(EIGHTHS)


def test_the_highest_mark_is_where_the_largest_value_is() -> None:
    assert sparkline([0, 1, 4, 2]) == "▁▃█▅"
    assert sparkline([0, 0]) == "▁▁"


@given(st.floats(allow_nan=False))
def test_a_bar_keeps_its_width(share: float) -> None:
    assert len(bar(share, 12)) == 12


def test_a_bar_is_as_full_as_its_share() -> None:
    assert bar(0.25, 12).count("━") == 3
