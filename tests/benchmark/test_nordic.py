"""Suite nordic on short series."""

import sys
from pathlib import Path

import numpy as np
import pytest

from demottle.benchmark.suites import nordic, nordic_peer
from demottle.benchmark.suites.cases import Choices
from demottle.errors import InputError
from demottle.physics.mr.series import MrSeries, functional_series


@pytest.fixture(scope="module")
def series() -> MrSeries:
    return functional_series(30, 4, 32, seed=1)


def test_a_head_of_usual_size_fills_most_of_the_image(series: MrSeries) -> None:
    for axis, step, size in ((1, series.spacing[2], 32), (2, series.spacing[3], 32)):
        seen = np.nonzero(series.head.any(axis=tuple({0, 1, 2} - {axis})))[0]
        extent = seen.max() - seen.min() + 1
        assert 120 < extent * step < 220
        assert 0.6 * size < extent < size


def test_the_truth_has_no_error_and_keeps_all_of_the_slope(series: MrSeries) -> None:
    found = nordic.judge(series, np.abs(series.truth))
    assert (found["rmse"], found["bias"]) == (0, 0) and found["beta"] == pytest.approx(1)
    half = nordic.judge(
        series, np.abs(series.truth).mean(axis=0) + 0.5 * (np.abs(series.truth) - np.abs(series.truth).mean(axis=0))
    )
    assert half["beta"] == pytest.approx(0.5)


def test_nordic_is_nearer_to_the_truth_than_the_input(tmp_path: Path) -> None:
    spec = nordic.specs(Choices(quick=True))[0]
    before, after = (nordic.measure(spec, name, tmp_path) for name in ("input", "nordic"))
    assert after.quality["rmse"] < 0.8 * before.quality["rmse"]
    assert before.cost["seconds"] == 0 < after.cost["seconds"]


def test_the_peer_competes_only_where_its_python_is_named(monkeypatch: pytest.MonkeyPatch, series: MrSeries) -> None:
    monkeypatch.delenv(nordic.VARIABLE, raising=False)
    assert not any(name.startswith(nordic.PEER) for name in nordic.entrants())
    monkeypatch.setenv(nordic.VARIABLE, sys.executable)
    assert f"{nordic.PEER} mp_pca, turned" in nordic.entrants()
    monkeypatch.setenv(nordic.VARIABLE, "/nowhere/python")
    with pytest.raises(InputError, match="did not run with DEMOTTLE_PATCH_DENOISE"):
        nordic.of_peer(series, "nordic", "noisy")


def test_the_peer_sees_even_noise_and_its_result_gets_the_level_back(
    monkeypatch: pytest.MonkeyPatch, series: MrSeries, tmp_path: Path
) -> None:
    (tmp_path / "patch_denoise.py").write_text(
        "class denoise:\n    nordic = staticmethod(lambda series, **how: [series])\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv(nordic.VARIABLE, sys.executable)
    found, seconds = nordic.of_peer(series, "nordic", "noisy")
    assert found == pytest.approx(np.abs(series.noisy), rel=1e-4, abs=1e-5) and seconds >= 0
    turned, _ = nordic.of_peer(series, "nordic", "turned")
    assert turned == pytest.approx(np.abs(series.noisy), rel=1e-4, abs=1e-5)
    assert set(nordic_peer.METHODS) == {"nordic", "hybrid_pca", "mp_pca", "optimal_thresholding"}
