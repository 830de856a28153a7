"""What is asked for, in one place: whoever denoises (program, Python, live run) makes a `Request`, which checks itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demottle.errors import ContradictionError, InputError
from demottle.methods import Denoiser
from demottle.methods.models import read_header
from demottle.methods.registry import method as look_up
from demottle.methods.registry import refuse_missing, refuse_untrained
from demottle.pipeline.settings import check_settings, settings_of_model
from demottle.quality.contract.promise import Promise
from demottle.quality.texture import AUTO


@dataclass(frozen=True)
class Request:
    """What is asked of denoising one image.

    Attributes:
        method: a name in the registry; None: chosen from what is measured on the image.
        settings: settings of that method that replace the planned ones, by name; with a model those that say how it is applied.
        model: a fitted denoiser, or its file, to apply instead of fitting one.
        strength: 1 takes out all noise the method finds, 0 none; in between, that share of it.
        seed: makes the result repeatable, to the bit on the same kind of processor.
        minutes, steps: bounds on learning; None: chosen from the image.
        keep_bias: leave the mean of MR magnitudes as the noise has raised it. (A model does as it was fitted.)
        texture: noise to be left over the scan's noise, 0 to 1, in the scan's own grain (`demottle.quality.texture`); "auto": the
            least that keeps the peak of the noise spectrum where it was; None: what the method leaves.
        uncertainty: estimate the standard error of every voxel too (volumes of CT in HU), which takes as long as applying the
            method once more.
        spread: tell how far the passes of a model that goes by passes differ at every voxel, too.
        promise: what the result has to keep; the strength is then found on the scan, and no texture is put back.
        live: frames come one by one, so that none may wait for those after it.
        preset: name of the preset that promise and texture come from (`demottle.pipeline.preset.with_preset`); None: none.

    Raises:
        InputError: where it contradicts itself, or names what there is not; before anything is measured.
    """

    method: str | None = None
    settings: Mapping[str, Any] | None = None
    model: str | Path | Denoiser | None = None
    strength: float = 1.0
    seed: int = 0
    minutes: float | None = None
    steps: int | None = None
    keep_bias: bool = False
    texture: float | str | None = None
    uncertainty: bool = False
    spread: bool = False
    promise: Promise | None = None
    live: bool = False
    preset: str | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not 0 <= self.strength <= 1:
            raise InputError(f"The strength is {self.strength}; it has to lie between 0 (nothing) and 1 (all noise).")
        if self.texture not in (None, AUTO) and not (isinstance(self.texture, int | float) and 0 <= self.texture <= 1):
            raise InputError(
                f"The texture is {self.texture}; it has to lie between 0 (smooth) and 1 (all noise), or be {AUTO}."
            )
        if self.minutes is not None and not self.minutes > 0:
            raise InputError(f"The time for learning is {self.minutes} minutes; it has to be positive.")
        if self.steps is not None and self.steps < 1:
            raise InputError(f"The number of steps is {self.steps}; learning needs at least 1.")
        if self.promise is not None:
            self._refuse_beside_a_promise(self.promise)
        if self.model is not None:
            self._refuse_beside_a_model()
        if self.method is not None:
            refuse_untrained(self.method)
            refuse_missing(self.method)
            if self.live and not look_up(self.method).live:
                raise InputError(
                    f"{self.method} needs the whole series before its first frame; use 'demottle denoise' for it."
                )
        if self.settings and self.model is None:
            check_settings(self.method, self.settings)

    def _refuse_beside_a_promise(self, promise: Promise) -> None:
        given = next(name for name in ("keep_mtf", "keep_hu", "noise") if getattr(promise, name) is not None)
        if self.strength != 1:
            raise ContradictionError("{0} finds the strength itself, so {1} does not go with it.", given, "strength")
        if self.texture is not None:
            raise ContradictionError(
                "{0} leaves noise of the scan's own grain already, so {1} does not go with it.", given, "texture"
            )

    def _refuse_beside_a_model(self) -> None:
        if self.method is not None:
            raise ContradictionError(
                "A model brings its own method and settings, so {0} and {1} do not go together.", "model", "method"
            )
        if self.settings and isinstance(self.model, Denoiser):
            settings_of_model(self.model.method, self.model.settings, self.settings)
        elif self.settings and isinstance(self.model, str | Path):
            header = read_header(self.model)
            settings_of_model(header["method"], header["settings"], self.settings)
        for name in ("minutes", "steps"):
            if getattr(self, name) is not None:
                raise ContradictionError("A model learns nothing, so {1} does not go with {0}.", "model", name)
        if self.keep_bias:
            raise ContradictionError(
                "A model treats the bias as it was fitted, so {1} does not go with {0}.", "model", "keep_bias"
            )

    def without_effect(self, method: str) -> tuple[str, ...]:
        """Say in a sentence what was asked for and changes nothing with a method."""
        if look_up(method).learns_from != "nothing" or (self.steps is None and self.minutes is None):
            return ()
        return (f"{method} learns nothing, so the limits on learning (steps, minutes) had no effect.",)
