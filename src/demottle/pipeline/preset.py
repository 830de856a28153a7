"""Named presets: how much noise stays, decided by what is measured on the scan and not by a bare factor."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from demottle.errors import ContradictionError, InputError, PromiseError, nearest
from demottle.image import Image
from demottle.quality.contract.promise import Promise, refuse_unpromising
from demottle.quality.texture import AUTO

if TYPE_CHECKING:
    from demottle.pipeline.request import Request


@dataclass(frozen=True)
class Preset:
    """What a name stands for.

    Attributes:
        says: what is kept, for a user.
        promise: what the result has to keep; None: nothing.
        texture: noise to be left, as `Request.texture`.
    """

    says: str
    promise: Promise | None = None
    texture: str | None = None


PRESETS = {
    "gentle": Preset(
        "faint and clear edges keep 90 % of their sharpness (CT in HU)", promise=Promise(keep_mtf=0.9, keep_hu=1.0)
    ),
    "standard": Preset("noise stays as far as the peak of its spectrum needs it (volumes)", texture=AUTO),
    "strong": Preset("all noise that the method finds goes, as without a preset"),
}
"""From the most that is kept to the least."""


def refuse_unknown(name: str) -> None:
    """Raise InputError for a preset that there is not."""
    if name not in PRESETS:
        raise InputError(f"There is no preset '{name}'.{nearest(name, PRESETS)} There are {', '.join(PRESETS)}.")


def with_preset(request: "Request", name: str | None) -> "Request":
    """Return a request with what its preset stands for; the same without one.

    Raises:
        InputError: for a name that is not known.
        ContradictionError: where strength, texture or a promise are asked for as well.
    """
    if name is None:
        return request
    refuse_unknown(name)
    given = {
        "strength": request.strength != 1,
        "texture": request.texture is not None,
        "keep_mtf": request.promise is not None,
    }
    for other in (other for other, is_given in given.items() if is_given):
        raise ContradictionError("{0} decides how much noise stays, so {1} does not go with it.", "preset", other)
    preset = PRESETS[name]
    return replace(request, preset=name, promise=preset.promise, texture=preset.texture)


def refuse_unfit(image: Image, name: str) -> None:
    """Raise InputError for an image that cannot have a preset."""
    if PRESETS[name].promise is not None:
        try:
            refuse_unpromising(image)
        except InputError:
            what = "a run of frames" if image.sequence else f"{image.modality}, {image.unit or 'without a unit'}"
            other = "give a strength instead" if image.sequence else "use standard, or give a strength"
            raise InputError(
                f"The preset {name} measures the sharpness of CT in HU with square pixels, and this is {what}; {other}."
            ) from None
    if PRESETS[name].texture is not None and image.sequence:
        raise InputError(f"The preset {name} is for volumes, and this is a run of frames; give a strength instead.")


@contextmanager
def in_words_of(name: str | None) -> Iterator[None]:
    """Say of a promise that is broken within, and that the user did not make herself, which preset made it."""
    try:
        yield
    except PromiseError as error:
        if name is None:
            raise
        told = PromiseError(
            f"The preset {name} cannot be kept on this scan; use standard, or give a strength. {error}",
            remedy=error.remedy,
        )
        told.denoiser = error.denoiser
        raise told from None
