"""What is measured on some slices from the middle of a series, before anything is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from demottle.errors import DemottleError

if TYPE_CHECKING:
    from demottle.image import Image

SLICES = 12
"""From the middle of a series; levels and spectra of fewer scatter."""


@dataclass(frozen=True)
class Sampled:
    """What was measured on one series.

    Attributes:
        key: of the series.
        method: that the scan would decide on; empty where it could not be measured.
        level: noise in the image's unit; None where it could not be measured, as all numbers.
        frequency: mean of the noise spectrum, 1/mm.
        correlation: of the noise of neighboring slices.
        failed: why nothing could be measured.
    """

    key: str
    method: str = ""
    level: float | None = None
    frequency: float | None = None
    correlation: float | None = None
    failed: str = ""


@dataclass(frozen=True)
class Series:
    """A series to be measured: key, folder from the root, and its files (those in the middle where that is known)."""

    key: str
    folder: str
    files: tuple[str, ...]
    root: str


def measure_some(series: list[Series]) -> list[Sampled]:
    """Measure series; what cannot be measured says why."""
    return [_measured(one) for one in series]


def lost(series: Series) -> Sampled:
    """What is said where measuring ended the process."""
    return Sampled(series.key, failed="measuring it ended the program")


def _measured(series: Series) -> Sampled:
    from demottle.noise.fingerprint import measure
    from demottle.pipeline.plan import make_plan

    try:
        fingerprint = measure(_middle(series))
        plan = make_plan(fingerprint)
    except DemottleError as error:
        return Sampled(series.key, failed=str(error).replace(f"{series.root}/", ""))
    except Exception as error:  # one series must not cost the others
        return Sampled(series.key, failed=f"this is a bug in demottle ({type(error).__name__})")
    spectrum = fingerprint.spectrum
    rho = fingerprint.correlation.rho
    return Sampled(
        series.key,
        plan.method,
        _finite(fingerprint.noise_level),
        None if spectrum is None else _finite(spectrum.mean),
        _finite(rho[0]) if rho else None,
    )


def _middle(series: Series) -> "Image":
    from demottle import io

    root = Path(series.root)
    opened = io.open_files(root / series.folder, [root / file for file in series.files])
    image = opened.read(1 if opened.volumes else None)
    first = max(0, (len(image.voxels) - SLICES) // 2)
    if image.sequence or len(image.voxels) <= SLICES:
        return image
    some = slice(first, first + SLICES)
    return _part(image, some)


def _part(image: "Image", some: slice) -> "Image":
    """Some slices of an image, without its source."""
    from demottle.image import Image

    valid = None if image.valid is None else image.valid[some]
    return Image(
        image.voxels[some],
        image.spacing,
        image.modality,
        image.unit,
        valid=valid,
        slice_thickness=image.slice_thickness,
    )


def unlike(one: Sampled, others: Sequence[Sampled]) -> str:
    """Say in a sentence where a series differs too much from the middle of its group to share a network; else nothing."""
    from demottle.pipeline.ranges import CORRELATION, FREQUENCY, NOISE

    for name, (least, most), words in (
        ("level", NOISE, "Its noise is {:.3g}, that of its group {:.3g}"),
        ("frequency", FREQUENCY, "The mean frequency of its noise is {:.2f}/mm, that of its group {:.2f}/mm"),
    ):
        mine, usual = getattr(one, name), _middle_of(others, name)
        if mine and usual and not least <= mine / usual <= most:
            return f"{words.format(mine, usual)}: fitted for itself."
    usual = _middle_of(others, "correlation")
    if one.correlation is not None and usual is not None and abs(one.correlation - usual) > CORRELATION:
        shared = f"{one.correlation:.2f} of their noise, those of its group {usual:.2f}"
        return f"Neighboring slices share {shared}: fitted for itself."
    return ""


def _middle_of(some: Sequence[Sampled], name: str) -> float | None:
    known = [value for one in some if (value := getattr(one, name)) is not None]
    return median(known) if known else None


def usual_method(some: Sequence[Sampled]) -> str:
    """The method that most of a group would get; empty where none was measured."""
    named = [one.method for one in some if one.method]
    return max(sorted(set(named)), key=named.count) if named else ""


def told(one: Sampled) -> Mapping[str, Any]:
    """Columns of the plan."""
    return {"noise": one.level, "noise_frequency": one.frequency, "noise_correlation": one.correlation}


def _finite(value: float) -> float | None:
    return round(float(value), 4) if isfinite(value) else None
