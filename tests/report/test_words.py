from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d
from tests.quality.phantoms import body, ct, noise

from demottle.quality import check
from demottle.quality.check.shifts import TissueShift
from demottle.report.words import (
    cards,
    facts,
    found_and_limit,
    gate_cards,
    gate_failed,
    of_rounded,
    said,
    sentences,
    series_title,
    signed,
    typeset,
    uncertain,
    warnings,
)

TRUTH = body(16)
GRAIN = noise(TRUTH.shape, 12)
BEFORE = ct(TRUTH + GRAIN)


def test_a_good_result_has_good_cards() -> None:
    made = {c.label: c for c in cards(check(BEFORE, ct(TRUTH + 0.5 * GRAIN)))}
    assert made["Noise in flat tissue"].detail == "50 % less"
    assert made["CT numbers"].value == "kept"
    assert made["Edges"].value == "kept"
    assert made["Noise shared with the next slice"].detail == "no more than before"
    assert {c.tone for c in made.values()} == {"good"}


def test_what_is_shared_of_hardly_any_noise_is_told_beside_the_noise_before() -> None:
    averaged = uniform_filter1d(GRAIN, 3, axis=0)
    made = {c.label: c for c in cards(check(BEFORE, ct(TRUTH + 0.05 * averaged)))}
    told = made["Noise shared with the next slice"]
    assert (
        told.detail.startswith("rose by 0.") and told.detail.endswith("% of the noise before") and told.tone == "plain"
    )
    made = {c.label: c for c in cards(check(BEFORE, ct(TRUTH + averaged)))}
    told = made["Noise shared with the next slice"]
    assert "may show on several slices" in told.detail and told.tone == "warn"


def test_why_a_stored_result_shares_less_noise_than_its_run_is_said_and_only_then() -> None:
    after = ct(TRUTH + uniform_filter1d(GRAIN, 3, axis=0) / 6)
    stored = ct(np.rint(after.voxels))
    exact, measured = check(BEFORE, after), check(BEFORE, stored)
    assert exact.leak is not None and measured.leak is not None
    was, now = (f"{one.leak.after.rho[0]:.2f}" for one in (exact, measured) if one.leak is not None)
    assert now != was
    record = {"check": exact.to_dict()}
    assert f"{now} here, was {was} before it was stored" in of_rounded(stored, measured, record)
    assert "may have been another" in of_rounded(stored, measured, {})
    assert of_rounded(after, exact, record) == ""
    assert of_rounded(stored, measured, {"check": measured.to_dict()}) == ""


@pytest.mark.parametrize(
    ("typed", "set_as"),
    [
        ("moved by -0.06 HU (90 % interval -0.1 to +0.2)", "moved by \u22120.06 HU (90 % interval \u22120.1 to +0.2)"),
        ("slices 2-4 of CT-1, see --noise -0.45", "slices 2-4 of CT-1, see --noise -0.45"),
    ],
)
def test_sentences_of_the_page_have_true_minus_signs_and_options_stay_as_typed(typed: str, set_as: str) -> None:
    assert typeset(typed) == set_as
    assert sentences([typed]) == [set_as]
    assert warnings([typed], {}) == [set_as]


def test_a_shift_and_more_noise_are_said_in_red() -> None:
    made = {c.label: c for c in cards(check(BEFORE, ct(TRUTH + 1.5 * GRAIN + 4)))}
    assert made["CT numbers"].tone == made["Noise in flat tissue"].tone == "warn"
    assert made["Noise in flat tissue"].detail == "50 % more"


def test_what_cannot_be_measured_is_said_not_hidden() -> None:
    empty = ct(np.full((2, 64, 64), -1000.0))
    values = {c.value for c in cards(check(empty, empty))}
    assert "not measured" in values


def test_a_series_without_a_name_has_a_plain_title() -> None:
    assert series_title({"source": None}) == "Denoised series"
    assert series_title({"source": {"series_description": " Thorax 3.0 "}}) == "Thorax 3.0"
    assert sentences(None) == []
    assert facts(ct(body(1)), {})[:2] == ["CT", "1 slice"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "yes"), (None, "–"), (3e-4, "0.0003"), ([1, "a"], "1, a"), ({"x_y": 2}, "x y 2"), (-0.5, "−0.5")],
)
def test_values_are_said_as_a_reader_would(value: object, text: str) -> None:
    assert said(value) == text


