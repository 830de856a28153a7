"""A promise from the scan to the result: the strength is found, and what was promised holds against the truth."""

import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.errors import ContradictionError, InputError, PromiseError
from demottle.events import silent
from demottle.image import Image
from demottle.pipeline.contract import Bargain, offers_of
from demottle.pipeline.run import denoise
from demottle.quality.contract.promise import Promise
from demottle.quality.contract.solve import strength_for
from demottle.quality.contract.terms import KEPT

METHOD = "gaussian"


def uniform(slices: int = 5, noise: float = 20.0) -> Image:
    """Soft tissue with grain of about 1.5 pixels."""
    drawn = np.random.default_rng(1).normal(0, 1, (slices, 160, 160))
    grain = gaussian_filter(drawn, [0, 0.7, 0.7])
    return Image((50 + noise * grain / grain.std()).astype(np.float32), (3.0, 1.0, 1.0), "CT", "HU")


@pytest.fixture(scope="module")
def scan() -> Image:
    return uniform()


def test_the_noise_that_was_promised_is_the_noise_that_is_left(scan: Image) -> None:
    result = denoise(scan, method=METHOD, noise=-0.3)
    assert result.check.noise.removed_share == pytest.approx(0.3, abs=0.005)
    # of the whole image: windows of 11 pixels do not see the coarsest noise, of which a Gaussian leaves most
    assert result.image.voxels.std() / scan.voxels.std() - 1 == pytest.approx(-0.3, abs=0.04)
    assert 0 < result.contract.strength < 1
    assert [term.status for term in result.contract.terms if term.promised is not None] == [KEPT]
    record = json.loads(json.dumps(result.record, allow_nan=False))
    assert record["contract"]["promise"]["noise"] == -0.3
    assert record["strength"] == record["settings"]["strength"] == pytest.approx(result.contract.strength)
    assert result.image.history[-1].settings["strength"] == pytest.approx(result.contract.strength)


def test_sharpness_that_was_promised_is_kept_by_the_strongest_that_keeps_it(scan: Image) -> None:
    mild, strict = (denoise(scan, method=METHOD, keep_mtf=share) for share in (0.8, 0.95))
    assert strict.contract.strength < mild.contract.strength
    assert strict.check.noise.after > mild.check.noise.after
    assert {term.status for term in strict.contract.terms if term.promised is not None} == {KEPT}


def test_what_cannot_be_kept_is_said_with_what_could_be(scan: Image) -> None:
    with pytest.raises(PromiseError, match=r"f50 of edges of .* HU falls to .* Promise a noise of -\d+ %") as told:
        denoise(scan, method=METHOD, keep_mtf=0.98, noise=-0.45)
    possible = int(str(told.value).split("noise of -")[1].split(" ")[0])
    kept = denoise(scan, method=METHOD, keep_mtf=0.98, noise=-possible / 100)
    assert not kept.contract.broken
    assert told.value.exit_code == 3


def test_noise_beyond_what_the_method_removes_is_refused(scan: Image) -> None:
    with pytest.raises(PromiseError, match=r"falls by \d+ % at most, not by 99 %"):
        denoise(scan, method=METHOD, noise=-0.99)


def test_a_single_slice_can_be_promised(scan: Image) -> None:
    result = denoise(uniform(slices=1), method=METHOD, keep_mtf=0.9)
    assert 0 < result.contract.strength < 1
    assert result.contract.places >= 4


def test_a_scan_without_room_for_discs_is_refused_before_anything_is_made_of_it() -> None:
    steps = np.where(np.add.outer(np.arange(96) // 8, np.arange(96) // 8) % 2, 300.0, -90.0)
    drawn = np.random.default_rng(1).normal(0, 10, (3, 96, 96))
    scan = Image((steps + drawn).astype(np.float32), (3.0, 1.0, 1.0), "CT", "HU")
    with pytest.raises(PromiseError, match="no room for discs"):
        denoise(scan, method=METHOD, keep_mtf=0.9)


@pytest.mark.parametrize(
    ("other", "word"),
    [({"strength": 0.5}, "strength"), ({"texture": "auto"}, "texture"), ({"texture": 0.3}, "texture")],
)
def test_a_promise_finds_the_strength_itself(scan: Image, other: dict[str, object], word: str) -> None:
    with pytest.raises(ContradictionError, match=f"noise .*{word} does not go with it"):
        denoise(scan, noise=-0.3, **other)


def test_nothing_is_promised_of_mr(scan: Image) -> None:
    with pytest.raises(InputError, match="MR in"):
        denoise(Image(scan.voxels, scan.spacing, "MR"), noise=-0.3)


def test_edges_that_the_method_lost_come_back_where_that_keeps_a_promise_better(scan: Image) -> None:
    result, promise = denoise(scan, method="gaussian", settings={"sigma": 2.0}, noise=-0.5), Promise(noise=-0.5)
    assert result.contract.edges
    assert result.record["settings"]["lost_edges"] == result.image.history[-1].settings["lost_edges"] == "put back"
    assert "lost_edges" not in result.denoiser.settings  # a saved model is the method's own
    offers = offers_of(scan, result.denoiser(scan), result.denoiser, result.fingerprint, 0, silent)
    plain, sharper = (Bargain(promise, offer, strength_for(promise, offer.curves)) for offer in offers)
    worth = [bargain.offer.curves.sharpness(0, bargain.strength)[0].low for bargain in (plain, sharper)]
    assert worth[1] > worth[0] + 0.05


def test_where_no_edge_comes_back_the_method_is_taken_as_it_is(scan: Image) -> None:
    assert not denoise(scan, method=METHOD, keep_hu=1.0).contract.edges
