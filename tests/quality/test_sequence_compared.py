"""Against a truth it is said where structure went with the noise, and only there."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from demottle.image import Image
from demottle.methods.filters import recursive
from demottle.noise.sequence.fingerprint import measure_sequence
from demottle.physics.fluoroscopy.acquisition import Exposure, Run, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom
from demottle.quality.sequence.check import TRAIL_LIMIT, check_sequence
from demottle.quality.sequence.compared import compared, moving_in, structure_lost
from demottle.quality.sequence.response import Response
from demottle.report.sequence import response_cards, truth_cards, write_sequence_page


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {
        name: acquire(dynamic_phantom(24, 128, 15, seed=1, motion=name).image, Exposure(24), seed=2)  # type: ignore[arg-type]
        for name in ("static", "natural")
    }


def filtered(run: Run) -> Image:
    settings = recursive.RecursiveSettings()
    return recursive.fit(run.noisy, settings, measure_sequence(run.noisy))(run.noisy)


def test_a_trail_is_not_called_noise_however_much_the_psnr_gains(runs: dict[str, Run], tmp_path: Path) -> None:
    run = runs["natural"]
    after = filtered(run)
    errors = compared(run.noisy, after, run.clean)
    assert errors[1].psnr > errors[0].psnr and errors[1].means_moving > 1.5 * errors[0].means_moving
    assert "Not only noise was removed" in structure_lost(errors)
    (card,) = truth_cards(errors)
    assert card.tone == "warn" and "not only noise" in card.detail
    check = check_sequence(run.noisy, after)
    assert check.trail > TRAIL_LIMIT
    write_sequence_page(run.noisy, after, check, {}, tmp_path / "page.html", errors=errors)
    page = (tmp_path / "page.html").read_text()
    assert "Not only noise was removed" in page and "error of 8 x 8 means in motion" in page
    assert "PSNR where something moves" in page


def test_what_takes_away_noise_alone_is_not_accused(runs: dict[str, Run]) -> None:
    for run in runs.values():
        less = run.noisy.with_voxels((run.noisy.voxels + run.clean.voxels) / 2)
        for after in (less, run.clean):
            errors = compared(run.noisy, after, run.clean)
            assert structure_lost(errors) == "" and truth_cards(errors)[0].tone == "good"
            assert not check_sequence(run.noisy, after).trail > TRAIL_LIMIT
    static = runs["static"]
    still = compared(static.noisy, filtered(static), static.clean)
    assert structure_lost(still) == "" and np.isnan(still[1].psnr_moving)


def test_what_moves_is_known_from_the_truth() -> None:
    frames = np.zeros((5, 32, 32), np.float32)
    frames[2, :8, :8] = 100
    moving = moving_in(Image(frames, (0.1, 1, 1), "XA"), (0.0, 100.0))
    assert moving is not None and moving.shape == frames.shape
    assert moving[0, :8, :8].all() and moving.sum() == 5 * 64
    lonely = np.random.default_rng(0).uniform(0, 100, frames.shape).astype(np.float32)
    lonely[:, 0, 0] = 50  # one pixel that does not change makes no figure for still parts
    everywhere = moving_in(Image(lonely, (0.1, 1, 1), "XA"), (0.0, 100.0))
    assert everywhere is not None and everywhere.all()
    assert moving_in(Image(np.ones_like(frames), (0.1, 1, 1), "XA"), (0.0, 1.0)) is None


def test_a_moving_edge_that_trails_is_never_told_in_green() -> None:
    sharp = Response(0.01, 0.0, ((0.0, 3.0), (10.0, 2.6)), ((0.0, 1.6), (10.0, 1.6)))
    assert not sharp.trails and response_cards(sharp)[0].tone == "plain" and response_cards(None) == []
    nothing = float("nan")
    for worse in (
        replace(sharp, lag_first=0.8),
        replace(sharp, widths=((0.0, 1.6), (10.0, float("inf")))),
        replace(sharp, widths=((0.0, nothing), (10.0, nothing))),
    ):
        (card,) = response_cards(worse)
        assert card.tone == "warn" and "trail" in card.detail
