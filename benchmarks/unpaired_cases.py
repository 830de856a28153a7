"""A simulated cohort with a known truth, low dose and full dose of different patients: body phantoms, and parts of real scans.

Phantoms 0 to 4 are scanned at low dose, 5 to 9 at full dose. Settings were chosen on 10 and 11 ("tuning"); the figures are of 12
to 14 ("test"). Where DEMOTTLE_REAL_DATA is set the two public scans join in, made noise-free, in parts of four slices, 256 x 256
pixels, at least four slices (12 mm) from each other (`unpaired_parts`). A part counts as a patient, and none is on two sides:
other anatomy, but of the same two people. Everything follows from seeds and is kept. What is learned from has the noise of
seed 0; another seed gives another noise of the judged patients, another split and another learning.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.cases import CACHE, RECIPES, Case
from benchmarks.unpaired_parts import part_noise, part_truth
from demottle.benchmark.suites.judging import body_mask
from demottle.image import Image
from demottle.learning.data.cohort import Sets
from demottle.learning.data.dataset import Choices, entries_of, sets_of
from demottle.physics.phantoms.phantom import body_phantom, low_dose_scan

SLICES, SIZE, SPACING = 4, 320, (3.0, 1.1, 1.1)
LOW_HU, FULL_HU, RHO = 40.0, 12.0, 0.2
PART_SPACING = {"abdomen": (3.0, 1.03, 1.03), "chest": (3.0, 0.8828125, 0.8828125)}
PHANTOMS = {"low": range(5), "full": range(5, 10), "tuning": range(10, 12), "test": range(12, 15)}
PARTS = {"low": (0, 3), "full": (1, 4), "tuning": (5,), "test": (2,)}


@dataclass(frozen=True)
class Patient:
    """Somebody of the cohort: a phantom ("phantom") or a part of a real scan ("abdomen", "chest")."""

    kind: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.kind}{self.number}"

    def truth(self, cache: Path = CACHE) -> Image:
        """The patient without noise, whole HU."""
        kind = "" if self.kind == "phantom" else self.kind
        path = cache / f"unpaired-truth-{kind}{self.number}.npy"
        if not path.exists():
            phantom = self.kind == "phantom"
            made = _phantom(self.number) if phantom else part_truth(self.kind, self.number)
            _save(path, np.rint(made))
        return self._image(path)

    def scan(self, sigma: float, seed: int = 0, cache: Path = CACHE) -> Image:
        """The patient as a scan at some noise level (HU, in the middle of the body) shows it, whole HU."""
        kind = "" if self.kind == "phantom" else self.kind
        path = cache / f"unpaired-scan-{kind}{self.number}-{sigma:g}-{seed}.npy"
        if not path.exists():
            noisy = _noisy_phantom if self.kind == "phantom" else _noisy_part
            _save(path, noisy(self, sigma, seed, cache))
        return self._image(path)

    def _image(self, path: Path) -> Image:
        spacing = SPACING if self.kind == "phantom" else PART_SPACING[self.kind]
        return Image(np.load(path), spacing, "CT", "HU", slice_thickness=spacing[0])


def has_real_scans() -> bool:
    """True where the public scans are to be had."""
    return bool(os.environ.get("DEMOTTLE_REAL_DATA"))


def patients(side: str, real: bool) -> list[Patient]:
    """Return who is on a side: "low", "full", "tuning" or "test"."""
    found = [Patient("phantom", number) for number in PHANTOMS[side]]
    if real:
        found += [Patient(kind, number) for number in PARTS[side] for kind in RECIPES]
    return found


def cohort(shift: float = 0.0, paired: bool = False, seed: int = 0, real: bool = False, cache: Path = CACHE) -> Sets:
    """Return the sets to learn from; `shift` HU are added to every full-dose scan, `seed` is that of the split.

    `paired`: in place of the full-dose scans the low-dose patients without noise, for methods that learn from pairs.
    """
    low = [(one.name, one.scan(LOW_HU, cache=cache)) for one in patients("low", real)]
    if paired:
        full = [(one.name, one.truth(cache)) for one in patients("low", real)]
    else:
        full = [(one.name, one.scan(FULL_HU, cache=cache)) for one in patients("full", real)]
    full = [(name, image.with_voxels(image.voxels + np.float32(shift))) for name, image in full]
    return sets_of(entries_of(low), entries_of(full), cache / "unpaired-sets", Choices(seed=seed, paired=paired))


def tests(seed: int = 0, real: bool = False, who: str = "test", cache: Path = CACHE) -> list[tuple[Patient, Case]]:
    """Return low-dose scans that nothing is learned from, with their truths; `who`: "test", or "tuning"."""
    found = []
    for one in patients(who, real):
        clean, noisy = one.truth(cache), one.scan(LOW_HU, seed, cache)
        text = f"{one.name}, {LOW_HU:g} HU, rho {RHO:g}, {clean.shape[0]} slices of {clean.shape[1]} x {clean.shape[2]}"
        found.append((one, Case(clean, noisy, body_mask(clean, shrink=2), text)))
    return found


def _phantom(number: int) -> np.ndarray:
    return body_phantom(SLICES, SIZE, SPACING, seed=100 + number).voxels


def _noisy_phantom(patient: Patient, sigma: float, seed: int, cache: Path) -> np.ndarray:
    return low_dose_scan(patient.truth(cache), sigma, RHO, seed=1000 * seed + patient.number).voxels


def _noisy_part(patient: Patient, sigma: float, seed: int, cache: Path) -> np.ndarray:
    noise = part_noise(patient.kind, patient.number, sigma, RHO, seed=1000 * seed + patient.number)
    return np.rint(patient.truth(cache).voxels + noise)


def _save(path: Path, voxels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npy")
    np.save(part, voxels.astype(np.float32))
    part.replace(path)
