"""What is measured follows from what is at hand, and what is not measured is said."""

import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.quality.phantoms import body, ct, noise

from demottle.errors import InputError
from demottle.physics.phantoms.inserts import Insert
from demottle.physics.phantoms.structures import GroundTruth, Structure
from demottle.quality.evaluation import Evaluation, evaluate
from demottle.quality.figures import figures_of

PLAIN = body(12)
ROD = Structure("rod", Insert((5.5, 96.0, 96.0), 8.0, 35.0, float("inf")), 60.0, "edge")
Y, X = np.mgrid[:192, :192]
TRUTH = gaussian_filter(PLAIN + np.where(np.hypot(Y - 96, X - 96) * 0.8 < 8, 35, 0), (0, 1, 1)).astype(np.float32)
GRAIN = noise(TRUTH.shape, 3)
BEFORE, AFTER = ct(TRUTH + GRAIN), ct(TRUTH + 0.4 * GRAIN)
KNOWN = GroundTruth("rods", BEFORE.shape, BEFORE.spacing, (ROD,))


def names(found: Evaluation) -> set[str]:
    return {figure.name for figure in figures_of(found)}


def test_with_nothing_but_input_and_output_errors_are_not_made_up() -> None:
    found = evaluate(BEFORE, AFTER)
    assert found.truth is None and found.repeat is None and found.known is None
    assert any("needs a truth or a second" in s for s in found.missing)
    assert any("structures of known place" in s for s in found.missing)
    assert "noise in flat tissue" in names(found)
    assert not any("RMSE" in name for name in names(found))


def test_everything_at_hand_is_measured() -> None:
    second = ct(TRUTH + noise(TRUTH.shape, 3, seed=5)), ct(TRUTH + 0.4 * noise(TRUTH.shape, 3, seed=5))
    found = evaluate(BEFORE, AFTER, ct(TRUTH), second, KNOWN)
    assert found.truth is not None and found.repeat is not None and found.known is not None
    assert found.truth.after.rmse == pytest.approx(1.2, rel=0.1)
    (contrast,) = found.known.contrast
    assert contrast.share == pytest.approx(1, abs=0.02)
    (edge,) = found.known.sharpness
    assert edge.f50_change == pytest.approx(0, abs=0.1)
    (seen,) = found.known.detected
    assert seen.npw[1] > seen.npw[0] > 0
    assert [s.partition(":")[0] for s in found.missing if "takes" in s] == ["No noise-only test"]
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_worst_slice_is_the_one_that_was_spoilt() -> None:
    spoilt = AFTER.voxels.copy()
    spoilt[7, 60:70, 100:110] -= 80
    for truth in (None, ct(TRUTH)):
        worst = evaluate(BEFORE, ct(spoilt), truth).worst
        assert worst is not None
        assert worst.slice == 7
        assert abs(worst.row - 65) < 5 and abs(worst.column - 105) < 5


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (ct(TRUTH[:5]), "has the shape"),
        (ct(TRUTH, (3.0, 0.8, 0.9)), "has a spacing"),
    ],
)
def test_images_that_do_not_belong_together_are_refused(after: object, said: str) -> None:
    with pytest.raises(InputError, match=f"The output {said}"):
        evaluate(BEFORE, after)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=f"The truth {said}"):
        evaluate(BEFORE, AFTER, after)  # type: ignore[arg-type]


def test_structures_of_another_image_or_outside_of_it_give_no_number() -> None:
    with pytest.raises(InputError, match=r"truth\.json"):
        evaluate(BEFORE, AFTER, structures=GroundTruth("rods", (3, 64, 64), BEFORE.spacing, (ROD,)))
    with pytest.raises(InputError, match=r"truth\.json"):
        evaluate(BEFORE, AFTER, structures=GroundTruth("rods", BEFORE.shape, (3.0, 1.0, 1.0), (ROD,)))
    lost = Structure("lost", Insert((5.5, 200.0, 96.0), 8.0, 35.0, float("inf")), 60.0, "edge")
    with pytest.raises(InputError, match="lost lies outside"):
        evaluate(BEFORE, AFTER, structures=GroundTruth("rods", BEFORE.shape, BEFORE.spacing, (lost,)))
    far = Structure("far", Insert((5.5, 190.0, 96.0), 8.0, 35.0, float("inf")), 60.0, "edge")
    found = evaluate(BEFORE, AFTER, structures=GroundTruth("rods", BEFORE.shape, BEFORE.spacing, (far,)))
    assert found.known is not None and not found.known.contrast and not found.known.sharpness
    assert any("far" in s and "leave" in s for s in found.missing)


def test_too_few_regions_give_no_spectrum_and_the_reason() -> None:
    flat = np.full((4, 40, 40), 60.0)
    found = evaluate(ct(flat + GRAIN[:4, :40, :40]), ct(flat + 0.5 * GRAIN[:4, :40, :40]))
    assert found.check.spectra is None
    assert any(s.startswith("No noise spectrum: Only") for s in found.missing)


def test_where_nothing_can_be_measured_there_is_no_result() -> None:
    air = ct(np.full((6, 96, 96), -1000.0) + GRAIN[:6, :96, :96])
    for empty in (ct(np.full((4, 20, 20), -500.0)), air):
        with pytest.raises(InputError, match="Nothing can be measured"):
            evaluate(empty, empty)
    with pytest.raises(InputError, match="truth holds no body"):
        evaluate(air, air, air)


def test_a_margin_of_the_users_is_used() -> None:
    assert {t.margin for t in evaluate(BEFORE, AFTER, margin=0.5).check.tissues} == {0.5}
