"""Volumes of slices: how they are measured, planned for, finished and checked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from demottle.errors import InputError
from demottle.events import Listener
from demottle.image import Image
from demottle.learning.data.headers import kernel_of
from demottle.methods import Denoiser
from demottle.methods.bias_corrected import BiasCorrected
from demottle.noise.fingerprint import Fingerprint, measure
from demottle.noise.mr.magnitude import RICIAN
from demottle.noise.mr.stabilization import stabilized
from demottle.pipeline.kind import Found
from demottle.pipeline.magnitudes import without_sign
from demottle.pipeline.plan import Plan, make_plan
from demottle.pipeline.ranges import volume_warnings
from demottle.pipeline.request import Request
from demottle.pipeline.result import Result, VolumeResult
from demottle.pipeline.uncertainty import refuse_unmeasured, refuse_unsuitable
from demottle.quality.check.whole import check
from demottle.quality.texture import TextureSample, named, refuse_unmeasurable, sample_of, texture_of, with_texture

CORRECTED = (
    "The noise of MR magnitudes is Rician: it is stabilized before the method sees it, and the bias that it "
    "gives the mean is taken out afterwards."
)
LEFT_IN = (
    "The noise of MR magnitudes is Rician, but the dark places of this image do not bear out the measured level: so the bias "
    "that it gives the mean is left in."
)


class Volumes:
    """The kind for volumes of slices."""

    def measure(self, image: Image, request: Request, listener: Listener) -> Found:
        """Measure the noise; of MR magnitudes also once it is made even."""
        _refuse_constant(image)
        if request.uncertainty:
            refuse_unsuitable(image)
        if request.texture is not None:
            refuse_unmeasurable(image)
        fingerprint = measure(image, listener)
        if request.uncertainty:
            refuse_unmeasured(fingerprint.noise_level)
        if not (fingerprint.noise.correctable and not request.keep_bias and request.model is None):
            return Found(image, image, fingerprint, fingerprint)
        seen = stabilized(image, fingerprint.noise)
        return Found(image, seen, fingerprint, measure(seen, listener))

    def plan(self, found: Found, request: Request, listener: Listener) -> Plan:
        """Choose a method."""
        return make_plan(found.known, request.method, request.settings)

    def settled(
        self, found: Found, denoiser: Denoiser, plan: Plan, request: Request, listener: Listener
    ) -> tuple[Denoiser, Plan]:
        """Take the bias of magnitudes out after the method, where it can be."""
        if found.seen is not found.image:
            return BiasCorrected(denoiser), replace(plan, reasons=(*plan.reasons, CORRECTED))
        if found.fingerprint.noise.name == RICIAN and not found.fingerprint.noise.correctable:
            return denoiser, replace(plan, reasons=(*plan.reasons, LEFT_IN))
        return denoiser, plan

    def range_warnings(self, found: Found, denoiser: Denoiser) -> list[str]:
        """Say where the volume lies outside of what a model knows."""
        kernel = kernel_of(found.image) if denoiser.fitted.get("kernels") else ""
        return volume_warnings(denoiser, found.fingerprint, kernel)

    def noise(self, found: Found) -> Mapping[str, Any]:
        """Level, and correlation of neighboring slices."""
        return {
            "noise_level": _plain(found.fingerprint.noise_level),
            "slice_correlation": _plain(found.fingerprint.correlation.at(1)),
        }

    def finished(
        self, found: Found, after: Image, denoiser: Denoiser, request: Request
    ) -> tuple[Image, TextureSample | None]:
        """Take the sign from magnitudes; give the result the texture that is wanted."""
        if found.fingerprint.noise.name == RICIAN:
            after = without_sign(after)
        return _with_texture(found.image, after, request.texture)

    def warnings(self, found: Found) -> list[str]:
        """What is odd about the scan."""
        return warnings_of_scan(found.fingerprint, found.known)

    def check(self, found: Found, after: Image, denoiser: Denoiser, listener: Listener) -> tuple[Any, None]:
        """Measure what came out."""
        return check(found.image, after, found.fingerprint, listener), None

    def result(self, made: Result, touched: TextureSample | None, more: None, seconds: float) -> VolumeResult:
        """Add a slice with texture beside one without."""
        if touched is not None and touched.written:
            made.record["settings"]["texture"] = round(touched.share, 4)
        return VolumeResult(**vars(made), texture=touched)


def _with_texture(before: Image, smooth: Image, wanted: float | str | None) -> tuple[Image, TextureSample | None]:
    """Return the result with the texture that is wanted, and a slice of both; without one, what it would look like."""
    try:
        found = texture_of(before, smooth, wanted if isinstance(wanted, int | float) else None)
    except InputError:
        if wanted is not None:
            raise
        return smooth, None  # too little uniform tissue, which the check says
    sample = sample_of(before, smooth, found, written=wanted is not None)
    return (smooth, sample) if wanted is None else (named(with_texture(before, smooth, found), found), sample)


def warnings_of_scan(fingerprint: Fingerprint, known: Fingerprint) -> list[str]:
    """What is odd about the scan; not that its spectrum is missing, where that of its form with even noise is known."""
    no_spectrum = fingerprint.no_spectrum if known.spectrum is not None else ""
    return [sentence for sentence in fingerprint.warnings if sentence != no_spectrum]


def _refuse_constant(image: Image) -> None:
    """Noise cannot be told from signal where there is neither."""
    lowest, highest = np.inf, -np.inf
    for index, plane in enumerate(image.voxels):
        seen = plane if image.valid is None else plane[image.valid[index]]
        if seen.size:
            lowest, highest = min(lowest, float(seen.min())), max(highest, float(seen.max()))
        if highest > lowest:
            return
    raise InputError(
        "Every voxel of the image has the same value; there is nothing to denoise. Is it the right series?"
    )


def _plain(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
