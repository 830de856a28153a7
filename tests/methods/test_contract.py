"""What every registered method promises. A new method is under this contract as soon as it is in the registry."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import binary_erosion
from tests.methods.small_sets import small_sets

from demottle.errors import InputError
from demottle.image import Image
from demottle.methods import METHODS, Budget, Denoiser, load
from demottle.noise.fingerprint import Fingerprint, measure
from demottle.physics.ct.ct_noise import independent_noise, mix_slices
from demottle.physics.phantoms.phantom import body_phantom
from demottle.pipeline.plan import CLASSICAL, DEFAULT


@pytest.fixture(scope="module")
def truth() -> Image:
    return body_phantom(slices=8, size=160, spacing=(3.0, 2.2, 2.2), seed=5)


@pytest.fixture(scope="module")
def scan(truth: Image) -> Image:
    noise = mix_slices(independent_noise(truth, 40.0, seed=6), 0.2)
    return truth.with_voxels(np.rint(truth.voxels + noise))


@pytest.fixture(scope="module")
def fingerprint(scan: Image) -> Fingerprint:
    return measure(scan)


VOLUMES = [name for name, info in METHODS.items() if info.takes(sequence=False)]
SMALL = {"channels": (8, 16), "patch": 64, "batch": 4}
QUICK: dict[str, dict[str, Any]] = {
    "ns-n2n": {"patch": 96, "batch": 4},
    "matched-neighbors": {"patch": 64},
    "guided-bayes": {"patch": 64},
    "nl-bayes": {"step": 5},
    "noise2void": SMALL,
    "structn2v": SMALL,
    "neighbor2neighbor": SMALL,
    "zs-n2n": {"channels": (16,), "patch": 64},
    "noise2sim": SMALL,
    "ngps": {**SMALL, "window": 5},
    "deep-image-prior": {"channels": (8, 8)},
}
"""Settings with which a slow method shows what is promised here in less time."""
SLOW = ("bm3d", "bm4d")
WRONG = {
    "spectral-wiener": {"window": 17},
    "nl-bayes": {"similar": 0},
    "gaussian": {"sigma": 0.0},
    "bilateral": {"strength": -1.0},
    "nlm": {"patch": 4},
    "tv": {"rounds": 0},
    "deep-image-prior": {"steps": 0},
    "bm3d": {"spectrum": "pink"},
    "bm4d": {"threads": -1},
}
"""Settings that cannot work, where it is not a patch of 17 pixels."""


def under_contract() -> list[Any]:
    """All methods for volumes; those whose package is missing are skipped."""
    marks = {
        name: [pytest.mark.skipif(not METHODS[name].is_installed, reason=f"{METHODS[name].needs} is not installed")]
        for name in VOLUMES
    }
    return [pytest.param(name, marks=marks[name] + [pytest.mark.slow] * (name in SLOW)) for name in VOLUMES]


def train(name: str, seed: int = 0, steps: int = 2) -> Denoiser:
    """Train on two patients a side: too little to denoise, enough for everything else that is promised."""
    module = METHODS[name].load()
    settings = module.Settings(**module.PRESETS["small"])
    with TemporaryDirectory() as folder:
        sets = small_sets(Path(folder), paired=METHODS[name].learns_from == "pairs")
        trained: Denoiser = module.train(sets, settings, seed=seed, budget=Budget(steps=steps))
    return trained


STEPS = {"matched-neighbors": 30}
"""Where a dozen steps leave so much noise that nobody can tell how far thin fat moved."""


def fit(name: str, scan: Image, fingerprint: Fingerprint, seed: int = 0, steps: int | None = None) -> Denoiser:
    module = METHODS[name].load()
    steps = STEPS.get(name, 12) if steps is None else steps
    if METHODS[name].is_trained:
        return train(name, seed)
    settings = module.Settings(**QUICK.get(name, {}))
    fitted: Denoiser = module.fit(scan, settings, fingerprint, seed=seed, budget=Budget(steps=steps))
    return fitted


@pytest.fixture(scope="module", params=under_contract())
def fitted(request: pytest.FixtureRequest, scan: Image, fingerprint: Fingerprint) -> Denoiser:
    return fit(request.param, scan, fingerprint)


@pytest.fixture(scope="module")
def cleaned(fitted: Denoiser, scan: Image) -> Image:
    return fitted(scan)


@pytest.fixture
def cleaned_by_what_it_learned(cleaned: Image, fitted: Denoiser) -> Image:
    if METHODS[fitted.method].is_trained:
        pytest.skip(
            "two steps on two patients teach nothing; the method's own tests and the benchmark say what it reaches"
        )
    return cleaned


def test_less_noise_and_nearer_to_the_truth(
    cleaned_by_what_it_learned: Image, fitted: Denoiser, scan: Image, truth: Image
) -> None:
    if METHODS[fitted.method].rival and METHODS[fitted.method].learns_from != "nothing":
        pytest.skip("a dozen steps of a small network teach little; tests/methods/rivals says what it reaches")
    tissue = (truth.voxels > -150) & (truth.voxels < 200)
    if METHODS[fitted.method].rival:  # edges aside: a Gaussian blurs them, and has to
        tissue = binary_erosion(tissue, np.ones((1, 7, 7)))
    before = np.sqrt(((scan.voxels - truth.voxels)[tissue] ** 2).mean())
    after = np.sqrt(((cleaned_by_what_it_learned.voxels - truth.voxels)[tissue] ** 2).mean())
    # A dozen steps on eight small slices; the benchmark says what is reached.
    assert after < (0.95 if METHODS[fitted.method].rival else 0.65) * before


@pytest.mark.slow
@pytest.mark.parametrize("name", [DEFAULT, CLASSICAL])
def test_sixty_steps_are_enough_for_four_tenths_of_the_error(
    name: str, scan: Image, truth: Image, fingerprint: Fingerprint
) -> None:
    tissue = (truth.voxels > -150) & (truth.voxels < 200)
    after = (fit(name, scan, fingerprint, steps=60)(scan).voxels - truth.voxels)[tissue]
    assert np.sqrt((after**2).mean()) < 0.6 * np.sqrt(((scan.voxels - truth.voxels)[tissue] ** 2).mean())


def test_mean_ct_number_is_kept(cleaned_by_what_it_learned: Image, fitted: Denoiser, scan: Image, truth: Image) -> None:
    if fitted.method == "deep-image-prior":
        pytest.skip(
            "a dozen steps draw no slice; tests/methods/rivals lets it come to its end and looks at the means there"
        )
    change = (cleaned_by_what_it_learned.voxels - scan.voxels).astype(np.float64)
    rival = METHODS[fitted.method].rival  # may blur the skin into the air, as a Gaussian does
    soft = (truth.voxels > -150) & (truth.voxels < 200)
    assert rival or abs(change[soft].mean()) < 1  # edges included: what one tissue loses there another gains
    for low, high in ((-130, -70), (30, 120)):
        tissue = (truth.voxels > low) & (truth.voxels < high)
        far = 9 if rival else 5  # a bilateral filter draws fat 4 pixels from muscle toward it by 2 HU
        inside = binary_erosion(tissue, np.ones((1, far, far)))
        assert abs(change[inside].mean()) < 1
        assert rival or abs(change[tissue].mean()) < 4  # pixels of 2 mm after a dozen steps: edges are not yet sharp


def test_the_order_of_the_slices_makes_no_difference(fitted: Denoiser, cleaned: Image, scan: Image) -> None:
    if fitted.method == "bm4d":
        pytest.skip("its cubes are laid from the first slice on")
    upside_down = Image(scan.voxels[::-1].copy(), scan.spacing, scan.modality, scan.unit)
    assert fitted(upside_down).voxels[::-1] == pytest.approx(cleaned.voxels, abs=0.01)


def test_a_slice_does_not_depend_on_others_in_its_batch(scan: Image, fingerprint: Fingerprint) -> None:
    import torch

    from demottle.methods.one_scan.slice_network import INPUTS
    from demottle.networks.half_resolution_unet import HalfResolutionUNet
    from demottle.networks.windowed_wiener import WindowedWiener

    assert fingerprint.spectrum is not None
    planes = torch.from_numpy(scan.voxels[:3, None].copy())
    noise = torch.full_like(planes, 40.0)
    pilot = WindowedWiener(fingerprint.spectrum.density_2d)
    network = HalfResolutionUNet(INPUTS)
    torch.nn.init.normal_(network.last.weight, std=0.1)  # as if it had learned: a new one answers 0 to everything
    with torch.inference_mode():
        together = pilot(planes, noise), network(planes.repeat(1, INPUTS, 1, 1) / 40)
        for index in range(3):
            one = slice(index, index + 1)
            alone = pilot(planes[one], noise[one]), network(planes[one].repeat(1, INPUTS, 1, 1) / 40)
            for first, second in zip(together, alone, strict=True):
                assert float(first.std()) > 0.01
                assert first[one].numpy() == pytest.approx(second.numpy(), abs=0.01)


def test_finite_and_same_geometry(cleaned: Image, scan: Image) -> None:
    assert np.isfinite(cleaned.voxels).all()
    assert (cleaned.shape, cleaned.spacing, cleaned.unit) == (scan.shape, scan.spacing, scan.unit)


def test_the_input_is_left_as_it_was(fitted: Denoiser, scan: Image) -> None:
    before = scan.voxels.copy()
    fitted(scan)
    assert np.array_equal(scan.voxels, before)


def test_constant_in_constant_out(fitted: Denoiser) -> None:
    flat = Image(np.full((3, 64, 64), 40, np.float32), (3.0, 2.2, 2.2), "CT", "HU")
    assert np.abs(fitted(flat).voxels - 40).max() < 0.5


def test_air_around_the_body_and_metal_do_not_change(fitted: Denoiser, scan: Image) -> None:
    voxels = scan.voxels.copy()
    voxels[:, 70:74, 70:74] = 6000
    with_metal = scan.with_voxels(voxels)
    change = fitted(with_metal).voxels != with_metal.voxels
    assert not change[:, :6, :6].any()
    assert not change[:, 70:74, 70:74].any()
    assert change.any()


def test_padding_does_not_change(fitted: Denoiser, scan: Image) -> None:
    valid = np.ones(scan.shape, np.bool_)
    valid[:, :, :90] = False
    voxels = np.where(valid, scan.voxels, -2000).astype(np.float32)
    padded = Image(voxels, scan.spacing, "CT", "HU", valid=valid)
    out = fitted(padded).voxels
    assert np.array_equal(out[~valid], voxels[~valid])
    assert (out[valid] != voxels[valid]).any()


def test_same_seed_same_bits(fitted: Denoiser, scan: Image, fingerprint: Fingerprint) -> None:
    again = fit(fitted.method, scan, fingerprint)
    assert again.model_hash == fitted.model_hash
    assert np.array_equal(again(scan).voxels, fitted(scan).voxels)


def test_save_load_same_output(fitted: Denoiser, scan: Image, tmp_path: Path) -> None:
    path = fitted.save(tmp_path / "model.safetensors")
    loaded = load(path)
    assert loaded.model_hash == fitted.model_hash
    assert (loaded.method, dict(loaded.settings)) == (fitted.method, dict(fitted.settings))
    assert np.array_equal(loaded(scan).voxels, fitted(scan).voxels)
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("name", VOLUMES)
def test_bad_settings_are_one_sentence(name: str) -> None:
    module = METHODS[name].load()
    wrong = WRONG.get(name, {"patch": 17})
    with pytest.raises(InputError, match=next(iter(wrong))):
        module.Settings(**wrong)


def test_listing_methods_imports_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, demottle.methods; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