def test_signs_are_as_wide_as_each_other_and_zero_has_none() -> None:
    assert [signed(v, 1) for v in (1.25, -1.25, 0.01, -0.01)] == ["+1.2", "−1.2", "0.0", "0.0"]
    assert [signed(v, 1, plus=False) for v in (1.25, -1.25)] == ["1.2", "−1.2"]


@pytest.mark.parametrize(
    ("value", "limit", "unit", "told"),
    [
        (1.04, 1.0, "HU", ("1.04 HU", "1 HU")),
        (0.9996, 1.0, "", ("0.9996", "1")),
        (0.31, 0.25, "", ("0.310", "0.25")),
        (-2.3, 2.0, "HU", ("\u22122.3 HU", "2 HU")),
        (1.0, 1.0, "HU", ("1.0 HU", "1 HU")),
        (0.0, 0.1, "of the range", ("0.000", "0.1")),
    ],
)
def test_what_was_found_has_the_digits_that_tell_it_from_its_limit(
    value: float, limit: float, unit: str, told: tuple[str, str]
) -> None:
    assert found_and_limit(value, limit, unit) == told


def test_of_a_single_slice_it_is_said_what_was_not_checked() -> None:
    one = ct(TRUTH[:1] + GRAIN[:1])
    card = {c.label: c for c in cards(check(one, ct(TRUTH[:1] + 0.5 * GRAIN[:1])))}["Between slices"]
    assert (card.value, card.tone) == ("not checked", "plain")
    assert "single slice" in card.detail


@pytest.mark.parametrize(
    ("value", "interval", "status", "told"),
    [
        (1.3, (0.6, 2.0), "not shown", "+0.6 to +2.0"),
        (0.8, (0.6, 1.0), "passed", ""),
        (1.6, (1.2, 2.0), "failed", ""),
        (1.3, None, "not shown", ""),
        (None, (None, None), "not measured", ""),
    ],
)
def test_a_mean_beyond_its_limit_by_chance_perhaps_is_not_shown_and_its_interval_is_told(
    value: float | None, interval: tuple[float, float] | None, status: str, told: str
) -> None:
    verdict = {"value": value, "limit": 1.0, "interval": interval, "status": status, "unit": "HU", "what": "x"}
    assert uncertain(verdict) == told


@pytest.mark.parametrize(("state", "tone"), [("passed", "good"), ("passed with warnings", "warn"), ("failed", "bad")])
def test_the_tile_of_the_gate_says_its_state(state: str, tone: str) -> None:
    verdict = {"value": 2.0, "limit": 1.0, "status": "failed" if state == "failed" else "passed", "what": "shift"}
    (made,) = gate_cards({"state": state, "summary": "12 limits kept", "verdicts": [verdict]})
    assert (made.value, made.tone) == (state, tone)
    assert made.detail == ("shift, of 1 limits" if state == "failed" else "12 limits kept")


@pytest.mark.parametrize(("low", "said"), [(0.6, True), (1.1, False)])
def test_the_tile_says_where_a_shift_is_not_for_certain_beyond_its_limit(low: float, said: bool) -> None:
    fat = TissueShift("fat", 9000, -100, -98.7, 1.3, low, 2.0, equivalent=True)
    card = {c.label: c for c in cards(replace(check(BEFORE, BEFORE), tissues=(fat,)))}["CT numbers"]
    assert card.value == "moved in 1 tissue"
    assert ("beyond 1 HU is not certain" in card.detail) is said


def test_a_warning_with_slightly_other_figures_is_told_once_and_another_tissue_is_another_warning() -> None:
    now = ["CT number of fat moved by +1.6 HU."]
    then = {"warnings": ["CT number of fat moved by +1.58 HU.", "CT number of bone moved by +2.1 HU."]}
    assert warnings(now, then) == [now[0], then["warnings"][1]]


@pytest.mark.parametrize(("status", "failed"), [("passed", False), ("failed", True)])
def test_the_warnings_turn_red_only_where_the_gate_failed(status: str, failed: bool) -> None:
    gate = {"state": "passed with warnings", "verdicts": [{"value": 2.0, "limit": 1.0, "status": status, "what": "x"}]}
    assert gate_failed(gate) is failed and gate_failed(None) is False
