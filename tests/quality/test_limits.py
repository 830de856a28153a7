"""Limits come from a TOML file, and what is wrong in it is one sentence."""

from pathlib import Path

import pytest

from demottle.errors import InputError
from demottle.quality.limits import Limits, limits_from, read_limits


def test_what_a_file_does_not_name_keeps_its_default(tmp_path: Path) -> None:
    (tmp_path / "limits.toml").write_text("ct_number_uniform = 3\nslice_leak = false\n")
    limits = read_limits(tmp_path / "limits.toml")
    assert limits.ct_number_uniform == 3
    assert limits.slice_leak is None
    assert limits.ct_number_other == Limits().ct_number_other


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ct_number_unifrom = 1", "did you mean 'ct_number_uniform'"),
        ("magic = 1", "known are"),
        ("air = 'much'", "a number of 0 or more"),
        ("air = true", "a number of 0 or more"),
        ("air = -1", "a number of 0 or more"),
        ("air = nan", "a number of 0 or more"),
        ("[air]\nmost = 1", "a number of 0 or more"),
        ("air = ", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "limits.toml").write_text(text)
    with pytest.raises(InputError, match=said) as error:
        read_limits(tmp_path / "limits.toml")
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_limits(tmp_path / "none.toml")


def test_zero_is_a_limit_and_no_limit_is_not_zero() -> None:
    assert limits_from({"air": 0}).air == 0
    assert limits_from({"air": False}).air is None
