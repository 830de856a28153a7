"""All frames show one picture that was shifted by whole pixels: with its noise, or without any."""

import numpy as np
import pytest

from demottle.benchmark.suites.decisions.runs import still_of
from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.sequence.fingerprint import measure_sequence
from demottle.pipeline.run import denoise
from demottle.pipeline.sequence_risk import plan_run

SPACING = (1 / 15, 0.4, 0.4)


def shifted(still: str, sigma: float, step: int, bits: int = 8, fresh: bool = False) -> tuple[Image, np.ndarray]:
    """A run whose frames are cut from one picture, the next one `step` pixels farther; its truth."""
    rng, top = np.random.default_rng(0), 2**bits - 1
    clean = still_of(still)[100:300, 60:360]
    clean = clean / clean.max() * 0.9 * top
    pictures = [clean + sigma * top / 255 * rng.standard_normal(clean.shape) for _ in range(8 if fresh else 1)]
    run, truth = (
        np.stack([pictures[t % len(pictures)][20:180, 10 + step * t : 170 + step * t] for t in range(8)])
        for pictures in (pictures, [clean])
    )
    return Image(np.clip(np.rint(run), 0, top).astype(np.float32), SPACING, "XA", sequence=True), truth


@pytest.mark.parametrize("still", ["texture-60", "wires-60"])
@pytest.mark.parametrize(("step", "bits"), [(0, 8), (1, 8), (4, 8), (4, 12)])
def test_a_run_without_noise_is_refused_in_a_sentence(still: str, step: int, bits: int) -> None:
    with pytest.raises(InputError, match="no noise that could be told from structure"):
        measure_sequence(shifted(still, 0, step, bits)[0])


@pytest.mark.parametrize("still", ["texture-60", "wires-60"])
@pytest.mark.parametrize("step", [0, 1, 4])
@pytest.mark.parametrize("sigma", [2.0, 6.0])
def test_one_noisy_picture_has_its_noise_measured_within_the_frame(still: str, step: int, sigma: float) -> None:
    found = measure_sequence(shifted(still, sigma, step)[0])
    assert found.noise_level == pytest.approx(sigma, rel=0.1)
    assert (found.owner, found.held) == ("image", 1.0)
    assert any("All frames show one picture" in warning for warning in found.warnings)


def test_one_noisy_picture_gets_a_filter_within_the_frame_that_brings_it_nearer_to_the_truth() -> None:

    run, truth = shifted("wires-60", 6.0, 2)
    plan = plan_run(run, measure_sequence(run))
    assert (plan.method, plan.settings) == ("nvca", {"frames": 1})
    result = denoise(run).image.voxels
    before, after = (float(np.sqrt(np.mean((voxels - truth) ** 2))) for voxels in (run.voxels, result))
    assert after < 0.8 * before


def test_fresh_noise_on_a_shifted_picture_is_not_taken_for_one_picture() -> None:
    found = measure_sequence(shifted("texture-60", 4.0, 4, fresh=True)[0])
    assert found.noise_level == pytest.approx(4.0, rel=0.1)
    assert found.held < 0.1
