"""Pictures made of characters."""

from hypothesis import given
from hypothesis import strategies as st

from demottle.cli.screen.spark import EIGHTHS, bar, sparkline


@given(st.lists(st.floats(min_value=-1, max_value=1e6, allow_nan=False), max_size=200))
def test_a_sparkline_is_as_wide_as_asked(values: list[float]) -> None:
    line = sparkline(values, width=30)
    assert len(line) == (30 if values else 0)
    assert set(line) <= set(EIGHTHS)


def test_the_highest_mark_is_where_the_largest_value_is() -> None:
    assert sparkline([0, 1, 4, 2], width=4) == "▁▃█▅"
    assert sparkline([0, 1, 4, 2], width=8) == "▁▁▃▃██▅▅"
    assert sparkline([0, 2, 4, 4], width=2) == "▃█"
    assert sparkline([0, 0], width=2) == "▁▁"


@given(st.floats(allow_nan=False))
def test_a_bar_keeps_its_width(share: float) -> None:
    assert len(bar(share, 12)) == 12


def test_a_bar_is_as_full_as_its_share() -> None:
    assert bar(0.25, 12).count("━") == 3
