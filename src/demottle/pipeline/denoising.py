"""What denoising a volume and denoising a run have in common: what was asked for, fit or load, apply, the record."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from demottle import __version__
from demottle.errors import InputError
from demottle.events import Listener
from demottle.image import Image, ProcessingStep, Voxels
from demottle.methods import Budget, Denoiser, load
from demottle.methods import method as look_up
from demottle.methods.bias_corrected import KEY
from demottle.methods.registry import refuse_missing, refuse_untrained
from demottle.methods.texture import AUTO
from demottle.pipeline.plan import Plan
from demottle.pipeline.settings import check_settings, make_settings
from demottle.quality.check.bias import BIAS


@dataclass(frozen=True)
class Asked:
    """What was asked for; the arguments of `demottle.pipeline.denoise.denoise`."""

    method: str | None = None
    settings: Mapping[str, Any] | None = None
    model: str | Path | Denoiser | None = None
    strength: float = 1.0
    seed: int = 0
    minutes: float | None = None
    steps: int | None = None
    texture: float | str | None = None

    def refuse_contradictions(self) -> None:
        """Refuse what makes no sense, before anything is measured.

        Raises:
            InputError: says what.
        """
        if not 0 <= self.strength <= 1:
            raise InputError(f"The strength is {self.strength}; it has to lie between 0 (nothing) and 1 (all noise).")
        if self.texture not in (None, AUTO) and not (isinstance(self.texture, int | float) and 0 <= self.texture <= 1):
            raise InputError(
                f"The texture is {self.texture}; it has to lie between 0 (smooth) and 1 (all noise), or be {AUTO}."
            )
        if self.model is not None and (self.method is not None or self.settings):
            raise InputError("A model brings its own method and settings; give either a model or a method, not both.")
        if self.method is not None:
            refuse_untrained(self.method)
            refuse_missing(self.method)
        if self.settings:
            check_settings(self.method, self.settings)

    def without_effect(self, denoiser: Denoiser) -> tuple[str, ...]:
        """Say in a sentence what was asked for and changed nothing."""
        if look_up(denoiser.method).learns_from != "nothing" or (self.steps is None and self.minutes is None):
            return ()
        return (f"{denoiser.method} learns nothing, so the limits on learning (steps, minutes) had no effect.",)


def fit_or_load(
    asked: Asked, image: Image, fingerprint: Any, planned: Callable[[], Plan], listener: Listener
) -> tuple[Denoiser, Plan]:
    """Fit the method that is planned, or load the model that was given."""
    if asked.model is not None:
        denoiser = asked.model if isinstance(asked.model, Denoiser) else load(asked.model)
        given = ("A fitted model was given and is applied as it is.",)
        return denoiser, Plan(denoiser.method, dict(denoiser.settings), given)
    plan = planned()
    settings, module = make_settings(plan.method, plan.settings), look_up(plan.method).load()
    budget = Budget(asked.steps, asked.minutes)
    fitted: Denoiser = module.fit(image, settings, fingerprint, seed=asked.seed, budget=budget, listener=listener)
    return fitted, plan


def applied(asked: Asked, denoiser: Denoiser, image: Image, noise: Mapping[str, Any], listener: Listener) -> Image:
    """Apply a fitted method as strongly as asked for; `noise` is what the image's history will say of its noise."""
    denoised = denoiser(image, listener)  # its phase and maps, where a method gives them, go on with it
    out = blend(image.voxels, denoised.voxels, asked.strength)
    step = ProcessingStep(
        method=denoiser.method,
        version=__version__,
        settings={**denoiser.settings, "strength": asked.strength, **bias_entry(denoiser)},
        seed=asked.seed,
        model_hash=denoiser.model_hash,
        noise=noise,
    )
    return denoised.with_voxels(out, step)


def without_sign(image: Image) -> Image:
    """Put at zero what a method left below it, for a magnitude has no sign; what was not measured stays as it is."""
    where = True if image.valid is None else image.valid
    return image.with_voxels(np.maximum(image.voxels, 0, out=image.voxels.copy(), where=where))


def bias_entry(denoiser: Denoiser) -> dict[str, str]:
    """What the record says of the bias of MR magnitudes: nothing, where it was not taken out."""
    model = denoiser.fitted.get(KEY)
    return {} if model is None else {BIAS: str(model)}


def blend(before: Voxels, after: Voxels, strength: float) -> Voxels:
    """Return `before + strength (after - before)`, slice by slice to save memory."""
    if strength == 1:
        return after
    out = np.empty_like(before)
    for index in range(len(before)):
        out[index] = before[index] + np.float32(strength) * (after[index] - before[index])
    return out


def record_of(
    asked: Asked,
    denoiser: Denoiser,
    plan: Plan,
    fingerprint: Mapping[str, Any],
    check: Mapping[str, Any],
    warnings: Sequence[str],
    times: Mapping[str, float],
) -> dict[str, Any]:
    """Everything that was done and found, as plain values for `run.json`."""
    return {
        "program": "demottle",
        "version": __version__,
        "method": denoiser.method,
        "settings": {**denoiser.settings, "strength": asked.strength, **bias_entry(denoiser)},
        "strength": asked.strength,
        "seed": asked.seed,
        "model_hash": denoiser.model_hash,
        "plan_reasons": list(plan.reasons),
        "fitted": dict(denoiser.fitted),
        "fingerprint": dict(fingerprint),
        "check": dict(check),
        "warnings": list(warnings),
        "times": {stage: round(seconds, 2) for stage, seconds in times.items()},
    }


@contextmanager
def timed(times: dict[str, float], stage: str) -> Iterator[None]:
    """Note how many seconds a stage takes."""
    started = time.monotonic()
    yield
    times[stage] = time.monotonic() - started
