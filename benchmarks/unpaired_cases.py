"""A simulated cohort with a known truth: body phantoms of varied anatomy, low dose and full dose of different patients.

Patients 0 to 4 are scanned at low dose, 5 to 9 at full dose, 10 and 11 at low dose for the figures. Everything is drawn from
seeds and kept in the cache.
"""

from pathlib import Path

import numpy as np

from benchmarks.cases import CACHE, Case, body_mask
from demottle.image import Image
from demottle.learning.cohort import Sets
from demottle.learning.gathering import Choices, entries_of, sets_of
from demottle.physics.phantom import body_phantom, low_dose_scan

SLICES, SIZE, SPACING = 8, 128, (3.0, 2.8, 2.8)
LOW_HU, FULL_HU, RHO = 40.0, 12.0, 0.2
LOW, FULL, TEST = range(5), range(5, 10), range(10, 12)


def cohort(shift: float = 0.0, paired: bool = False, seed: int = 0, cache: Path = CACHE) -> Sets:
    """Return the sets to learn from; `shift` HU are added to every full-dose scan.

    `paired`: the full-dose scans are those of the low-dose patients, for methods that learn from pairs.
    """
    low = [(f"low{n}", scan(n, LOW_HU, seed, cache)) for n in LOW]
    if paired:
        low = [(f"patient{n}", image) for n, (_, image) in zip(LOW, low, strict=True)]
        full = [(f"patient{n}", scan(n, FULL_HU, seed + 1, cache)) for n in LOW]
    else:
        full = [(f"full{n}", scan(n, FULL_HU, seed, cache)) for n in FULL]
    full = [(name, image.with_voxels(image.voxels + np.float32(shift))) for name, image in full]
    return sets_of(entries_of(low), entries_of(full), cache / "unpaired-sets", Choices(seed=seed, paired=paired))


def tests(seed: int = 0, cache: Path = CACHE) -> list[Case]:
    """Return the low-dose scans that nothing is learned from, with their truths."""
    cases = []
    for number in TEST:
        clean = truth(number, cache)
        text = f"body phantom {number}, {LOW_HU:g} HU, rho {RHO:g}, {SLICES} slices of {SIZE} x {SIZE}"
        cases.append(Case(clean, scan(number, LOW_HU, seed, cache), body_mask(clean, shrink=2), text))
    return cases


def truth(number: int, cache: Path = CACHE) -> Image:
    """Return one patient without noise."""
    path = cache / f"unpaired-truth-{number}.npy"
    if not path.exists():
        _save(path, body_phantom(SLICES, SIZE, SPACING, seed=100 + number).voxels)
    return Image(np.load(path), SPACING, "CT", "HU", slice_thickness=SPACING[0])


def scan(number: int, sigma: float, seed: int = 0, cache: Path = CACHE) -> Image:
    """Return one patient as a scan at some noise level shows it."""
    clean = truth(number, cache)
    path = cache / f"unpaired-scan-{number}-{sigma:g}-{seed}.npy"
    if not path.exists():
        _save(path, low_dose_scan(clean, sigma, RHO, seed=1000 * seed + number).voxels)
    return clean.with_voxels(np.load(path))


def _save(path: Path, voxels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npy")
    np.save(part, voxels.astype(np.float32))
    part.replace(path)
