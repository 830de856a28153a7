"""What the tables of a check say, in the words that a user reads."""

from dataclasses import replace

import pytest
from tests.quality.phantoms import body, ct, noise

from demottle.cli.screen import tables
from demottle.quality.check.whole import Check, check


@pytest.fixture(scope="module")
def measured() -> Check:
    plain = body(6, 128)
    grain = noise(plain.shape, 15)
    return check(ct(plain + grain), ct(plain + 0.4 * grain))


def test_the_check_names_what_it_measured(measured: Check, capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_check(measured)
    rows = {line.split("  ")[0].strip(): line.split() for line in capsys.readouterr().out.splitlines()[1:]}
    assert {"noise level (HU)", "noise spectrum, mean (1/mm)", "noise shared by next slice", "edges"} <= set(rows)
    assert rows["noise level (HU)"][-2] == "-60"


def test_bias_that_was_taken_out_on_purpose_is_said(measured: Check, capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_check(replace(measured, bias_removed={"gray matter": 2.5}))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "bias" in line]
    assert line.split() == ["bias", "taken", "out,", "gray", "matter", "(HU)", "-2.5"]
