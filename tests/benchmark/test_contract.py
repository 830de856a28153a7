"""The suite contract: a scan with discs, and a promise whose figures the truth bears out."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.benchmark.suites.cases import Choices
from demottle.benchmark.suites.ct_anatomies import JUDGING
from demottle.benchmark.suites.decisions.contract import PROMISES, Scan, held_against, specs
from demottle.image import Image
from demottle.methods import method
from demottle.noise.fingerprint import measure
from demottle.physics.phantoms.inserts import Insert, add_inserts
from demottle.pipeline.contract import Offer, best_of
from demottle.quality.check.level import flat_noise
from demottle.quality.contract.curves import Curves
from demottle.quality.contract.inserted import (
    BLUR_MM,
    CONTRASTS,
    HEIGHT_MM,
    height_in,
    measure_edges,
    places_for_edges,
)


def smooth(image: Image) -> Image:
    return image.with_voxels(gaussian_filter(image.voxels, [0, 1, 1]))


@pytest.fixture(scope="module")
def scan() -> Scan:
    plain = Image(np.full((6, 192, 192), 50, np.float32), (3.0, 1.0, 1.0), "CT", "HU")
    places = places_for_edges(plain, 1)
    discs = [
        Insert((float(z), float(y), float(x)), places.radius_mm, CONTRASTS[n % 2], HEIGHT_MM)
        for n, (z, y, x) in enumerate(places.centers)
    ]
    truth = add_inserts(plain, discs, BLUR_MM)
    noise = np.random.default_rng(1).normal(0, 20, plain.shape).astype(np.float32)
    return Scan(truth.with_voxels(truth.voxels + noise), truth, plain, places)


def test_in_a_few_thin_slices_discs_go_through_all_of_them() -> None:
    plain = Image(np.full((8, 160, 160), 50, np.float32), (0.6, 0.6, 0.6), "CT", "HU")
    places = places_for_edges(plain, 1)
    (z, y, x), height = places.centers[0], height_in(plain)
    made = add_inserts(plain, [Insert((float(z), float(y), float(x)), places.radius_mm, 35, height)])
    assert (made.voxels[:, y, x] > 80).all()


def test_only_judging_kinds_and_the_phantom_are_looked_at() -> None:
    made = specs(Choices())
    assert {spec.group for spec in made} == {"judge: phantom, 40 HU", *JUDGING}
    assert len({spec.seed for spec in made}) == len(made)


@pytest.mark.parametrize("name", list(PROMISES))
def test_what_a_linear_filter_foretells_is_so(scan: Scan, name: str) -> None:
    full, places = smooth(scan.noisy), places_for_edges(smooth(smooth(scan.noisy)), 2)
    edges = [measure_edges(scan.noisy, smooth, places, contrast) for contrast in CONTRASTS]
    curves = Curves(edges, flat_noise(scan.noisy, full), [], 0)
    gaussian = method("gaussian").load()
    denoiser = gaussian.fit(scan.noisy, gaussian.Settings(), measure(scan.noisy))
    bargain = best_of(PROMISES[name], [Offer(denoiser, full, curves)])
    figures, told = held_against(bargain, scan, smooth(scan.mirrored), 0)
    assert abs(figures["apart"] or 1.0) < 0.02
    assert figures["noise"] == pytest.approx(told["noise_told"]["value"], abs=0.02)
    assert told["kept"] is (name == "sharp")
