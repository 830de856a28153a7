"""How an entrant gets from a case to an image: nothing, fit and apply, train and apply, or taught with the truth."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.benchmark.engine.cost import Spent, spending
from demottle.benchmark.engine.entrants import BOUND, INPUT, PLANNED, TRUE_SPECTRUM, Entrant
from demottle.benchmark.suites.cases import Case
from demottle.events import silent
from demottle.image import Image, Voxels
from demottle.methods import Budget
from demottle.methods.base import Denoiser
from demottle.methods.registry import method
from demottle.pipeline.request import Request
from demottle.pipeline.run import denoise, fitted, kind_of, planned
from demottle.pipeline.settings import make_settings
from demottle.quality.texture import texture_of, with_texture


@dataclass(frozen=True, eq=False)
class Ran:
    """A result and what it took.

    Attributes:
        image: the result.
        learning: measuring the scan and learning; applying: making the image.
        settings: all of them, as plain values.
        fitted: what the method says of its learning.
    """

    image: Image
    learning: Spent
    applying: Spent
    settings: Mapping[str, Any]
    fitted: Mapping[str, Any]


def run_entrant(entrant: Entrant, case: Case, minutes: float | None, threads: int = 1) -> Ran:
    """Denoise a case as a user would: from the scan alone, unless the entrant is one of the bounds.

    Args:
        entrant, case: who, and what.
        minutes: for learning; None: no limit of the clock.
        threads: for methods that have to be told.

    Raises:
        InputError: where the method refuses the scan.
    """
    if entrant.name == INPUT:
        return Ran(case.noisy, Spent(), Spent(), {}, {})
    if entrant.name == PLANNED:
        return _planned(case, minutes)
    budget = Budget(minutes=minutes)
    with spending() as learning:
        denoiser = _fitted(entrant, case, budget, threads)
    with spending() as applying:
        image = denoiser(case.noisy)
        if entrant.textured:
            image = with_texture(case.noisy, image, texture_of(case.noisy, image))
    return Ran(image, learning, applying, denoiser.settings, denoiser.fitted)


def _planned(case: Case, minutes: float | None) -> Ran:
    """What `denoise` makes of a case without options; times without that of the check."""
    with spending() as every:
        result = denoise(case.noisy, seed=case.spec.seed, minutes=minutes)
    times, made = result.record["times"], result.denoiser
    learning = Spent(times["measure"] + times["learn"], every.cpu_seconds - times["apply"])
    applying = Spent(times["apply"], times["apply"])
    return Ran(result.image, learning, applying, {"method": made.method, **made.settings}, made.fitted)


def _fitted(entrant: Entrant, case: Case, budget: Budget, threads: int) -> Denoiser:
    if entrant.name == BOUND:
        from demottle.benchmark.engine.upper_bound import fit_on_truth

        return fit_on_truth(case.noisy, case.truth, budget, case.spec.seed)
    if entrant.name in TRUE_SPECTRUM:
        return _told_spectrum(TRUE_SPECTRUM[entrant.name], case, threads)
    info = entrant.info
    assert info is not None
    module = info.load()
    if info.is_trained:
        assert case.sets is not None
        settings = module.Settings(**{**module.PRESETS["small"], **entrant.settings})
        trained: Denoiser = module.train(
            case.sets(info.needs_pairs(settings)),
            settings,
            seed=case.spec.seed,
            budget=budget,
        )
        return trained
    wanted = Request(
        method=entrant.method,
        settings={**_threads(module, threads), **entrant.settings},
        seed=case.spec.seed,
        minutes=budget.minutes,
        steps=budget.steps,
    )
    kind = kind_of(case.noisy)
    found = kind.measure(case.noisy, wanted, silent)
    return fitted(kind, found, wanted, planned(kind, found, wanted)).denoiser


def _threads(module: Any, threads: int) -> dict[str, Any]:
    """As a setting, where a method has it; the others read the environment."""
    return {"threads": threads} if "threads" in {field.name for field in fields(module.Settings)} else {}


def _told_spectrum(name: str, case: Case, threads: int) -> Denoiser:
    settings, module = make_settings(name, {"threads": threads}), method(name).load()
    known = kind_of(case.noisy).measure(case.noisy, Request(keep_bias=True), silent).fingerprint
    measured: Denoiser = module.fit(case.noisy, settings, known)
    noise = case.noisy.voxels - case.truth.voxels
    shared = true_correlation(noise, len(measured.fitted["slice_correlation"]))
    told: Denoiser = module.restore(
        settings,
        {**measured.fitted, "slice_correlation": shared},
        {"spectrum": true_spectrum(noise).astype(np.float32)},
    )
    return told


def true_correlation(noise: Voxels, lags: int) -> list[float]:
    """Correlation of noise slices (n, rows, columns) with those 1, 2, ... `lags` away."""
    centered = noise - noise.mean(dtype=np.float64)
    power = float((centered**2).mean())
    return [float((centered[:-lag] * centered[lag:]).mean()) / power for lag in range(1, lags + 1)]


def true_spectrum(noise: Voxels) -> NDArray[np.float64]:
    """Mean power of noise slices (n, rows, columns), FFT order; smoothed over 5 x 5 frequencies, as a mean of tens is rough."""
    power = np.mean([np.abs(np.fft.fft2(plane)) ** 2 for plane in noise], axis=0)
    smooth: NDArray[np.float64] = np.fft.ifftshift(cv2.blur(np.fft.fftshift(power), (5, 5)))
    return smooth
