import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.quality.phantoms import body, ct, noise

from demottle.errors import InputError
from demottle.quality.truth.errors import rmse
from demottle.quality.truth.realizations import agreement, compare_repeats

TRUTH = body(12)
FIRST, SECOND = (TRUTH + noise(TRUTH.shape, 20, seed=s) for s in (1, 2))


@pytest.fixture(scope="module")
def scans() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    truth = gaussian_filter(random.standard_normal((4, 200, 200)), (0, 2, 2)) * 200
    first, second = truth + random.normal(0, 20, (2, *truth.shape))
    return truth, first, second


def test_error_and_lost_structure_are_found_without_the_truth(scans) -> None:
    truth, x, y = scans
    a, b = (gaussian_filter(v, (0, 1.5, 1.5)) for v in (x, y))
    found = agreement((x, y), (a, b))
    assert found.noise_before == pytest.approx(20, rel=0.01)
    assert found.error == pytest.approx(np.sqrt(np.mean((a - truth) ** 2)), rel=0.02)
    lost = truth - gaussian_filter(truth, (0, 1.5, 1.5))
    assert found.changed == pytest.approx(np.sqrt(np.mean(lost**2)), rel=0.03)
    assert found.noise_after == pytest.approx(found.between / np.sqrt(2))


def test_a_constant_agrees_with_itself_but_not_with_the_mean(scans) -> None:
    truth, x, y = scans
    flat = np.zeros_like(x)
    found = agreement((x, y), (flat, flat))
    assert found.between == 0
    assert found.changed == pytest.approx(truth.std(), rel=0.02)
    assert found.to_mean > truth.std()
    assert found.correlation > 0.3


def test_removing_noise_alone_removes_nothing_in_common(scans) -> None:
    truth, x, y = scans
    found = agreement((x, y), (truth + (x - truth) * 0.3, truth + (y - truth) * 0.3))
    assert abs(found.correlation) < 0.01
    assert found.error == pytest.approx(6, rel=0.05)
    assert found.to_mean == pytest.approx(14 / np.sqrt(2), rel=0.02)


def test_bad_input_is_one_sentence(scans) -> None:
    _, x, y = scans
    with pytest.raises(InputError, match="same image"):
        agreement((x, x), (y, y))
    with pytest.raises(InputError, match="one shape"):
        agreement((x, y), (x[:1], y))
    with pytest.raises(InputError, match="mask"):
        agreement((x, y), (x, y), np.zeros(x.shape, bool))


def blurred(voxels: np.ndarray) -> np.ndarray:
    return np.asarray(gaussian_filter(voxels, (0, 1.0, 1.0)))


def test_the_error_is_that_against_the_truth_though_no_truth_is_given() -> None:
    found = compare_repeats(ct(FIRST), ct(blurred(FIRST)), ct(SECOND), ct(blurred(SECOND)))
    inside = TRUTH > -900
    true = np.mean([rmse(blurred(one), TRUTH, inside) for one in (FIRST, SECOND)])
    assert found.agreement.error == pytest.approx(true, rel=0.1)
    assert found.agreement.noise_before == pytest.approx(20, rel=0.03)


def test_removed_structure_repeats_and_removed_noise_does_not() -> None:
    blur = compare_repeats(ct(FIRST), ct(blurred(FIRST)), ct(SECOND), ct(blurred(SECOND)))
    assert blur.structure_found and blur.agreement.correlation > 0.1
    clean = compare_repeats(
        ct(FIRST), ct(TRUTH + 0.3 * (FIRST - TRUTH)), ct(SECOND), ct(TRUTH + 0.3 * (SECOND - TRUTH))
    )
    assert not clean.structure_found
    assert clean.agreement.noise_after == pytest.approx(6, rel=0.05)
    lost = np.sqrt(np.mean((blurred(TRUTH) - TRUTH)[TRUTH > -900] ** 2))
    assert blur.agreement.changed == pytest.approx(lost, rel=0.15)


def test_the_same_scan_twice_and_an_empty_one_are_refused() -> None:
    with pytest.raises(InputError, match="same image"):
        compare_repeats(ct(FIRST), ct(TRUTH), ct(FIRST), ct(TRUTH))
    empty = ct(np.full((4, 64, 64), -1000.0) + noise((4, 64, 64), 1))
    with pytest.raises(InputError, match="No body"):
        compare_repeats(empty, empty, ct(np.full((4, 64, 64), -1000.0)), empty)
