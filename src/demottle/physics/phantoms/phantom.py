"""The analytic body phantom: an abdomen whose truth is known exactly, for demo, tests and benchmarks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.physics.ct.ct_noise import check_share, simulate_noise
from demottle.physics.ct.projection import Kernel
from demottle.physics.phantoms.anatomy import layers
from demottle.physics.phantoms.body import Layer
from demottle.physics.phantoms.inserts import Insert
from demottle.physics.phantoms.painting import Paint, paint_slices
from demottle.physics.phantoms.shapes import Ellipsoid
from demottle.physics.phantoms.structures import Structure

FIELD_OF_VIEW = 355.0  # mm that the adult needs; in a smaller one the whole body is scaled down
_AIR_HU = -1000.0


@dataclass(frozen=True)
class Phantom:
    """A noise-free image, the `Tissue` at each voxel (uint8), and its lesions within the slices, which are spheres."""

    image: Image
    tissue: NDArray[np.uint8]
    lesions: tuple[Structure, ...]


def body_phantom(
    slices: int = 32, size: int = 256, spacing: tuple[float, float, float] = (3, 1.4, 1.4), seed: int = 0
) -> Image:
    """Return a noise-free CT of an abdomen in HU; `build_phantom` says where its lesions are."""
    return build_phantom(slices, size, spacing, seed).image


def build_phantom(
    slices: int = 32,
    size: int = 256,
    spacing: tuple[float, float, float] = (3, 1.4, 1.4),
    seed: int = 0,
    listener: Listener = silent,
) -> Phantom:
    """Paint the phantom.

    Args:
        slices: number of slices, from the feet to the head, around the middle of the liver and kidneys.
        size: rows and columns.
        spacing: mm between slices, rows, columns. Edges are as wide as a pixel, and slices as thick as their distance.
        seed: another seed gives another patient.
        listener: hears of every slice.

    Raises:
        InputError: for a count or a spacing that is not positive.
    """
    if slices < 1 or size < 1 or min(spacing) <= 0:
        raise InputError(f"A phantom of {slices} slices of {size} x {size} with spacing {spacing} mm cannot be made.")
    everything = layers(seed)
    scale = min(1.0, size * min(spacing[1:]) / FIELD_OF_VIEW)
    step = (spacing[0] / scale, spacing[1] / scale, spacing[2] / scale)
    paints = (Paint(layer.solid, layer.hu, layer.tissue) for layer in everything)
    voxels, tissue = paint_slices(paints, slices, size, step, _AIR_HU, listener)
    image = Image(voxels, spacing, modality="CT", unit="HU", slice_thickness=float(spacing[0]))
    middle_voxel = ((slices - 1) / 2, (size - 1) / 2, (size - 1) / 2)
    lesions = _lesions(everything, middle_voxel, step, scale)
    inside = tuple(lesion for lesion in lesions if -0.5 <= lesion.insert.center[0] <= slices - 0.5)
    return Phantom(image, tissue, inside)


def low_dose_scan(
    truth: Image,
    sigma: float,
    rho: float,
    seed: int = 0,
    kernel: Kernel = "soft",
    listener: Listener = silent,
    dose: float = 1.0,
) -> Image:
    """Return `truth` as a low-dose scan shows it: with CT noise, rounded to whole HU as a scanner stores it.

    Args:
        truth: noise-free CT in HU.
        sigma: noise in the middle of the body, in HU; 0 for none.
        rho: correlation of the noise of adjacent slices, 0 to 0.7.
        seed: another seed gives another scan of the same patient.
        kernel: reconstruction kernel of the noise.
        listener: hears of every slice.
        dose: share of the dose that gives `sigma`.

    Raises:
        InputError: as `simulate_noise`.
    """
    check_share(dose)
    if sigma == 0:
        return truth.with_voxels(np.rint(truth.voxels))
    noise = simulate_noise(truth, sigma, rho, kernel, seed, listener, dose=dose)
    return truth.with_voxels(np.rint(truth.voxels + noise))


def _lesions(
    everything: list[Layer], middle: tuple[float, float, float], step: tuple[float, float, float], scale: float
) -> Iterator[Structure]:
    """All lesions of the patient, numbered, also those that lie beyond the slices."""
    number = 0
    for layer in everything:
        if layer.lesion is None or not isinstance(layer.solid, Ellipsoid):
            continue
        number += 1
        z, y, x = (m + c / s for m, c, s in zip(middle, layer.solid.centre, step, strict=True))
        sphere = Insert((float(z), float(y), float(x)), float(layer.solid.radii[1] * scale), layer.lesion)
        yield Structure(f"lesion {number}", sphere, round(layer.hu - layer.lesion, 6), "detection")
