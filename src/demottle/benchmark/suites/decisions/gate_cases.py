"""Scans on which the default's own result is held against the gate: phantoms, real anatomy with simulated noise, real scans.

Where the truth is known, what the gate says of a tissue can be held against what is so. Scans made of the public ones are there
where their folder is given; truths made from them are kept in the cache. `half` says which cases a rule was chosen on ("tune")
and which it was only looked at with ("judge").
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demottle.benchmark.suites.judging import body_mask
from demottle.benchmark.suites.real_scans import image_of, read_real
from demottle.benchmark.suites.store import kept_as
from demottle.benchmark.suites.truth import average_matched
from demottle.image import Image, Mask, Voxels
from demottle.physics.ct.ct_noise import simulate_noise
from demottle.physics.ct.projection import Kernel
from demottle.physics.phantoms.brain import BrainTissue, brain_phantom
from demottle.physics.phantoms.phantom import body_phantom
from demottle.pipeline.run import denoise

TUNING, JUDGING = "tune", "judge"
Make = Callable[[Path | None, Path], tuple[Image | None, Image]]
"""From the folder of the public scans and the cache to truth (None: not known) and scan."""
_HEAD_HU = {
    BrainTissue.AIR: -1000, BrainTissue.SKIN: 45, BrainTissue.FAT: -95, BrainTissue.BONE: 1250, BrainTissue.MARROW: 450,
    BrainTissue.FLUID: 8, BrainTissue.GRAY: 39, BrainTissue.WHITE: 29, BrainTissue.DEEP_GRAY: 37, BrainTissue.VESSEL: 55,
    BrainTissue.LESION: 60,
}  # fmt: skip


@dataclass(frozen=True)
class GateCase:
    """One scan: a name, its half, what it is, how it is made, and whether that needs the public scans."""

    name: str
    half: str
    what: str
    make: Make
    real: bool = False


def head_phantom(slices: int, size: int, spacing: tuple[float, float, float], seed: int) -> Image:
    """A noise-free CT of a head: the analytic brain phantom with CT numbers, the mean of 2 x 2 x 3 labels in each voxel."""
    parts = (3, 2, 2)
    fine = (spacing[0] / parts[0], spacing[1] / parts[1], spacing[2] / parts[2])
    labels = brain_phantom(slices * parts[0], size * parts[1], fine, seed).tissue
    table = np.zeros(max(BrainTissue) + 1, np.float32)
    for tissue, hu in _HEAD_HU.items():
        table[tissue] = hu
    split = table[labels].reshape(slices, parts[0], size, parts[1], size, parts[2])
    return Image(split.mean(axis=(1, 3, 5), dtype=np.float32), spacing, "CT", "HU", slice_thickness=spacing[0])


def cases(real: bool) -> list[GateCase]:
    """All cases; with `real` those of the public scans, too."""
    made = [*_bodies(), *_heads()]
    return [*made, *_real_anatomy(), *_real_scans()] if real else made


def _noisy(truth: Image, sigma: float, rho: float, seed: int, kernel: Kernel) -> Image:
    region: Mask = body_mask(truth) & (truth.voxels > -150) & (truth.voxels < 200)
    noise = simulate_noise(truth, sigma, rho, kernel, seed, region=region)
    return truth.with_voxels(np.rint(truth.voxels + noise))


def _bodies() -> list[GateCase]:
    def case(
        half: str, sigma: float, rho: float, seed: int, kernel: Kernel, slices: int, spacing: tuple[float, float, float]
    ) -> GateCase:
        def make(real: Path | None, cache: Path) -> tuple[Image, Image]:
            truth = body_phantom(slices, 256, spacing, seed)
            return truth, _noisy(truth, sigma, rho, seed, kernel)

        name = f"body-{sigma:g}-{kernel}-{spacing[0]:g}mm-{seed}"
        return GateCase(name, half, f"Analytic abdomen, {sigma:g} HU, {kernel} kernel, rho {rho:g}", make)

    usual, thin, child = (3.0, 1.4, 1.4), (1.0, 1.4, 1.4), (3.0, 0.8, 0.8)
    return [
        case(TUNING, 10, 0.12, 1, "soft", 20, usual), case(TUNING, 25, 0.28, 2, "standard", 20, usual),
        case(TUNING, 60, 0.45, 3, "soft", 20, usual), case(TUNING, 40, 0.25, 4, "sharp", 48, thin),
        case(JUDGING, 15, 0.45, 5, "sharp", 20, usual), case(JUDGING, 40, 0.12, 6, "soft", 20, usual),
        case(JUDGING, 50, 0.28, 7, "standard", 20, usual), case(JUDGING, 60, 0.25, 8, "soft", 48, thin),
        case(JUDGING, 30, 0.12, 9, "standard", 20, child), case(JUDGING, 20, 0.6, 10, "soft", 20, usual),
    ]  # fmt: skip


def _heads() -> list[GateCase]:
    def case(half: str, sigma: float, rho: float, seed: int, kernel: Kernel, slices: int, thickness: float) -> GateCase:
        def make(real: Path | None, cache: Path) -> tuple[Image, Image]:
            truth = head_phantom(slices, 256, (thickness, 0.86, 0.86), seed)
            return truth, _noisy(truth, sigma, rho, seed, kernel)

        name = f"head-{sigma:g}-{kernel}-{thickness:g}mm-{seed}"
        return GateCase(name, half, f"Analytic head, {sigma:g} HU, {kernel} kernel, rho {rho:g}", make)

    return [
        case(TUNING, 10, 0.45, 1, "soft", 20, 3), case(TUNING, 28, 0.45, 2, "soft", 20, 3),
        case(JUDGING, 20, 0.28, 3, "standard", 20, 3), case(JUDGING, 28, 0.45, 4, "sharp", 20, 3),
        case(JUDGING, 45, 0.12, 5, "soft", 20, 3), case(JUDGING, 40, 0.25, 6, "standard", 40, 1),
        case(JUDGING, 15, 0.12, 7, "soft", 16, 5),
    ]  # fmt: skip


_REGIONS = {
    "abdomen-lower": ("abdomen", slice(4, 20)), "abdomen-upper": ("abdomen", slice(40, 56)),
    "chest-heart": ("chest", slice(4, 20)), "chest-lung": ("chest", slice(24, 40)), "shoulders": ("chest", slice(46, 62)),
}  # fmt: skip
_ROWS, _COLUMNS = slice(80, 400), slice(20, 340)  # one side of the body with its skin


def _real_anatomy() -> list[GateCase]:
    def case(half: str, region: str, sigma: float, rho: float, kernel: Kernel, seed: int) -> GateCase:
        def make(real: Path | None, cache: Path) -> tuple[Image, Image]:
            truth = real_truth(region, real, cache)
            return truth, _noisy(truth, sigma, rho, seed, kernel)

        what = f"Real anatomy ({region}) made noise-free, {sigma:g} HU, {kernel} kernel, rho {rho:g}"
        return GateCase(f"{region}-{sigma:g}", half, what, make, real=True)

    return [
        case(TUNING, "abdomen-lower", 15, 0.12, "soft", 1), case(TUNING, "abdomen-lower", 40, 0.45, "soft", 2),
        case(TUNING, "chest-heart", 25, 0.28, "standard", 3), case(TUNING, "chest-heart", 60, 0.26, "soft", 4),
        case(JUDGING, "abdomen-upper", 20, 0.28, "standard", 5), case(JUDGING, "abdomen-upper", 40, 0.12, "soft", 6),
        case(JUDGING, "abdomen-upper", 60, 0.45, "soft", 7), case(JUDGING, "chest-lung", 15, 0.45, "sharp", 8),
        case(JUDGING, "chest-lung", 50, 0.26, "soft", 9), case(JUDGING, "shoulders", 30, 0.28, "standard", 10),
        case(JUDGING, "shoulders", 60, 0.45, "soft", 11),
    ]  # fmt: skip


def real_truth(region: str, real: Path | None, cache: Path) -> Image:
    """A part of a real scan made noise-free: denoised by the default and averaged over its neighbors (`truth.average_matched`).

    That would favor the default against other methods; here nothing is compared but what the gate says with what is so.
    """
    scan, slices = _REGIONS[region]
    voxels, spacing = read_real(scan, real)

    def made() -> dict[str, Voxels]:
        part = image_of(voxels[slices, _ROWS, _COLUMNS], spacing)
        return {"truth": average_matched(denoise(part).image.voxels)}

    return image_of(kept_as(cache, f"gate-{region}", made)["truth"], spacing)


def _real_scans() -> list[GateCase]:
    def case(
        half: str, name: str, scan: str, slices: slice, rows: slice = _ROWS, columns: slice = _COLUMNS
    ) -> GateCase:
        def make(real: Path | None, cache: Path) -> tuple[None, Image]:
            voxels, spacing = read_real(scan, real)
            part = np.ascontiguousarray(voxels[slices, rows, columns])
            step = slices.step or 1
            image = Image(part, (spacing[0] * step, *spacing[1:]), "CT", "HU", slice_thickness=spacing[0])
            return None, image

        return GateCase(name, half, f"Real scan ({scan}) as it was stored", make, real=True)

    other = slice(172, 492)
    return [
        case(TUNING, "stored-abdomen-lower", "abdomen", slice(0, 20)),
        case(TUNING, "stored-heart", "chest", slice(0, 20)),
        case(JUDGING, "stored-abdomen-upper", "abdomen", slice(36, 60), columns=other),
        case(JUDGING, "stored-abdomen-6mm", "abdomen", slice(0, 64, 2)),
        case(JUDGING, "stored-lung", "chest", slice(20, 40), columns=other),
        case(JUDGING, "stored-shoulders", "chest", slice(42, 62)),
        case(JUDGING, "stored-spine", "abdomen", slice(10, 30), slice(200, 420), slice(150, 370)),
        case(JUDGING, "stored-three-slices", "chest", slice(30, 33)),
    ]
