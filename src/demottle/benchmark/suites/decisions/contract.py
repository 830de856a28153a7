"""Suite contract: is what a promise foretells of a scan so, against the truth?

Scans of the judging kinds of `ct_anatomies` and a phantom with 40 HU of noise, eight slices each, hold discs of 35 and 100 HU
wherever there is room. The default denoises them and a promise is made of its result, without the truth: a noise of -45 %
with 98 % of f50, and 90 % of f50 with as little noise as goes. Then the truth says what is so: f50 and f10 of these discs, and
the noise in flat soft tissue. The scan's own noise is known and taken from the blend before edges are measured. What is put back
at edges holds more of it: so edges are those of the mean of two results, of the scan and of the truth less the scan's noise,
which is as likely.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from demottle.benchmark.suites.cases import CaseSpec, Choices, Finding
from demottle.benchmark.suites.ct_anatomies import JUDGING
from demottle.benchmark.suites.ct_anatomies import drawn as drawn_anatomy
from demottle.benchmark.suites.store import kept
from demottle.events import silent
from demottle.image import Image, Mask, Voxels
from demottle.methods.edges_put_back import EdgesPutBack
from demottle.physics.ct.ct_noise import simulate_noise
from demottle.physics.phantoms.inserts import Insert, add_inserts
from demottle.physics.phantoms.phantom import body_phantom
from demottle.pipeline.contract import Bargain, best_of, offers_of
from demottle.pipeline.request import Request
from demottle.pipeline.run import fitted, kind_of, planned
from demottle.quality.check.level import FlatNoise
from demottle.quality.contract.curves import Curves
from demottle.quality.contract.inserted import BLUR_MM, CONTRASTS, Edges, Places, edges_at, height_in, places_for_edges
from demottle.quality.contract.promise import Promise

FIRST_SEED = 8800
SLICES = 8
NOISE_HU = 40.0
PROMISES: Mapping[str, Promise] = {"noise": Promise(keep_mtf=0.98, noise=-0.45), "sharp": Promise(keep_mtf=0.9)}
_PHANTOM = "judge: phantom, 40 HU"
_SOFT = (-20.0, 120.0)
_STEEP = 4.0  # HU in a pixel


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan with discs, its truth, and the truth without them."""

    noisy: Image
    truth: Image
    plain: Image
    places: Places

    @property
    def mirrored(self) -> Image:
        """The truth with the opposite of the scan's noise."""
        return self.truth.with_voxels(2 * self.truth.voxels - self.noisy.voxels)


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the cases: one of each kind and the phantom."""
    names = [_PHANTOM, *JUDGING]
    count = choices.seeds or 1
    return tuple(
        CaseSpec("contract", name, FIRST_SEED + 100 * draw + number, dict(JUDGING.get(name, {})))
        for number, name in enumerate(names[:1] if choices.quick else names)
        for draw in range(count)
    )


def entrants() -> tuple[str, ...]:
    """What `denoise` does without options."""
    return ("default",)


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Denoise one scan, make both promises, and hold what they foretell against the truth."""
    scan = scan_of(spec, cache)
    request, kind = Request(seed=spec.seed), kind_of(scan.noisy)
    found = kind.measure(scan.noisy, request, silent)
    denoiser = fitted(kind, found, request, planned(kind, found, request)).denoiser
    full = denoiser(scan.noisy)
    offers = offers_of(scan.noisy, full, denoiser, found.fingerprint, spec.seed, silent)
    twin = denoiser(scan.mirrored)
    true = true_curves(scan, full, twin, spec.seed)
    if not (offers[0].curves.edges and true.edges):
        return Finding({}, {"missed": f"{spec.group}: no room for discs"})
    quality: dict[str, float | None] = {}
    apart: list[float | None] = []
    said: dict[str, Any] = {
        "discs": [len(one.left) for one in true.edges],
        "put_in": len(offers[0].curves.edges[0].left),
    }
    for name, promise in PROMISES.items():
        bargain = best_of(promise, offers)
        way = bargain.offer.denoiser
        edges = way.finished(scan.mirrored, twin) if isinstance(way, EdgesPutBack) else twin
        figures, told = held_against(bargain, scan, edges, spec.seed)
        apart.append(figures.pop("apart"))
        quality |= {f"{name}_{key}": value for key, value in figures.items()}
        said[name] = told
    quality["apart"] = max(apart, key=lambda value: abs(value or 0.0))
    return Finding(quality, said)


