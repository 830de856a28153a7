"""What comes of denoising one image, with everything known about how it came about."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from demottle.image import Image
from demottle.methods import Denoiser
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.sequence.fingerprint import SequenceFingerprint
from demottle.pipeline.plan import Plan
from demottle.quality.check.whole import Check
from demottle.quality.contract.terms import Contract
from demottle.quality.sequence.check import SequenceCheck
from demottle.quality.sequence.response import Response
from demottle.quality.texture import TextureSample
from demottle.quality.uncertainty.derived import Spread, Uncertainty

if TYPE_CHECKING:
    from demottle.quality.gate import Gate
    from demottle.quality.limits import Limits

Record = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Result:
    """A denoised image.

    Attributes:
        image: the denoised image; its history says what was done.
        before: the image it came from.
        fingerprint: what was measured on it.
        plan: the method, its settings and the reasons, in sentences.
        check: what was measured on the result.
        denoiser: the fitted method, to be saved or used on other images.
        record: all of this as plain values, for `run.json`.
        contract: what was promised and what was found; None where nothing was promised.
        uncertain: standard error of every voxel, and its median by tissue; None where it was not asked for.
        spread: how far the passes of a model differ at every voxel, and the median by tissue; None where it was not asked for.
    """

    image: Image
    before: Image
    fingerprint: Fingerprint | SequenceFingerprint
    plan: Plan
    check: Check | SequenceCheck
    denoiser: Denoiser
    record: Record
    contract: Contract | None = field(default=None, kw_only=True)
    uncertain: Uncertainty | None = field(default=None, kw_only=True)
    spread: Spread | None = field(default=None, kw_only=True)

    @property
    def uncertainty(self) -> Image | None:
        """Standard error of every voxel in HU; None where it was not asked for."""
        return None if self.uncertain is None else self.uncertain.image

    def judged(self, limits: "Limits | None" = None) -> "Gate | None":
        """Hold the result against limits (None: the gate's own); None where there are none for such an image."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class VolumeResult(Result):
    """Result for a volume of slices.

    Attributes:
        texture: a slice without and with texture; None where there is too little uniform tissue to measure it.
    """

    fingerprint: Fingerprint
    check: Check
    texture: TextureSample | None = None

    def judged(self, limits: "Limits | None" = None) -> "Gate":
        """Hold the result against limits."""
        from demottle.quality.gate import gate

        return gate(self.check, limits)


@dataclass(frozen=True, eq=False)
class SequenceResult(Result):
    """Result for a run of frames, or for MR volumes over time.

    Attributes:
        ms_per_frame: time that applying the method took.
        delay: frames by which the live form of the method lags behind.
        compared: the denoised image with the bias of magnitudes put back that was taken out on purpose: what may be compared with
            `before`, and what the check of the means was made with.
        response: what the method does to what moves, on test scenes with the run's own noise; None for MR, whose volumes are
            not pictures of something that moves.
    """

    fingerprint: SequenceFingerprint
    check: SequenceCheck
    ms_per_frame: float
    delay: int
    response: Response | None
    compared: Image

    def judged(self, limits: "Limits | None" = None) -> "Gate | None":
        """Hold a series of MR volumes against limits; for X-ray frames there are none."""
        from demottle.quality.sequence.series_gate import series_gate

        return series_gate(self.check, limits) if self.before.modality == "MR" else None
