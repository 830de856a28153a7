"""What the default method is taught: small batches hold the same shares as large ones."""

import numpy as np
import pytest

from demottle.errors import InputError, UnsuitableError
from demottle.image import Image
from demottle.methods.base import Budget
from demottle.methods.one_scan import matched_neighbors
from demottle.methods.one_scan.scan_noise import ScanNoise
from demottle.noise.fingerprint import measure


@pytest.fixture(scope="module")
def noisy_ct() -> Image:
    rows, columns = np.mgrid[-80:80, -80:80]
    body = np.where(np.hypot(rows, columns) < 70, 40, -1000)
    noise = 30 * np.random.default_rng(5).standard_normal((6, 160, 160))
    return Image((body + noise).astype(np.float32), (3.0, 1.0, 1.0), "CT", "HU")


@pytest.mark.parametrize(("batch", "share"), [(1, 0.25), (2, 0.25)])
def test_a_share_of_a_small_batch_holds_on_average(
    noisy_ct: Image, monkeypatch: pytest.MonkeyPatch, batch: int, share: float
) -> None:
    drawn: list[int] = []
    draw = ScanNoise.draw_stack

    def counted(self: ScanNoise, places: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
        drawn.append(len(places))
        return draw(self, places, size, random)

    monkeypatch.setattr(ScanNoise, "draw_stack", counted)
    settings = matched_neighbors.MatchedNeighborsSettings(
        channels=(4,), patch=32, batch=batch, start=False, recorrupted_share=share, structured_share=share
    )

    matched_neighbors.fit(noisy_ct, settings, measure(noisy_ct), seed=0, budget=Budget(steps=80))

    assert sum(drawn) / (80 * batch) == pytest.approx(share, abs=0.1)


def test_a_slice_without_neighbors_teaches_itself_in_every_patch(
    noisy_ct: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    draw = ScanNoise.draw_stack

    def counted(self: ScanNoise, places: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
        drawn.append(len(places))
        return draw(self, places, size, random)

    monkeypatch.setattr(ScanNoise, "draw_stack", counted)
    one = noisy_ct.part(0, 1)
    settings = matched_neighbors.MatchedNeighborsSettings(channels=(4,), patch=32, batch=2, start=False)

    fitted = matched_neighbors.fit(one, settings, measure(one), seed=0, budget=Budget(steps=40))

    examined = 16  # patches of the validation, drawn once
    assert sum(drawn) == examined + 40 * 2
    assert fitted.fitted["loss_last"] < 1.2 * (1 + settings.recorruption**-2)  # the noise of the target alone
    assert (fitted(one).voxels - 40)[0, 40:120, 40:120].std() < 12


def test_too_few_slices_for_what_the_network_is_to_see_are_refused(noisy_ct: Image) -> None:
    one = noisy_ct.part(0, 1)
    with pytest.raises(InputError, match="use slices=1"):
        matched_neighbors.fit(one, matched_neighbors.MatchedNeighborsSettings(slices=3), measure(one))
    with pytest.raises(UnsuitableError, match="recorruption=0"):
        matched_neighbors.fit(one, matched_neighbors.MatchedNeighborsSettings(recorruption=0), measure(one))
