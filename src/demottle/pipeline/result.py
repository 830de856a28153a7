"""What comes of denoising one image, with everything known about how it came about."""

from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.image import Image
from demottle.io import write
from demottle.methods import Denoiser
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.sequence.fingerprint import SequenceFingerprint
from demottle.notebook import figure, paragraph, picture, sentences, side_by_side, window_of
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

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the denoised image, in the input's format with its headers unless the name says otherwise.

        Returns:
            The path written. Errors as `demottle.io.write`.
        """
        return write(self.image, path, overwrite=overwrite)

    def save_page(self, path: str | Path, record: Record | None = None) -> None:
        """Write the page of the result: one HTML file with pictures, verdict and figures.

        Args:
            path: of the page.
            record: what it tells of the run; None: `self.record` with the gate's verdict.

        Raises:
            OutputError: it cannot be written.
        """
        raise NotImplementedError

    def _page_record(self, record: Record | None) -> Record:
        gate = self.judged() if record is None else None
        return record or {**self.record, **({} if gate is None else {"gate": gate.to_dict()})}

    def __repr__(self) -> str:
        """One line: method, noise before and after, the gate's verdict."""
        return f"{type(self).__name__}({self._told})"

    def _repr_html_(self) -> str:
        """The middle slice before, after and what was removed, with verdict and warnings, for a notebook."""
        index = self.image.shape[0] // 2
        before, after = self.before.voxels[index], self.image.voxels[index]
        window, reach = window_of(before, self.before.unit), 3 * self.check.noise.before
        reach = reach if reach > 0 else float(window[1] - window[0]) / 4
        place = self.image.place(index)
        pictures = [
            picture(plane, shown, f"{name}, {place}", self.before.aspect)
            for name, plane, shown in (
                ("before", before, window),
                ("after", after, window),
                ("removed", before - after, (-reach, reach)),
            )
        ]
        return paragraph(self._told) + side_by_side(pictures) + sentences(self.record["warnings"])

    @property
    def _told(self) -> str:
        noise, gate = self.check.noise, self.judged()
        level = "noise not measured"
        if isfinite(noise.before) and isfinite(noise.after):
            unit = "" if self.image.unit == "a.u." else f" {self.image.unit}"
            level = f"noise {figure(noise.before)} -> {figure(noise.after)}{unit}"
        verdict = "" if gate is None else f", gate {gate.state} ({gate.summary})"
        return f"{self.plan.method}, {level}{verdict}"


@dataclass(frozen=True, eq=False, repr=False)
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

    def save_page(self, path: str | Path, record: Record | None = None) -> None:
        """Write the page; as of `Result`."""
        from demottle.report import write_page

        told = self._page_record(record)
        write_page(
            self.before,
            self.image,
            self.check,
            told,
            Path(path),
            texture=self.texture,
            uncertain=self.uncertain,
        )


@dataclass(frozen=True, eq=False, repr=False)
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

    def save_page(self, path: str | Path, record: Record | None = None) -> None:
        """Write the page; as of `Result`."""
        from demottle.report.sequence import write_sequence_page

        told = self._page_record(record)
        write_sequence_page(
            self.before, self.image, self.check, told, Path(path), self.response, compared=self.compared
        )
