"""Benchmark cases: real anatomy made noise-free, with the noise of a low dose simulated in the projections; and phantoms.

`load_case("abdomen", rho=0.12)` needs the public scans in the folder named by DEMOTTLE_REAL_DATA. The first call builds the
truth (minutes) and the independent noise of every slice; both are kept in the cache, so another rho only costs the mixing.
The phantoms ("phantom", "thin") need nothing, and no setting was chosen on them.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.truth import REACH, make_truth
from demottle.benchmark.suites.judging import body_mask
from demottle.image import Image
from demottle.physics.ct.ct_noise import Scanner, independent_noise, mix_slices
from demottle.physics.phantoms.catalog import build
from demottle.physics.phantoms.phantom import low_dose_scan

CACHE = Path(__file__).parent.parent / "benchmark-results" / "cache"


@dataclass(frozen=True)
class Case:
    truth: Image
    noisy: Image
    body: np.ndarray
    """Where metrics are taken: the body without its outermost pixels."""
    description: str


@dataclass(frozen=True)
class Recipe:
    description: str
    kernel: str
    sigma: float
    own_rho: float
    """Slice-to-slice noise correlation of the real scan."""
    patch: int
    """Pixels across the flat patches that its noise spectrum is measured in."""


RECIPES = {
    "abdomen": Recipe(
        "Abdomen, Toshiba FC13, 3 mm, a quarter of the dose, 40 HU in the middle", "soft", 40.0, 0.12, 64
    ),
    "chest": Recipe(
        "Chest from heart to shoulders, Siemens B40f, 3 mm, low dose, 40 HU on average", "standard", 40.0, 0.28, 32
    ),
}


@dataclass(frozen=True)
class PhantomRecipe:
    description: str
    slices: int
    spacing: tuple[float, float, float]
    sigma: float = 40.0
    size: int = 256


PHANTOMS = {
    "phantom": PhantomRecipe("Analytic body, 3 mm slices, 40 HU", 24, (3.0, 1.5, 1.5)),
    "thin": PhantomRecipe("Analytic body, 1 mm slices, 60 HU", 72, (1.0, 1.5, 1.5), 60.0),
}


def load_case(name: str, rho: float, seed: int = 0, slices: slice | None = None, cache: Path = CACHE) -> Case:
    """Build or load a case.

    Args:
        name: "abdomen", "chest", "phantom" or "thin".
        rho: correlation of the noise of adjacent slices, 0 to 0.7.
        seed: another seed gives another realization of the noise.
        slices: which slices; None: all. Where the whole truth is in the cache, the noise of a slice does not depend on the
            choice; else only the truth of those slices is made (with two more at either side), which is kept too.
        cache: folder for truth and independent noise.
    """
    if name in PHANTOMS:
        return _phantom_case(PHANTOMS[name], rho, seed, slices)
    recipe = RECIPES[name]
    part = "" if slices is None or _truth_path(name, cache).exists() else f"-{slices.start}-{slices.stop}"
    truth = load_truth(name, cache, slices if part else None)
    slices = None if part else slices
    body = body_mask(truth)
    path = Path(cache) / f"{name}{part}-noise-{seed}.npy"
    if not path.exists():
        region = None if name == "abdomen" else body & (truth.voxels > -150) & (truth.voxels < 200)
        scanner = Scanner(kernel=recipe.kernel)
        save(path, independent_noise(truth, recipe.sigma, scanner, seed, region=region))
    chosen = range(truth.shape[0])[slices or slice(None)]
    first, last = chosen[0], chosen[-1] + 1
    unmixed = np.load(path, mmap_mode="r")[first : last + 2]  # one more slice at either end, for mixing
    noisy = np.rint(truth.voxels[first:last] + mix_slices(unmixed, rho))[:: chosen.step]
    picked = image_of(truth.voxels[first : last : chosen.step], truth.spacing)
    text = f"{recipe.description}; rho {rho:g}, noise seed {seed}, {len(chosen)} slices"
    return Case(picked, image_of(noisy, truth.spacing), body[first : last : chosen.step], text)


def _phantom_case(recipe: PhantomRecipe, rho: float, seed: int, slices: slice | None) -> Case:
    truth = build("body", recipe.slices, recipe.size, recipe.spacing, seed).image
    truth = image_of(truth.voxels[slices or slice(None)], truth.spacing)
    noisy = low_dose_scan(truth, recipe.sigma, rho, seed)
    return Case(truth, noisy, body_mask(truth), f"{recipe.description}; rho {rho:g}, seed {seed} of patient and noise")


def load_truth(name: str, cache: Path = CACHE, part: slice | None = None) -> Image:
    """The noise-free scan or a part of it, from the cache or built from the real one."""
    path = _truth_path(name, cache, part)
    voxels, spacing = read_real(name)
    if not path.exists():
        first, last = (0, len(voxels)) if part is None else (part.start, part.stop)
        around = slice(max(0, first - REACH), last + REACH)
        truth = make_truth(voxels[around], RECIPES[name].own_rho, RECIPES[name].patch)
        save(path, truth[first - around.start :][: last - first])
    return image_of(np.load(path), spacing)


def _truth_path(name: str, cache: Path, part: slice | None = None) -> Path:
    return Path(cache) / (f"{name}-truth.npy" if part is None else f"{name}-{part.start}-{part.stop}-truth.npy")


def read_real(name: str) -> tuple[np.ndarray, tuple[float, float, float]]:
    folder = os.environ.get("DEMOTTLE_REAL_DATA")
    if not folder:
        raise SystemExit("Set DEMOTTLE_REAL_DATA to the folder with the public scans abdomen-ct and chest-ct-dicom.")
    import nibabel  # here, because a cached case needs neither
    import pydicom

    if name == "abdomen":
        scan = nibabel.load(Path(folder) / "abdomen-ct" / "ct.nii.gz")
        columns, rows, slices = (float(z) for z in scan.header.get_zooms())
        return np.asarray(scan.dataobj, np.float32).transpose(2, 1, 0), (slices, rows, columns)
    files = sorted((Path(folder) / "chest-ct-dicom" / "dicom").glob("*.dcm"))
    headers = sorted((pydicom.dcmread(f) for f in files), key=lambda h: h.ImagePositionPatient[2])
    headers = headers[38:]  # heart to shoulders
    planes = [h.pixel_array * float(h.RescaleSlope) + float(h.RescaleIntercept) for h in headers]
    gap = float(headers[1].ImagePositionPatient[2] - headers[0].ImagePositionPatient[2])
    row, column = (float(x) for x in headers[0].PixelSpacing)
    return np.stack(planes).astype(np.float32), (gap, row, column)


def image_of(voxels: np.ndarray, spacing: tuple[float, float, float]) -> Image:
    return Image(np.ascontiguousarray(voxels), spacing, modality="CT", unit="HU", slice_thickness=spacing[0])


def save(path: Path, voxels: np.ndarray) -> None:
    """Save whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npy")
    np.save(part, voxels.astype(np.float32))
    part.replace(path)
