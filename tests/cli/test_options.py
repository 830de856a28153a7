"""From the text of an option to its value."""

import pytest
import typer

from demottle.cli.screen.options import parse_settings, parse_spacing


def test_spacing_is_read_in_the_order_of_the_axes() -> None:
    assert parse_spacing("3, 0.8,0.75") == (3.0, 0.8, 0.75)
    assert parse_spacing(None) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((text, r"is not three numbers like 3,0\.8,0\.8") for text in ("", "3", "3,1", "1,2,3,4", "a,b,c")),
        *((text, "holds a distance that is not positive") for text in ("0,1,1", "nan,1,1", "inf,1,1")),
    ],
)
def test_spacing_that_makes_no_sense_is_refused(text: str, said: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"^'{text}' {said}"):
        parse_spacing(text)


def test_settings_have_the_type_they_look_like() -> None:
    pairs = ["lag=2", "mask=true", "weight=0.5", "guide=median", "lags=[1,2]", "limit=null", "name = a=b"]
    assert parse_settings(pairs) == {
        "lag": 2,
        "mask": True,
        "weight": 0.5,
        "guide": "median",
        "lags": [1, 2],
        "limit": None,
        "name": "a=b",
    }


@pytest.mark.parametrize("pair", ["mask", "=1", " =1"])
def test_a_setting_needs_key_and_value(pair: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"^'{pair}' is not of the form key=value"):
        parse_settings([pair])


@pytest.mark.parametrize("text", ["(64,128)", "[64,128]", "(64, 128)", "[64, 128]", "(64, 128,)"])
def test_a_list_is_written_as_in_the_messages_or_as_in_json(text: str) -> None:
    assert parse_settings([f"channels={text}"]) == {"channels": [64, 128]}


def test_a_list_of_one_and_what_only_looks_like_a_list() -> None:
    assert parse_settings(["channels=(64,)", "name=(old)"]) == {"channels": [64], "name": "(old)"}
