"""The public scans that some suites are made of: abdomen and chest in CT, and what is told of their own noise.

The folder is given by `--real`, else by the environment's DEMOTTLE_REAL_DATA. Where it lies is not written to the results.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demottle.benchmark.suites.cases import CaseSpec
from demottle.benchmark.suites.store import kept_as
from demottle.benchmark.suites.truth import OwnNoise, own_noise
from demottle.errors import InputError
from demottle.image import Image, Voxels
from demottle.physics.ct.projection import Kernel

VARIABLE = "DEMOTTLE_REAL_DATA"
Spacing = tuple[float, float, float]
_HEART = 38  # the first of the chest's slices that is used, from there to the shoulders


@dataclass(frozen=True)
class Recipe:
    """How a low dose of a public scan is simulated.

    Attributes:
        kernel: of the reconstruction.
        sigma: noise in HU: in the middle of an abdomen, in all soft tissue of a chest.
        own_rho: correlation of the scan's own noise between adjacent slices.
        patch: pixels across the flat patches that its noise spectrum is measured in.
    """

    kernel: Kernel
    sigma: float
    own_rho: float
    patch: int


RECIPES: Mapping[str, Recipe] = {
    "abdomen": Recipe("soft", 40.0, 0.12, 64),  # Toshiba FC13, 3 mm
    "chest": Recipe("standard", 40.0, 0.28, 32),  # Siemens B40f, 3 mm, low dose
}


def real_folder(given: Path | None) -> Path | None:
    """The folder asked for, else the environment's; None where there is neither."""
    named = os.environ.get(VARIABLE)
    return given or (Path(named) if named else None)


def needed(folder: Path | None) -> Path:
    """The folder.

    Raises:
        InputError: where there is none; the sentence says how to name it.
    """
    if folder is None or not folder.is_dir():
        raise InputError(
            f"This suite needs the public scans (abdomen-ct, chest-ct-dicom): name their folder with --real or {VARIABLE}."
        )
    return folder


def folder_of(spec: CaseSpec) -> Path | None:
    """Where the scans of a case lie; None for a case without any."""
    path = spec.recipe.get("path")
    return None if path is None else Path(path)


def read_real(name: str, folder: Path | None) -> tuple[Voxels, Spacing]:
    """Read the scan "abdomen" or "chest": voxels (slices, rows, columns) in HU, and spacing in mm.

    Raises:
        InputError: where the folder or the scan is missing.
    """
    from demottle import io

    folder = needed(folder)
    if name == "abdomen":
        scan = io.read(folder / "abdomen-ct" / "ct.nii.gz", modality="CT")
        return scan.voxels, scan.spacing
    scan = io.read(folder / "chest-ct-dicom" / "dicom")
    return scan.voxels[_HEART:], scan.spacing


def noise_of(name: str, voxels: Voxels, cache: Path) -> OwnNoise:
    """The noise that a public scan has itself, measured now or before on all of it."""
    how = RECIPES[name]

    def made() -> dict[str, Voxels]:
        found = own_noise(voxels, how.own_rho, how.patch)
        return {"spectrum": found.spectrum.astype(np.float32), "level": found.level}

    parts = kept_as(cache, f"own-noise-{name}", made)
    return OwnNoise(parts["spectrum"], parts["level"], how.patch)


def image_of(voxels: Voxels, spacing: Spacing) -> Image:
    """CT in HU whose slices touch."""
    return Image(np.ascontiguousarray(voxels, np.float32), spacing, "CT", "HU", slice_thickness=spacing[0])
