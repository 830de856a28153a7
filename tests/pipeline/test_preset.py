"""Presets: each keeps what it says, the gentle one most; what cannot have one is refused in a sentence."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.errors import ContradictionError, InputError, PromiseError
from demottle.image import Image
from demottle.pipeline.preset import PRESETS
from demottle.pipeline.run import denoise
from demottle.quality.contract.terms import KEPT
from demottle.quality.texture import MOST_SHIFT

METHOD = "gaussian"


@pytest.fixture(scope="module")
def scan() -> Image:
    """Soft tissue with grain of about 1.5 pixels."""
    drawn = np.random.default_rng(1).normal(0, 1, (5, 160, 160))
    grain = gaussian_filter(drawn, [0, 0.7, 0.7])
    return Image((50 + 20 * grain / grain.std()).astype(np.float32), (3.0, 1.0, 1.0), "CT", "HU")


def test_each_preset_keeps_what_it_says(scan: Image) -> None:
    results = {name: denoise(scan, method=METHOD, preset=name, progress=False) for name in PRESETS}
    removed = {name: result.check.noise.removed_share for name, result in results.items()}
    assert removed["strong"] > max(removed["standard"], removed["gentle"]) > 0
    sharpness = [term for term in results["gentle"].contract.terms if term.promised is not None]
    assert sharpness and {term.status for term in sharpness} == {KEPT}
    assert abs(results["standard"].check.spectra.told_shift[1]) <= MOST_SHIFT
    assert results["standard"].texture.written
    plain = denoise(scan, method=METHOD, progress=False)
    np.testing.assert_array_equal(results["strong"].image.voxels, plain.image.voxels)
    assert [result.record["preset"] for result in results.values()] == list(PRESETS)
    assert "preset" not in plain.record


@pytest.mark.parametrize(
    ("beside", "sentence"),
    [
        ({"strength": 0.5}, "preset decides .* strength does not go with it"),
        ({"texture": 0.3}, "preset decides .* texture does not go with it"),
        ({"keep_hu": 1.0}, "preset decides .* keep_mtf does not go with it"),
    ],
)
def test_a_preset_decides_alone(scan: Image, beside: dict[str, float], sentence: str) -> None:
    with pytest.raises(ContradictionError, match=sentence):
        denoise(scan, method=METHOD, preset="standard", progress=False, **beside)


def test_a_name_that_is_nearly_one_is_found(scan: Image) -> None:
    with pytest.raises(InputError, match=r"no preset 'gentel'\. Did you mean gentle\?"):
        denoise(scan, preset="gentel", progress=False)


def test_what_cannot_have_a_preset_is_told_what_can(scan: Image) -> None:
    magnitudes = Image(scan.voxels + 100, scan.spacing, "MR")
    with pytest.raises(InputError, match=r"gentle measures the sharpness of CT in HU .* this is MR.* use standard"):
        denoise(magnitudes, method=METHOD, preset="gentle", progress=False)
    run = Image(scan.voxels, scan.spacing, "XA")
    with pytest.raises(InputError, match="standard is for volumes, and this is a run of frames; give a strength"):
        denoise(run, preset="standard", progress=False)


def test_a_broken_promise_of_a_preset_names_the_preset(scan: Image) -> None:
    small = scan.part(0, 1)
    small = small.with_voxels(small.voxels)
    narrow = Image(small.voxels[:, :24, :24].copy(), scan.spacing, "CT", "HU")
    with pytest.raises(PromiseError, match="The preset gentle cannot be kept on this scan; use standard"):
        denoise(narrow, method=METHOD, preset="gentle", progress=False)
