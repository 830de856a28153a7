"""The whole path for one image: measure, plan, fit or load, apply, check, with what was done on record."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from demottle import __version__
from demottle.errors import InputError, UnsuitableError
from demottle.events import Listener, silent
from demottle.image import Image, ProcessingStep, Voxels
from demottle.methods import Budget, Denoiser, load
from demottle.methods import method as look_up
from demottle.methods.registry import refuse_untrained
from demottle.noise.fingerprint import Fingerprint, measure
from demottle.plan import CLASSICAL, DEFAULT, Plan, make_plan
from demottle.plan_sequence import CLASSICAL_SEQUENCE
from demottle.quality.check import Check, check


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
    """

    image: Image
    before: Image
    fingerprint: Fingerprint
    plan: Plan
    check: Check
    denoiser: Denoiser
    record: dict[str, Any]


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
    listener: Listener = silent,
) -> Result:
    """Remove the noise of one image.

    Args:
        image: what to denoise; it is not changed.
        method: a name in the registry; None: chosen from what is measured on the image.
        settings: settings of that method that replace the planned ones, by name.
        model: a fitted denoiser, or its file, to apply instead of fitting one.
        strength: 1 takes out all noise the method finds, 0 none; in between, that share of it.
        seed: makes the result repeatable, to the bit on the same kind of processor.
        minutes, steps: bounds on learning; None: chosen from the image.
        listener: told of progress.

    Raises:
        InputError: for arguments that make no sense, or an image that no method can treat.
    """
    if image.sequence:
        raise UnsuitableError("The image is a run of frames, not a volume of slices; use denoise_sequence for it.")
    if not 0 <= strength <= 1:
        raise InputError(f"The strength is {strength}; it has to lie between 0 (nothing) and 1 (all noise).")
    if model is not None and (method is not None or settings):
        raise InputError("A model brings its own method and settings; give either a model or a method, not both.")
    if method is not None:
        refuse_untrained(method)
    if settings:
        check_settings(method, settings)
    _refuse_constant(image)
    times: dict[str, float] = {}
    with _timed(times, "measure"):
        fingerprint = measure(image, listener)
    warnings: list[str] = list(fingerprint.warnings)
    with _timed(times, "learn"):
        if model is None:
            plan = make_plan(fingerprint, method, settings)
            denoiser = _fit(image, plan, fingerprint, seed, Budget(steps, minutes), listener)
        else:
            denoiser = model if isinstance(model, Denoiser) else load(model)
            plan = Plan(
                denoiser.method, dict(denoiser.settings), ("A fitted model was given and is applied as it is.",)
            )
            warnings += range_warnings(denoiser, fingerprint)
    if look_up(denoiser.method).learns_from == "nothing" and (steps is not None or minutes is not None):
        warnings.append(f"{denoiser.method} learns nothing, so the limits on learning (steps, minutes) had no effect.")
    with _timed(times, "apply"):
        clean = denoiser(image, listener)
    out = blend(image.voxels, clean.voxels, strength)
    step = ProcessingStep(
        method=denoiser.method,
        version=__version__,
        settings={**denoiser.settings, "strength": strength},
        seed=seed,
        model_hash=denoiser.model_hash,
        noise={
            "noise_level": _plain(fingerprint.noise_level),
            "slice_correlation": _plain(fingerprint.correlation.at(1)),
        },
    )
    after = image.with_voxels(out, step)
    with _timed(times, "check"):
        checked = check(image, after, fingerprint, listener)
    record = {
        "program": "demottle",
        "version": __version__,
        "method": denoiser.method,
        "settings": dict(step.settings),
        "strength": strength,
        "seed": seed,
        "model_hash": step.model_hash,
        "plan_reasons": list(plan.reasons),
        "fitted": dict(denoiser.fitted),
        "fingerprint": fingerprint.to_dict(),
        "check": checked.to_dict(),
        "warnings": [*warnings, *checked.warnings],
        "times": {stage: round(seconds, 2) for stage, seconds in times.items()},
    }
    return Result(after, image, fingerprint, plan, checked, denoiser, record)


