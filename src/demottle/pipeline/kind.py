"""What is different for volumes of slices and for runs of frames: a `Kind` is the functions by which they differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from demottle.events import Listener
from demottle.image import Image
from demottle.methods import Denoiser
from demottle.pipeline.plan import Plan
from demottle.pipeline.request import Request
from demottle.pipeline.result import Result


@dataclass(frozen=True, eq=False)
class Found:
    """What was measured on an image.

    Attributes:
        image: as it was given.
        seen: as a method sees it: of MR magnitudes with even noise, else the image itself.
        fingerprint: fingerprint of the image.
        known: what is known of what the method sees.
    """

    image: Image
    seen: Image
    fingerprint: Any
    known: Any


class Kind(Protocol):
    """Volumes or sequences; `demottle.pipeline.run` calls these in this order and does the rest, the same for both."""

    def measure(self, image: Image, request: Request, listener: Listener) -> Found:
        """Measure the noise.

        Raises:
            InputError: for an image of which nothing can be made, or a request that is not for such images.
        """

    def plan(self, found: Found, request: Request, listener: Listener) -> Plan:
        """Choose a method and its settings, or take what is asked for."""

    def settled(
        self, found: Found, denoiser: Denoiser, plan: Plan, request: Request, listener: Listener
    ) -> tuple[Denoiser, Plan]:
        """Complete what was fitted, or replace it by what is better."""

    def range_warnings(self, found: Found, denoiser: Denoiser) -> list[str]:
        """Say in sentences where an image lies outside of what a model was fitted on.

        Raises:
            InputError: where the model's numbers would mean nothing for it.
        """

    def noise(self, found: Found) -> Mapping[str, Any]:
        """What the image's history says of its noise."""

    def finished(self, found: Found, after: Image, denoiser: Denoiser, request: Request) -> tuple[Image, Any]:
        """Put the last touches to what a method made, and return what was learned on the way."""

    def warnings(self, found: Found) -> list[str]:
        """What is odd about the image."""

    def check(self, found: Found, after: Image, denoiser: Denoiser, listener: Listener) -> tuple[Any, Any]:
        """Measure what came out, without a truth; return the check, and what else was found."""

    def result(self, made: Result, touched: Any, more: Any, seconds: float) -> Result:
        """Return the result with what only such images have; `touched`, `more`: what `finished` and `check` found besides.

        `seconds`: how long applying the method took.
        """
