"""Correlation from slice to slice."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.physics.low_dose.slices import distance_of, profile_correlation, slice_weights


def correlation_matrix(weights):
    factor = np.zeros((len(weights), len(weights)))
    for slice_, row in enumerate(weights):
        for lag, weight in enumerate(row[: slice_ + 1]):
            factor[slice_, slice_ - lag] = weight
    return factor @ factor.T


@pytest.mark.parametrize("rho", [0.0, 0.12, 0.25, 0.5, 0.72, 0.95])
@pytest.mark.parametrize("slices", [2, 9])
def test_variance_and_correlation_are_exact_in_every_slice(rho, slices):
    found = correlation_matrix(slice_weights(slices, rho))
    lags = np.abs(np.subtract.outer(np.arange(slices), np.arange(slices)))
    np.testing.assert_allclose(found, profile_correlation(lags * distance_of(rho)), atol=1e-9)
    np.testing.assert_allclose(np.diag(found, 1), rho, atol=1e-9)


def test_correlation_is_that_of_two_triangles():
    z = np.linspace(-2, 2, 4001)
    triangle = np.maximum(1 - np.abs(z), 0)
    for distance in (0.3, 1.0, 1.4):
        other = np.maximum(1 - np.abs(z - distance), 0)
        assert profile_correlation(distance) == pytest.approx((triangle * other).sum() / (triangle**2).sum(), abs=1e-4)


@pytest.mark.parametrize("rho", [-0.1, 0.96, float("nan")])
def test_impossible_correlations_are_refused(rho):
    with pytest.raises(InputError, match=r"0\.95"):
        distance_of(rho)
