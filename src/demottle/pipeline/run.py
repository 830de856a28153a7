"""The one path from an image to a denoised one: measure, plan, fit or load, apply, check, with what was done on record."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from demottle import __version__
from demottle.errors import InputError, NotFiniteError, UnsuitableError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, ProcessingStep, Voxels
from demottle.io.reading import MODALITIES
from demottle.methods import Budget, Denoiser, load
from demottle.methods import method as look_up
from demottle.methods.bias_corrected import KEY
from demottle.pipeline.blending import blend
from demottle.pipeline.contract import strike
from demottle.pipeline.kind import Found, Kind
from demottle.pipeline.plan import Plan
from demottle.pipeline.preset import in_words_of, refuse_unfit, with_preset
from demottle.pipeline.progress_bar import listening
from demottle.pipeline.request import Request
from demottle.pipeline.result import Record, Result
from demottle.pipeline.sequence import Sequences
from demottle.pipeline.settings import make_settings, settings_of_model
from demottle.pipeline.uncertainty import share_of, uncertainty_of
from demottle.pipeline.volume import Volumes
from demottle.quality.check.bias import BIAS
from demottle.quality.contract.promise import Promise, refuse_unpromising
from demottle.quality.contract.terms import Contract
from demottle.quality.uncertainty.derived import spread_of

_ABSURD = 1e6
"""Times the scan's largest value, beyond which nothing that a denoiser gives is an image."""


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
    uncertainty: bool = False,
    spread: bool = False,
    keep_mtf: float | None = None,
    keep_hu: float | None = None,
    noise: float | None = None,
    preset: str | None = None,
    progress: bool | None = None,
    listener: Listener = silent,
) -> Any:
    """Remove the noise of one image: a volume, a run of frames or an MR series; of MR magnitudes also the bias of their mean.

    Args:
        image: what to denoise; it is not changed.
        method, settings, model, strength, seed, minutes, steps, keep_bias, texture, uncertainty, spread: as in
            `demottle.pipeline.request.Request`.
        keep_mtf, keep_hu, noise: a promise, as in `demottle.quality.contract.promise.Promise`: the strength is found for it.
        preset: "gentle", "standard" or "strong": how much noise stays (`demottle.pipeline.preset`); in place of strength,
            texture and promise.
        progress: show a bar; None: in a terminal and in a notebook, where no listener is given.
        listener: told of progress.

    Returns:
        A `VolumeResult`; of a run of frames or a series over time (`image.sequence`) a `SequenceResult`.

    Raises:
        InputError: for arguments that make no sense, or an image that no method can treat.
        PromiseError: for a promise that cannot be kept on this scan.

    Example:
        >>> from demottle import denoise
        >>> from demottle.physics.ct.ct_noise import independent_noise, mix_slices
        >>> from demottle.physics.phantoms.phantom import body_phantom
        >>> truth = body_phantom(slices=4, size=96, spacing=(3.0, 4.0, 4.0))
        >>> noisy = truth.with_voxels(truth.voxels + mix_slices(independent_noise(truth, 30.0, seed=1), 0.2))
        >>> result = denoise(noisy, method="nl-bayes")
        >>> result.check.noise.after < result.check.noise.before
        True
    """
    promised = Promise(keep_mtf, keep_hu, noise) if (keep_mtf, keep_hu, noise) != (None, None, None) else None
    asked = Request(method, settings, model, strength, seed, minutes, steps, keep_bias, texture, uncertainty, spread)
    refuse_other_images(image)
    with listening(listener, progress) as told:
        return run(image, with_preset(replace(asked, promise=promised), preset), told)


def refuse_other_images(image: Any) -> None:
    """Refuse what is no `Image`, and images of a modality that no method is made for.

    Raises:
        InputError: in a sentence that says what to do.
    """
    if not isinstance(image, Image):
        kind = type(image).__name__
        how = (
            "read it with demottle.read(path)"
            if isinstance(image, str | Path)
            else "demottle.from_numpy and its like make one"
        )
        raise InputError(f"denoise takes an Image, not a {kind}: {how}.")
    if image.modality not in (*MODALITIES, "OT"):
        raise InputError(
            f"'{image.modality}' is not a modality that demottle knows; it is one of {', '.join(MODALITIES)}."
        )


