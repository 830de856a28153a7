"""Where an image lies outside of what a model was fitted on, in sentences."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from demottle.errors import InputError
from demottle.methods import Denoiser
from demottle.methods import method as look_up
from demottle.methods.model_ranges import unknown_range
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.sequence.fingerprint import SequenceFingerprint
from demottle.noise.sequence.lag import INDEPENDENT, lag_to_undo

NOISE, PIXELS, FREQUENCY = (0.7, 1.4), (0.8, 1.25), (0.8, 1.25)
"""Noise level, size of pixels and mean frequency of the noise over those that a model was fitted at: least and most."""
CORRELATION = 0.2
"""By how much the noise correlation of neighboring slices may differ from the one that a model was fitted at."""
_MUCH = 0.85
"""Of a dose: what a measured noise level is not sure to."""


def volume_warnings(denoiser: Denoiser, fingerprint: Fingerprint, kernel: str = "") -> list[str]:
    """Say in sentences where an image lies outside of what a model was fitted on.

    Args:
        denoiser: the model.
        fingerprint: what was measured on the image.
        kernel: reconstruction kernel of the image; empty where its file does not say.

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
    doses = _dose_warnings(made_for, fingerprint.noise_level)
    warnings += doses
    if (
        not doses
        and levels
        and np.isfinite(fingerprint.noise_level)
        and not _within(fingerprint.noise_level, levels, *NOISE)
    ):
        warnings.append(
            f"The noise level is {fingerprint.noise_level:.1f}, but the model was fitted at {_told(levels, 1)}; "
            "expect noise left or detail lost, or fit a model on this scan."
        )
    pixels = _range(made_for, "pixel_range_mm", "spacing_mm")
    if pixels and not _within(fingerprint.spacing[1], pixels, *PIXELS):
        warnings.append(
            f"The pixels are {fingerprint.spacing[1]:.2f} mm, but the model was fitted at {_told(pixels, 2)} mm; "
            "the noise texture may differ from what it knows."
        )
    kernels = made_for.get("kernels")
    if kernel and isinstance(kernels, list | tuple) and kernels and kernel not in map(str, kernels):
        warnings.append(
            f"The reconstruction kernel is {kernel}, but the model was trained on {', '.join(map(str, kernels))}; the noise "
            "texture may differ from what it knows."
        )
    peak = made_for.get("spectrum_mean_per_mm")
    if (
        peak
        and fingerprint.spectrum is not None
        and not FREQUENCY[0] <= fingerprint.spectrum.mean / peak <= FREQUENCY[1]
    ):
        warnings.append(
            f"The noise's mean frequency is {fingerprint.spectrum.mean:.2f} /mm, but the model was fitted at {peak:.2f} /mm: "
            "another reconstruction kernel, it seems."
        )
    return warnings + _correlation_warnings(denoiser, fingerprint)


def _correlation_warnings(denoiser: Denoiser, fingerprint: Fingerprint) -> list[str]:
    """Say where neighboring slices share more or less of their noise than where a network learned; filters measure it anew."""
    if look_up(denoiser.method).learns_from == "nothing" or not fingerprint.correlation.rho:
        return []
    stated = denoiser.fitted.get("slice_correlation")
    known = stated[0] if isinstance(stated, list | tuple) and stated else None
    mine = fingerprint.correlation.rho[0]
    if not isinstance(known, int | float) or not np.isfinite([known, mine]).all() or abs(mine - known) <= CORRELATION:
        return []
    return [
        f"Neighboring slices share {mine:.2f} of their noise, but the model was fitted where they share {known:.2f}; expect "
        "noise left, or fit a model on this scan."
    ]


def _dose_warnings(made_for: Mapping[str, Any], level: float) -> list[str]:
    """Say where a scan's dose, by its noise, lies outside of the doses that a model has learned."""
    full, least = made_for.get("full_dose_noise"), made_for.get("least_dose")
    if not (isinstance(full, float) and isinstance(least, float) and np.isfinite(level) and level > 0):
        return []
    dose = (full / level) ** 2
    if dose >= 1 / _MUCH:
        return [
            f"The noise level is {level:.1f}, and the model's full dose has {full:.1f}: the scan is at full dose already, so "
            "nothing is taken off."
        ]
    if dose < least * _MUCH:
        return [
            f"The noise level is {level:.1f}, that of {dose:.1%} of the model's full dose, but it was trained from {least:.0%} "
            "on; expect noise left or detail lost, or train a model from a lower dose on."
        ]
    return []


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


def run_warnings(denoiser: Denoiser, fingerprint: SequenceFingerprint) -> list[str]:
    """Say in sentences where a run lies outside of what a model was fitted on.

    Raises:
        InputError: a model for volumes, or for another unit: its numbers would mean nothing.
    """
    if not look_up(denoiser.method).takes(sequence=True):
        raise InputError(
            f"The model is of {denoiser.method}, which is for volumes of slices, but this is a run of frames."
        )
    if denoiser.fitted.get("unit", fingerprint.unit) != fingerprint.unit:
        raise InputError(
            f"The model was fitted on unit {denoiser.fitted['unit']}, but the run has unit {fingerprint.unit}."
        )
    found = unknown_range(denoiser.method, denoiser.fitted, "run")
    undone, lag = undone_lag(denoiser), lag_to_undo(fingerprint)
    if abs(undone - lag) > INDEPENDENT and denoiser.settings.get("correct_lag", True):
        found.append(
            f"The model undoes a lag of {100 * undone:.0f} %, but this run's is {100 * lag:.0f} %; expect "
            f"{'shadows with the opposite sign' if undone > lag else 'some of the frame before'} where something moves."
        )
    level = denoiser.fitted.get("noise_level")
    if level and np.isfinite(level) and not 0.7 <= fingerprint.noise_level / level <= 1.4:
        found.append(
            f"The noise level is {fingerprint.noise_level:.3g}, but the model was fitted at {level:.3g}; "
            "expect noise left or detail lost, or fit a model on this run."
        )
    return found


def undone_lag(denoiser: Denoiser) -> float:
    """The lag that a fitted method for sequences undoes, 0 to 1."""
    fitted = denoiser.fitted
    return float(fitted.get("frame_noise", fitted).get("lag", 0.0))