def blend(before: Voxels, after: Voxels, strength: float) -> Voxels:
    """Return `before + strength (after - before)`, slice by slice to save memory."""
    if strength == 1:
        return after
    out = np.empty_like(before)
    for index in range(len(before)):
        out[index] = before[index] + np.float32(strength) * (after[index] - before[index])
    return out


def range_warnings(denoiser: Denoiser, fingerprint: Fingerprint) -> list[str]:
    """Say in sentences where an image lies outside of what a model was fitted on.

    Raises:
        InputError: where model and image differ in modality or unit: the model's numbers would mean nothing.
    """
    made_for = denoiser.fitted
    for name, value in (("modality", fingerprint.modality), ("unit", fingerprint.unit)):
        if name in made_for and made_for[name] != value:
            raise InputError(
                f"The model was fitted on {name} {made_for[name]}, but the image has {name} {value}.", remedy="modality"
            )
    warnings = []
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
            return (float(value[0]), float(value[1])) if made_for.get(name) else (float(value[1]), float(value[1]))
        return (float(value), float(value)) if value else None
    except (TypeError, ValueError, IndexError):  # a damaged or hostile file: as good as silent
        return None


def _within(value: float, made_for: tuple[float, float], least: float, most: float) -> bool:
    return least * made_for[0] <= value <= most * made_for[1]


def _told(made_for: tuple[float, float], digits: int) -> str:
    low, high = (f"{value:.{digits}f}" for value in made_for)
    return low if low == high else f"{low} to {high}"


def _fit(image: Image, plan: Plan, fingerprint: Fingerprint, seed: int, budget: Budget, listener: Listener) -> Denoiser:
    settings = make_settings(plan.method, plan.settings)
    module = look_up(plan.method).load()
    fitted: Denoiser = module.fit(image, settings, fingerprint, seed=seed, budget=budget, listener=listener)
    return fitted


def check_settings(method: str | None, settings: Mapping[str, Any]) -> None:
    """Refuse settings that cannot work, before anything is read or measured (imports the method).

    Without a method the scan decides later, so the settings have to suit one of those that can be chosen.

    Raises:
        InputError: names the setting and what it has to be.
    """
    refused: list[InputError] = []
    for name in [DEFAULT, CLASSICAL, CLASSICAL_SEQUENCE] if method is None else [method]:
        try:
            make_settings(name, settings)
            return
        except InputError as error:
            refused.append(error)
    raise refused[0]


def make_settings(method: str, given: Mapping[str, Any]) -> Any:
    """Return the method's settings with those given in place of the defaults.

    Raises:
        InputError: for a name the method does not have, or a value of another kind or out of range.
    """
    kind = look_up(method).load().Settings
    defaults = asdict(kind())
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise InputError(
            f"{method} has no setting {', '.join(unknown)}; its settings are: {', '.join(sorted(defaults))}."
        )
    wrong = [name for name, value in given.items() if not _like(value, defaults[name])]
    if wrong:
        name = wrong[0]
        raise InputError(
            f"The setting {name} of {method} is {given[name]!r}; it has to be {_KINDS[type(defaults[name])]}, such as "
            f"{defaults[name]!r}."
        )
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a word",
    tuple: "a list",
}


def _like(value: Any, default: Any) -> bool:
    if isinstance(default, tuple):
        return isinstance(value, list | tuple) and all(_like(one, default[0]) for one in value)
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    return isinstance(value, int | float if isinstance(default, float) else type(default))


def settings_of(name: str) -> dict[str, Any]:
    """Default settings of a method, by name (imports the method)."""
    defaults: dict[str, Any] = asdict(look_up(name).load().Settings())
    return defaults


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


@contextmanager
def _timed(times: dict[str, float], stage: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    times[stage] = time.monotonic() - started


def _plain(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