def run(image: Image, request: Request, listener: Listener = silent, found: Found | None = None) -> Result:
    """Denoise one image as a request asks; arguments and errors as `denoise`. `found`: what was measured of it already."""
    kind, times, bargain = kind_of(image), dict[str, float](), None
    _refuse_unpromising(image, request)
    with _timed(times, "measure"):
        found = found or kind.measure(image, request, listener)
    with _timed(times, "learn"):
        plan = planned(kind, found, request, listener)
        if plan is not None:
            listener(Progress(Stage.MEASURE, 1, 1, method=plan.method))
        ready = fitted(kind, found, request, plan, listener)
    denoiser = ready.denoiser
    with _timed(times, "apply"):
        clean, between = _denoised(found, request, denoiser, listener)
    if request.promise is not None:
        with _timed(times, "promise"), in_words_of(request.preset):
            bargain = strike(request.promise, found, clean, denoiser, request.seed, listener)
        denoiser, clean = bargain.offer.denoiser, bargain.offer.full
        request = replace(request, promise=None, strength=bargain.strength)
    with _timed(times, "apply"):
        after, touched = kind.finished(found, _blended(kind, found, request, denoiser, clean), denoiser, request)
        whole = clean if request.uncertainty else None
        del clean  # a volume of memory
    with _timed(times, "check"):
        checked, more = kind.check(found, after, denoiser, listener)
    with in_words_of(request.preset):
        contract = None if bargain is None else bargain.held(checked)
    told = None
    if whole is not None:
        with _timed(times, "uncertainty"):
            told = uncertainty_of(kind, found, whole, after, denoiser, request, share_of(touched), listener)
    warnings = (*kind.warnings(found), *ready.warnings, *request.without_effect(denoiser.method), *checked.warnings)
    record = _record(request, denoiser, ready, found, checked, contract, warnings, times)
    if told is not None:
        record["uncertainty"] = told.to_dict()
    spread = None if between is None else spread_of(after, between, request.strength)
    if spread is not None:
        record["spread"] = spread.to_dict()
    known = {"contract": contract, "uncertain": told, "spread": spread}
    made = Result(
        after,
        image,
        found.fingerprint,
        ready.plan,
        checked,
        ready.denoiser,
        record,
        **known,  # type: ignore[arg-type]
    )
    return kind.result(made, touched, more, times["apply"])


def _refuse_unpromising(image: Image, request: Request) -> None:
    if request.preset is not None:
        refuse_unfit(image, request.preset)
    elif request.promise is not None:
        refuse_unpromising(image)


def _record(
    request: Request,
    denoiser: Denoiser,
    ready: "Fitted",
    found: Found,
    checked: Any,
    contract: Contract | None,
    warnings: Sequence[str],
    times: Mapping[str, float],
) -> Record:
    """What was done, as plain values."""
    return {
        "program": "demottle",
        "version": __version__,
        "method": denoiser.method,
        "settings": _settings_of(request, denoiser),
        "strength": request.strength,
        **({} if request.preset is None else {"preset": request.preset}),
        "seed": request.seed,
        "model_hash": denoiser.model_hash,
        "plan_reasons": list(ready.plan.reasons),
        "fitted": dict(denoiser.fitted),
        "fingerprint": dict(found.fingerprint.to_dict()),
        "check": dict(checked.to_dict()),
        **({} if contract is None else {"contract": contract.to_dict()}),
        "warnings": [*(() if contract is None else contract.warnings), *warnings],
        "times": {stage: round(seconds, 2) for stage, seconds in times.items()},
    }


@dataclass(frozen=True, eq=False)
class Fitted:
    """What is applied: a denoiser, how it was chosen, and where the image lies outside of what it was made for."""

    denoiser: Denoiser
    plan: Plan
    warnings: tuple[str, ...] = ()


def kind_of(image: Image) -> Kind:
    """What an image is decides how it is treated."""
    return Sequences() if image.sequence else Volumes()


