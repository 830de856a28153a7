"""The standard error of a denoised volume, by doing to a known truth what was done to the scan.

The result stands for the truth: noise is drawn once more as it was measured on the scan, added to it, and taken out by the same
denoiser with the same strength and texture. How far that is from where it began is an error that is known at every voxel (a
parametric bootstrap; B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 6).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from demottle.errors import UnsuitableError
from demottle.events import Listener, Progress, Stage
from demottle.image import Image, Voxels
from demottle.methods import Denoiser
from demottle.methods.one_scan.protection import changeable
from demottle.noise.local import NoiseMap, noise_map
from demottle.noise.repeats import repeated_noise
from demottle.pipeline.blending import blend
from demottle.pipeline.kind import Found, Kind
from demottle.pipeline.request import Request
from demottle.quality.texture import TextureSample
from demottle.quality.uncertainty.derived import Uncertainty, by_tissue
from demottle.quality.uncertainty.spread import Plane, plane_of, standard_error

_VOXELS, _MOST_REPEATS = 400_000, 4


def refuse_unsuitable(image: Image) -> None:
    """Raise UnsuitableError for an image whose uncertainty cannot be told: before the work."""
    if image.sequence:
        raise UnsuitableError("The image is a run of frames; uncertainty is told of volumes of CT in HU.")
    if image.unit != "HU":
        raise UnsuitableError("The image is not CT in HU; uncertainty is told of volumes of CT in HU alone.")


def refuse_unmeasured(level: float) -> None:
    """Raise UnsuitableError where the noise of a scan is not known, before anything is learned; `level` in HU."""
    if not (np.isfinite(level) and level > 0):
        raise UnsuitableError(
            "The noise of the scan could not be measured, so no uncertainty can be told; do without it."
        )


def share_of(touched: Any) -> float | None:
    """The share of the noise that was put back as texture; None: none."""
    return touched.share if isinstance(touched, TextureSample) and touched.written else None


def uncertainty_of(
    kind: Kind,
    found: Found,
    clean: Image,
    after: Image,
    denoiser: Denoiser,
    request: Request,
    texture: float | None,
    listener: Listener,
) -> Uncertainty:
    """Estimate the standard error of every voxel of a result.

    Args:
        kind: kind of the image.
        found: what was measured on the scan.
        clean: the scan denoised in full.
        after: the result: blended by the strength, with its texture.
        denoiser: what denoised it.
        request: what was asked for.
        texture: share of the noise that was put back; None: none.
        listener: told of progress.

    Raises:
        UnsuitableError: the noise of the scan is not known.
    """
    level = found.fingerprint.noise_level
    refuse_unmeasured(level)
    levels = noise_map(found.image, found.fingerprint.correlation, level)
    wanted = replace(request, texture=texture)
    repeats = int(np.clip(-(-_VOXELS // clean.voxels.size), 1, _MOST_REPEATS))
    errors = []
    for number in range(repeats):
        noisy = _noisier(found, clean, levels, np.random.default_rng([request.seed, number, 0x5E]))
        again = denoiser(noisy, _told(listener))
        made = after.with_voxels(blend(noisy.voxels, again.voxels, request.strength))
        if texture is not None:
            made, _ = kind.finished(replace(found, image=noisy), made, denoiser, wanted)
        errors.append(np.asarray(made.voxels - clean.voxels, np.float32))
    share = request.strength * (1 - (texture or 0.0))

    def planes() -> Iterator[Plane]:
        for index, plane in enumerate(clean.voxels):
            allowed = changeable(found.image, index) > 0
            yield plane_of(plane, _above_zero(levels, index), allowed, clean.spacing[1:], share)

    image = after.with_voxels(standard_error(planes, errors, share))
    return Uncertainty(image, by_tissue(clean, image), repeats)


def _noisier(found: Found, clean: Image, levels: NoiseMap, random: np.random.Generator) -> Image:
    """The result with new noise, where the scan has any: not in padding."""
    spectrum = found.fingerprint.spectrum
    density = np.ones((1, 1)) if spectrum is None else spectrum.density_2d
    drawn = repeated_noise(density, found.fingerprint.correlation.rho, levels, random)
    out = np.empty_like(clean.voxels)
    for index, noise in enumerate(drawn):
        valid = None if clean.valid is None else clean.valid[index]
        out[index] = clean.voxels[index] + (noise if valid is None else noise * valid)
    return clean.with_voxels(out)


def _above_zero(levels: NoiseMap, index: int) -> Voxels:
    return np.maximum(levels.plane(index), np.float32(1e-3))


def _told(listener: Listener) -> Listener:
    """Hand on what the denoiser tells as progress of one stage."""
    return lambda event: listener(Progress(Stage.UNCERTAINTY, event.done, event.total, event.stage.words.lower()))
