"""What every registered method for sequences promises. A new method is under this contract as soon as it is in the registry."""

from pathlib import Path

import numpy as np
import pytest
from tests.methods.other_batches import in_other_batches

from demottle.errors import InputError
from demottle.image import Image
from demottle.methods import METHODS, Budget, Denoiser, load
from demottle.methods.streaming import SequenceDenoiser, Stream
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.physics.fluoroscopy.acquisition import Exposure, Run, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom

NAMES = [name for name, info in METHODS.items() if info.takes(sequence=True)]
STREAMING = [name for name in NAMES if METHODS[name].learns_from == "nothing" and METHODS[name].live]


@pytest.fixture(scope="module")
def run() -> Run:
    return acquire(dynamic_phantom(16, 96, 15, seed=5, motion="slow").image, Exposure(24), seed=6)


@pytest.fixture(scope="module")
def fingerprint(run: Run) -> SequenceFingerprint:
    return measure_sequence(run.noisy)


def fit(name: str, image: Image, fingerprint: SequenceFingerprint, seed: int = 0) -> Denoiser:
    module = METHODS[name].load()
    made: Denoiser = module.fit(image, module.Settings(), fingerprint, seed=seed, budget=Budget(steps=12))
    return made


@pytest.fixture(scope="module", params=NAMES)
def fitted(request: pytest.FixtureRequest, run: Run, fingerprint: SequenceFingerprint) -> Denoiser:
    return fit(request.param, run.noisy, fingerprint)


@pytest.fixture(scope="module")
def cleaned(fitted: Denoiser, run: Run) -> Image:
    return fitted(run.noisy)


def test_nearer_to_the_truth(cleaned: Image, run: Run) -> None:
    before, after = (np.sqrt(((image.voxels - run.clean.voxels) ** 2).mean()) for image in (run.noisy, cleaned))
    assert after < 0.8 * before


def test_mean_signal_is_kept(cleaned: Image, run: Run, fingerprint: SequenceFingerprint) -> None:
    change = (cleaned.voxels - run.noisy.voxels).astype(np.float64)
    bright = run.clean.voxels > np.median(run.clean.voxels)
    for part in (bright, ~bright):
        assert abs(change[part].mean()) < 0.1 * fingerprint.noise_level


def test_any_batch_size_the_same_result(
    fitted: Denoiser, cleaned: Image, run: Run, fingerprint: SequenceFingerprint, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = METHODS[fitted.method].contract.at_once
    used = in_other_batches(at_once, monkeypatch)
    assert np.abs(fitted(run.noisy).voxels - cleaned.voxels).max() < 1e-3 * fingerprint.noise_level
    has_network = any(name.endswith("weight") for name in fitted.tensors())
    assert used() or at_once or not has_network


def test_finite_same_geometry_and_the_input_is_left_as_it_was(fitted: Denoiser, run: Run) -> None:
    before = run.noisy.voxels.copy()
    out = fitted(run.noisy)
    assert np.isfinite(out.voxels).all()
    assert (out.shape, out.spacing, out.modality, out.sequence) == (run.noisy.shape, run.noisy.spacing, "XA", True)
    assert np.array_equal(run.noisy.voxels, before)


def test_constant_in_constant_out(fitted: Denoiser, run: Run) -> None:
    value = float(np.median(run.clean.voxels))
    flat = Image(np.full((7, 64, 64), value, np.float32), run.noisy.spacing, "XA")
    assert np.abs(fitted(flat).voxels - value).max() < 0.01 * value


def test_behind_the_shutter_nothing_changes(fitted: Denoiser, run: Run) -> None:
    valid = np.ones(run.noisy.shape, np.bool_)
    valid[:, :, :30] = False
    voxels = np.where(valid, run.noisy.voxels, 0).astype(np.float32)
    out = fitted(Image(voxels, run.noisy.spacing, "XA", valid=valid)).voxels
    assert np.array_equal(out[~valid], voxels[~valid])
    assert (out[valid] != voxels[valid]).any()


def test_same_seed_same_bits(fitted: Denoiser, run: Run, fingerprint: SequenceFingerprint, cleaned: Image) -> None:
    again = fit(fitted.method, run.noisy, fingerprint)
    assert again.model_hash == fitted.model_hash
    assert np.array_equal(again(run.noisy).voxels, cleaned.voxels)


def test_save_load_same_output(fitted: Denoiser, run: Run, cleaned: Image, tmp_path: Path) -> None:
    loaded = load(fitted.save(tmp_path / "model.safetensors"))
    assert (loaded.method, loaded.model_hash) == (fitted.method, fitted.model_hash)
    assert np.array_equal(loaded(run.noisy).voxels, cleaned.voxels)


@pytest.mark.parametrize("frames", [1, 2])
def test_one_or_two_frames_come_back(fitted: Denoiser, run: Run, frames: int) -> None:
    short = Image(run.noisy.voxels[:frames].copy(), run.noisy.spacing, "XA")
    assert fitted(short).shape == short.shape


def streamed(stream: Stream, image: Image) -> list[np.ndarray]:
    out = []
    for frame in image.voxels:
        result = stream.step(frame)
        if result is not None:
            out.append(result)
    return out + stream.finish()


@pytest.mark.parametrize("name", STREAMING)
def test_live_and_whole_runs_give_the_same_and_the_delay_is_what_is_said(
    name: str, run: Run, fingerprint: SequenceFingerprint
) -> None:
    made = fit(name, run.noisy, fingerprint)
    assert isinstance(made, SequenceDenoiser)
    stream = made.stream()
    first = next(index for index, frame in enumerate(run.noisy.voxels) if stream.step(frame) is not None)
    assert first == stream.delay == made.delay
    assert np.array_equal(np.stack(streamed(made.stream(), run.noisy)), made(run.noisy).voxels)


@pytest.mark.parametrize("name", STREAMING)
def test_a_frame_of_another_size_or_with_nan_is_refused(name: str, run: Run, fingerprint: SequenceFingerprint) -> None:
    made = fit(name, run.noisy, fingerprint)
    assert isinstance(made, SequenceDenoiser)
    stream = made.stream()
    stream.step(run.noisy.voxels[0])
    with pytest.raises(InputError, match="all frames have one size"):
        stream.step(run.noisy.voxels[0][:-1])
    with pytest.raises(InputError, match="NaN"):
        stream.step(np.full_like(run.noisy.voxels[0], np.nan))
