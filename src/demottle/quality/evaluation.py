"""Everything that can be measured on one result, chosen by what is at hand; and in words what cannot be, and why."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Mask
from demottle.physics.phantoms.structures import GroundTruth
from demottle.quality.check.tissues import tissues_of
from demottle.quality.check.whole import Check, check
from demottle.quality.gate import Gate, gate
from demottle.quality.geometry_match import refuse_apart
from demottle.quality.identical_images import truth_given_twice
from demottle.quality.limits import Limits
from demottle.quality.objects.known_objects import KnownStructures, known_structures
from demottle.quality.objects.repeats import Many, Pair, gather
from demottle.quality.to_plain import plain
from demottle.quality.truth.realizations import Repeat, compare_repeats
from demottle.quality.truth.whole import Comparison, against_truth
from demottle.quality.worst import WorstSlice, worst_slice

BODY_HU = -500.0
"""Errors against a truth count above this: air, most of an image, would water them down."""
_SPACING = 1e-3  # relative; files round their spacing differently


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured on one result.

    Attributes:
        check: what needs nothing but input and output.
        gate: the verdict against limits.
        truth: errors against a truth; None without one.
        repeat: agreement with a second realization; None without one.
        known: structures of known place: contrast, sharpness, detectability; None where none are listed.
        many: observers and the noise-only test, from one scan or many of a phantom; None without structures.
        worst: where to look first; None without a body.
        missing: what could not be measured and why, in sentences.
    """

    check: Check
    gate: Gate
    truth: Comparison | None
    repeat: Repeat | None
    known: KnownStructures | None
    many: Many | None
    worst: WorstSlice | None
    missing: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what could not be measured is None."""
        return {
            "check": self.check.to_dict(),
            "gate": self.gate.to_dict(),
            "truth": None if self.truth is None else self.truth.to_dict(),
            "second_realization": plain(self.repeat),
            "structures": None if self.known is None else self.known.to_dict(),
            "observers": None if self.many is None else plain(self.many.observed),
            "noise_only": None if self.many is None else plain(self.many.noise_only),
            "scans": None if self.many is None else {"with": self.many.scans, "without": self.many.without},
            "worst_slice": plain(self.worst),
            "not_measured": list(self.missing),
        }


def evaluate(
    before: Image,
    after: Image,
    truth: Image | None = None,
    second: tuple[Image, Image] | None = None,
    structures: GroundTruth | None = None,
    limits: Limits | None = None,
    margin: float | None = None,
    listener: Listener = silent,
    repeats: Iterable[Pair] = (),
    absent: Iterable[Pair] = (),
) -> Evaluation:
    """Measure one result.

    Args:
        before, after: the scan and what was made of it.
        truth: the noise-free scan.
        second: another scan of the same object with independent noise, and what was made of that.
        structures: what is where in a phantom.
        limits: limits of the gate; None for the defaults.
        margin: margin of the equivalence tests of tissue means; None: 2 HU.
        listener: hears of the stages "check" and "evaluate".
        repeats: more scans of the phantom with noise of their own, and what was made of each; gone through once. Contrast
            and sharpness are then those of the mean scan, all else is of `before` and `after`.
        absent: scans of the phantom without its objects, and what was made of each; an empty tuple where there are none.

    Raises:
        InputError: for images that do not belong together, or of which nothing can be measured.
    """
    _refuse_images(before, after, truth, second)
    if structures is not None:
        _refuse_structures(structures, before)
    body = None if truth is None else body_of(truth)
    found = check(before, after, margin=margin, listener=listener)
    if truth is not None:
        found = replace(found, warnings=(*truth_given_twice(truth, before, after), *found.warnings))
    steps = 4
    listener(Progress(Stage.EVALUATE, 0, steps, "worst slice"))
    worst = worst_slice(before, after, truth)
    listener(Progress(Stage.EVALUATE, 1, steps, "errors against the truth"))
    compared = None if truth is None else against_truth(before, after, truth, body, margin=margin)
    listener(Progress(Stage.EVALUATE, 2, steps, "second realization"))
    repeat = None if second is None else compare_repeats(before, after, *second)
    listener(Progress(Stage.EVALUATE, 3, steps, "structures"))
    many = known = None
    if structures is not None:
        many = gather((before, after), repeats, absent, structures, found.leak, without=absent != ())
        known = known_structures(many.before, many.after, structures, found, truth, many.scans)
    listener(Progress(Stage.EVALUATE, steps, steps))
    if compared is None and repeat is None and known is None:
        _refuse_nothing(found)
    verdict = gate(found, limits, known.sharpness if known else (), compared, many.observed if many is not None else ())
    missing = [*_missing_of(before, found), *_missing_sources(truth, second, structures)]
    missing += [*(known.refused if known else ()), *(many.refused if many else ())]
    return Evaluation(found, verdict, compared, repeat, known, many, worst, tuple(missing))


def body_of(truth: Image) -> Mask | None:
    """Where errors against a truth count; None (everywhere) without HU."""
    return truth.voxels > BODY_HU if truth.unit == "HU" else None


def _refuse_images(before: Image, after: Image, truth: Image | None, second: tuple[Image, Image] | None) -> None:
    """Raise InputError where images do not belong together, or the truth holds nothing to compare with."""
    named = {"The input": before, "The output": after}
    if truth is not None:
        named["The truth"] = truth
    if second is not None:
        named |= {"The second input": second[0], "The second output": second[1]}
    refuse_apart(named)
    body = None if truth is None else body_of(truth)
    if body is not None and not body.any():
        raise InputError(
            f"The truth holds no body (nothing above {BODY_HU:.0f} HU) in which errors could be measured; is it the right series?"
        )


def _refuse_structures(structures: GroundTruth, image: Image) -> None:
    """Raise InputError where a list of structures is of another image."""
    step = max(abs(s / i - 1) for s, i in zip(structures.spacing, image.spacing, strict=True))
    if structures.shape != image.shape or step > _SPACING:
        told = [
            f"{shape} and spacing {' x '.join(f'{s:.4g}' for s in spacing)} mm"
            for shape, spacing in ((structures.shape, structures.spacing), (image.shape, image.spacing))
        ]
        raise InputError(
            f"The structures are of an image of shape {told[0]}, but the input has {told[1]}; give the truth.json that was "
            "written with this scan."
        )
    for one in structures.structures:
        if not all(-0.5 <= c <= n - 0.5 for c, n in zip(one.insert.center, image.shape, strict=True)):
            place = ", ".join(f"{c:.1f}" for c in one.insert.center)
            raise InputError(
                f"The structure {one.name} lies outside of the image: at (slice, row, column) {place} of {image.shape}; give "
                "the truth.json that was written with this scan."
            )


def _refuse_nothing(found: Check) -> None:
    tissues = [t for t in found.tissues if t.name != "air"]
    if not (isfinite(found.noise.before) or tissues or found.edges.pixels or found.spectra):
        raise InputError(
            "Nothing can be measured on these images: they hold no flat tissue, no tissue of known CT number and no edges; "
            "is it the right series?"
        )


def _missing_of(before: Image, found: Check) -> list[str]:
    said = []
    if found.no_spectra:
        said.append(f"No noise spectrum: {found.no_spectra}")
    if found.leak is None:
        said.append("No noise correlation between slices: there is a single slice.")
    if before.unit == "HU" and not found.ours:
        said.append(
            "Air around the body and metal are measured, but not asked to stay as they were: nothing says that demottle made "
            "this output (of DICOM its header would)."
        )
    present = {t.name for t in found.tissues}
    absent = [t.name for t in tissues_of(before) if t.name not in present]
    if absent:
        word = "CT number" if before.unit == "HU" else "mean signal"
        said.append(f"No {word} of {', '.join(absent)}: too little of it is uniform, or there is none.")
    return said


def _missing_sources(
    truth: Image | None, second: tuple[Image, Image] | None, structures: GroundTruth | None
) -> list[str]:
    said = []
    if truth is None and second is None:
        said.append("No errors (RMSE, PSNR, SSIM): that needs a truth or a second realization.")
    if structures is None:
        said.append(
            "No sharpness (TTF), contrast left, detectability, Hotelling observer or noise-only test: that takes structures of "
            "known place."
        )
    return said
