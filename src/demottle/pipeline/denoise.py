"""The whole path for one image: measure, plan, fit or load, apply, check, with what was done on record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from demottle.errors import InputError, UnsuitableError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods import Denoiser
from demottle.methods.bias_corrected import BiasCorrected
from demottle.methods.model_ranges import unknown_range
from demottle.methods.texture import TextureSample, named, refuse_unmeasurable, sample_of, texture_of, with_texture
from demottle.noise.fingerprint import Fingerprint, measure
from demottle.noise.mr.magnitude import RICIAN
from demottle.noise.mr.stabilization import stabilized
from demottle.pipeline.denoising import Asked, applied, fit_or_load, record_of, timed, without_sign
from demottle.pipeline.plan import Plan, make_plan
from demottle.quality.check.whole import Check, check

CORRECTED = (
    "The noise of MR magnitudes is Rician: it is made alike at every signal before the method sees it, and the bias that it "
    "gives the mean is taken out afterwards."
)
LEFT_IN = (
    "The noise of MR magnitudes is Rician, but the dark places of this image do not bear out the measured level: so the bias "
    "that it gives the mean is left in."
)


@dataclass(frozen=True, eq=False)
class Result:
    """A denoised image with everything known about how it came about.

    Attributes:
        image: the denoised image; its history says what was done.
        before: the image it came from.
        fingerprint: what was measured on it.
        plan: the method, its settings and the reasons, in sentences.
        check: what was measured on the result.
        denoiser: the fitted method, to be saved or used on other images.
        record: all of this as plain values, for `run.json`.
        texture: a slice without and with texture; None where there is too little uniform tissue to measure it.
    """

    image: Image
    before: Image
    fingerprint: Fingerprint
    plan: Plan
    check: Check
    denoiser: Denoiser
    record: dict[str, Any]
    texture: TextureSample | None = None


def denoise(
    image: Image,
    *,
    method: str | None = None,
    settings: Mapping[str, Any] | None = None,
    model: str | Path | Denoiser | None = None,
    strength: float = 1.0,
    seed: int = 0,
    minutes: float | None = None,
    steps: int | None = None,
    keep_bias: bool = False,
    texture: float | str | None = None,
    listener: Listener = silent,
) -> Result:
    """Remove the noise of one image, and of MR magnitudes the bias that it gives their mean.

    Args:
        image: what to denoise; it is not changed.
        method: a name in the registry; None: chosen from what is measured on the image.
        settings: settings of that method that replace the planned ones, by name.
        model: a fitted denoiser, or its file, to apply instead of fitting one.
        strength: 1 takes out all noise the method finds, 0 none; in between, that share of it.
        seed: makes the result repeatable, to the bit on the same kind of processor.
        minutes, steps: bounds on learning; None: chosen from the image.
        keep_bias: leave the mean of MR magnitudes as the noise has raised it. (A model does as it was fitted.)
        texture: noise to be left over the scan's noise, 0 to 1, in the scan's own grain (`demottle.methods.texture`); "auto":
            the least that keeps the peak of the noise spectrum where it was; None: what the method leaves.
        listener: told of progress.

    Raises:
        InputError: for arguments that make no sense, or an image that no method can treat.
    """
    if image.sequence:
        raise UnsuitableError("The image is a run of frames, not a volume of slices; use denoise_sequence for it.")
    asked = Asked(method, settings, model, strength, seed, minutes, steps, texture)
    asked.refuse_contradictions()
    _refuse_constant(image)
    if texture is not None:
        refuse_unmeasurable(image)
    times: dict[str, float] = {}
    with timed(times, "measure"):
        fingerprint = measure(image, listener)
        correct = fingerprint.noise.correctable and not keep_bias and model is None
        seen = stabilized(image, fingerprint.noise) if correct else image
        known = measure(seen, listener) if correct else fingerprint
    with timed(times, "learn"):
        denoiser, plan = fit_or_load(asked, seen, known, lambda: make_plan(known, method, settings), listener)
        if correct:
            denoiser, plan = BiasCorrected(denoiser), replace(plan, reasons=(*plan.reasons, CORRECTED))
        elif fingerprint.noise.name == RICIAN and not fingerprint.noise.correctable and model is None:
            plan = replace(plan, reasons=(*plan.reasons, LEFT_IN))
        warnings = [] if model is None else range_warnings(denoiser, fingerprint)
    noise = {
        "noise_level": _plain(fingerprint.noise_level),
        "slice_correlation": _plain(fingerprint.correlation.at(1)),
    }
    with timed(times, "apply"):
        after = applied(asked, denoiser, image, noise, listener)
        if fingerprint.noise.name == RICIAN:
            after = without_sign(after)
        after, sample = _with_texture(image, after, texture)
    with timed(times, "check"):
        checked = check(image, after, fingerprint, listener)
    warnings = [*warnings_of_scan(fingerprint, known), *warnings, *asked.without_effect(denoiser), *checked.warnings]
    record = record_of(asked, denoiser, plan, fingerprint.to_dict(), checked.to_dict(), warnings, times)
    if sample is not None and sample.written:
        record["settings"]["texture"] = round(sample.share, 4)
    return Result(after, image, fingerprint, plan, checked, denoiser, record, sample)


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


def range_warnings(denoiser: Denoiser, fingerprint: Fingerprint) -> list[str]:
    """Say in sentences where an image lies outside of what a model was fitted on.

    Raises:
        InputError: where model and image differ in modality or unit: the model's numbers would mean nothing.
    """
    made_for = denoiser.fitted
    for name, value in (("modality", fingerprint.modality), ("unit", fingerprint.unit)):
        if name in made_for and made_for[name] != value:
            # Only of what states none may the user say what it is: MR does not become CT by saying so.
            unknown = fingerprint.modality in ("", "OT")
            advice = "" if unknown else "; use a model of its own kind."
            raise InputError(
                f"The model was fitted on {name} {made_for[name]}, but the image has {name} {value}{advice or '.'}",
                remedy="modality" if unknown else "",
            )
    warnings = unknown_range(denoiser.method, made_for)
    levels = _range(made_for, "noise_range", "noise_level")
    if levels and np.isfinite(fingerprint.noise_level) and not _within(fingerprint.noise_level, levels, 0.7, 1.4):
        warnings.append(
            f"The noise level is {fingerprint.noise_level:.1f}, but the model was fitted at {_told(levels, 1)}; "
            "expect noise left or detail lost, or fit a model on this scan."
        )
    pixels = _range(made_for, "pixel_range_mm", "spacing_mm")
    if pixels and not _within(fingerprint.spacing[1], pixels, 0.8, 1.25):
        warnings.append(
            f"The pixels are {fingerprint.spacing[1]:.2f} mm, but the model was fitted at {_told(pixels, 2)} mm; "
            "the noise texture may differ from what it knows."
        )
    peak = made_for.get("spectrum_mean_per_mm")
    if peak and fingerprint.spectrum is not None and not 0.8 <= fingerprint.spectrum.mean / peak <= 1.25:
        warnings.append(
            f"The noise's mean frequency is {fingerprint.spectrum.mean:.2f} /mm, but the model was fitted at {peak:.2f} /mm: "
            "another reconstruction kernel, it seems."
        )
    return warnings


def _range(made_for: Mapping[str, Any], name: str, single: str) -> tuple[float, float] | None:
    """What a model was made for: a range where it learned from several scans, else one value; None where it does not say."""
    value = made_for.get(name) or made_for.get(single)
    try:
        if isinstance(value, list | tuple):
            low, high = (value[0], value[1]) if made_for.get(name) else (value[1], value[1])
        else:
            low = high = value or np.nan
        found = float(low), float(high)
    except (TypeError, ValueError, IndexError):  # a damaged or hostile file: as good as silent
        return None
    return found if np.isfinite(found).all() else None


def _within(value: float, made_for: tuple[float, float], least: float, most: float) -> bool:
    return least * made_for[0] <= value <= most * made_for[1]


def _told(made_for: tuple[float, float], digits: int) -> str:
    low, high = (f"{value:.{digits}f}" for value in made_for)
    return low if low == high else f"{low} to {high}"


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