def planned(kind: Kind, found: Found, request: Request, listener: Listener = silent) -> Plan | None:
    """Choose a method; None where a model was given, which brings its own."""
    return None if request.model is not None else kind.plan(found, request, listener)


def fitted(kind: Kind, found: Found, request: Request, plan: Plan | None, listener: Listener = silent) -> Fitted:
    """Fit what was planned, or load the model that was given."""
    if plan is None:
        model = request.model
        assert model is not None
        denoiser = _as_asked(model if isinstance(model, Denoiser) else load(model), request.settings)
        given = ("A fitted model was given and is applied as it is.",)
        warnings = kind.range_warnings(found, denoiser)
        return Fitted(denoiser, Plan(denoiser.method, dict(denoiser.settings), given), tuple(warnings))
    settings, module = make_settings(plan.method, plan.settings), look_up(plan.method).load()
    budget = Budget(request.steps, request.minutes)
    made: Denoiser = module.fit(found.seen, settings, found.known, seed=request.seed, budget=budget, listener=listener)
    return Fitted(*kind.settled(found, made, plan, request, listener))


def _as_asked(denoiser: Denoiser, settings: Mapping[str, Any] | None) -> Denoiser:
    """The model with other settings where they were given: they say how it is applied, what it has learned stays."""
    if not settings:
        return denoiser
    wanted, module = settings_of_model(denoiser.method, denoiser.settings, settings), look_up(denoiser.method).load()
    changed: Denoiser = module.restore(wanted, denoiser.fitted, denoiser.tensors())
    return changed


def step_of(kind: Kind, found: Found, request: Request, denoiser: Denoiser) -> ProcessingStep:
    """What the history of the denoised image says was done."""
    return ProcessingStep(
        method=denoiser.method,
        version=__version__,
        settings=_settings_of(request, denoiser),
        seed=request.seed,
        model_hash=denoiser.model_hash,
        noise=kind.noise(found),
    )


def _denoised(found: Found, request: Request, denoiser: Denoiser, listener: Listener) -> tuple[Image, Image | None]:
    """The whole of what the denoiser makes, and the spread over its passes where that is asked for."""
    spread = None
    try:
        if request.spread:
            denoised, spread = denoiser.with_spread(found.image, listener)
        else:
            denoised = denoiser(found.image, listener)  # its phase and maps, where a method gives them, go on with it
    except NotFiniteError as error:  # the scan was finite when it was read
        raise overflowing(denoiser, request) from error
    if _most(denoised.voxels) > _ABSURD * max(1.0, _most(found.image.voxels)):
        raise overflowing(denoiser, request)
    return denoised, spread


def _blended(kind: Kind, found: Found, request: Request, denoiser: Denoiser, denoised: Image) -> Image:
    """As strong as asked for."""
    out = blend(found.image.voxels, denoised.voxels, request.strength)
    return denoised.with_voxels(out, step_of(kind, found, request, denoiser))


def overflowing(denoiser: Denoiser, request: Request) -> UnsuitableError:
    """Return what to say where a denoiser gives no numbers, or absurd ones, of a scan that is in order."""
    if request.model is None:
        return UnsuitableError(
            f"{denoiser.method} failed on this scan: its values are not finite or absurdly large; try another seed, or "
            "another method."
        )
    return UnsuitableError(
        "The model is at fault, not the scan: what it gives is not finite or absurdly large, so it is damaged or its training "
        "failed; use another model, or make it again."
    )


def _most(voxels: Voxels) -> float:
    return float(max(voxels.max(), -voxels.min()))


def _settings_of(request: Request, denoiser: Denoiser) -> dict[str, Any]:
    """With strength, and the model of the bias of MR magnitudes where that is taken out."""
    bias = denoiser.fitted.get(KEY)
    return {**denoiser.settings, "strength": request.strength, **({} if bias is None else {BIAS: str(bias)})}


@contextmanager
def _timed(times: dict[str, float], stage: str) -> Iterator[None]:
    """Note how many seconds a stage takes."""
    started = time.monotonic()
    yield
    times[stage] = times.get(stage, 0.0) + time.monotonic() - started