def scan_of(spec: CaseSpec, cache: Path) -> Scan:
    """Make the scan of a case: every second disc is of 100 HU."""
    recipe = {**spec.recipe, "slices": SLICES}
    parts = kept(cache, spec, lambda: _phantom(spec.seed) if spec.group == _PHANTOM else _anatomy(recipe, spec))
    spacing = (3.0, 1.4, 1.4) if spec.group == _PHANTOM else tuple(float(step) for step in spec.recipe["spacing"])
    z, y, x = spacing
    plain = Image(parts["plain"], (z, y, x), "CT", "HU", slice_thickness=z)
    places = places_for_edges(plain, spec.seed)
    height = height_in(plain)
    discs = [
        Insert((float(at[0]), float(at[1]), float(at[2])), places.radius_mm, CONTRASTS[number % 2], height)
        for number, at in enumerate(places.centers)
    ]
    truth = add_inserts(plain, discs, BLUR_MM)
    return Scan(truth.with_voxels(np.rint(truth.voxels + parts["noise"])), truth, plain, places)


def _phantom(seed: int) -> dict[str, Voxels]:
    plain = body_phantom(SLICES, 256, (3.0, 1.4, 1.4), seed)
    region: Mask = (plain.voxels > -150) & (plain.voxels < 200)
    return {"plain": plain.voxels, "noise": simulate_noise(plain, NOISE_HU, 0.25, "standard", seed, region=region)}


def _anatomy(recipe: Mapping[str, Any], spec: CaseSpec) -> dict[str, Voxels]:
    return drawn_anatomy(CaseSpec("ct-anatomies", spec.group, spec.seed, recipe))


def true_curves(scan: Scan, full: Image, twin: Image, seed: int) -> Curves:
    """What the truth says of the discs of a denoised scan, at every strength; `twin`: the mirrored scan, denoised."""
    there = scan.truth.voxels - scan.plain.voxels
    left = np.asarray((full.voxels + twin.voxels) / 2 - scan.plain.voxels, np.float32)
    made: list[Edges] = []
    for number, contrast in enumerate(CONTRASTS):
        centers = scan.places.centers[number::2]
        if len(centers) >= 3:
            ones = np.ones(len(centers))
            made.append(edges_at(there, left, Places(scan.places.radius_mm, centers), ones, contrast, scan.truth))
    nothing = np.zeros(0, np.float32)
    return Curves(made, FlatNoise(nothing, nothing, nothing, np.zeros(0, np.int64)), [], seed)


def _flat(plain: Image) -> Mask:
    """Soft tissue of the truth without its edges, three pixels inside."""
    soft = (plain.voxels > _SOFT[0]) & (plain.voxels < _SOFT[1])
    steep = np.hypot(np.gradient(plain.voxels, axis=1), np.gradient(plain.voxels, axis=2)) > _STEEP
    inside = (soft & ~steep).astype(np.uint8)
    return np.stack([cv2.erode(plane, np.ones((7, 7), np.uint8)) for plane in inside]) > 0


def held_against(
    bargain: Bargain, scan: Scan, twin: Image, seed: int
) -> tuple[dict[str, float | None], dict[str, Any]]:
    """Figures of one promise: what is so; and beside it what was told, with its intervals. `twin` as in `true_curves`."""
    strength, full, curves = bargain.strength, bargain.offer.full, bargain.offer.curves
    true, contract = true_curves(scan, full, twin, seed), bargain.contract()
    figures: dict[str, float | None] = {}
    told: dict[str, Any] = {"contract": contract.to_dict(), "kept": not contract.broken}
    apart = []
    for number, (mine, so) in enumerate(zip(curves.edges, true.edges, strict=False)):
        f50, f10, contrast = true.sharpness(number, strength)
        foretold = curves.sharpness(number, strength)[0]
        figures |= {f"f50_{mine.contrast:g}": f50.value, f"f10_{mine.contrast:g}": f10.value}
        told[f"{so.contrast:g} HU"] = {
            "f50": vars(f50),
            "f10": vars(f10),
            "contrast": vars(contrast),
            "told": vars(foretold),
        }
        apart.append(foretold.value - f50.value)
    noise = blended_error(scan, full, strength) / blended_error(scan, full, 0.0) - 1
    figures |= {"noise": noise, "apart": float(max(apart, key=abs)) if apart else None}
    told["noise_told"] = vars(curves.noise(strength))
    return figures, told


def blended_error(scan: Scan, full: Image, strength: float) -> float:
    """Standard deviation in HU of what a blend differs from the truth by, where soft tissue is flat."""
    blend = scan.noisy.voxels + np.float32(strength) * (full.voxels - scan.noisy.voxels)
    return float((blend - scan.truth.voxels)[_flat(scan.plain)].std())
