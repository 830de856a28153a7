"""Runs that the plan is judged on, by name: stills that move, taken by the simulator, or with real noise."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle import io
from demottle.benchmark.suites.real_scans import needed
from demottle.image import Image, Voxels
from demottle.noise.sequence.lag import lagged
from demottle.physics.fluoroscopy.acquisition import Exposure, acquire
from demottle.physics.fluoroscopy.ct import project_scan
from demottle.physics.fluoroscopy.dynamic import WATER, dynamic_phantom
from demottle.physics.fluoroscopy.moved_still import StillMotion, moved_still

SPACING = (1 / 15, 0.4, 0.4)
Level = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From signals to the standard deviation that the noise has there by theory."""


@dataclass(frozen=True)
class PlanCase:
    """A run: what it shows, how it moves, how it is taken.

    Attributes:
        still: "texture-SEED", "wires-SEED"; of real data "chest", "abdomen" (projected) or "slice-N" (a CT slice as a picture).
        shifted: the frames are taken at rest and shifted afterwards, so that noise moves along.
        noise: "simulated", or real: the vendor whose repeated scans the noise is cut from.
    """

    still: str
    motion: StillMotion
    quanta: float
    frames: int
    bits: int
    recursion: float
    lag: float = 0.0
    size: int = 128
    shifted: bool = False
    noise: str = "simulated"

    @property
    def recipe(self) -> dict[str, Any]:
        """Plain values from which `PlanCase.of` makes the same run."""
        return asdict(self)

    @classmethod
    def of(cls, recipe: Mapping[str, Any]) -> "PlanCase":
        """The run of a recipe."""
        given = {name: value for name, value in recipe.items() if name != "path"}
        return cls(**{**given, "motion": StillMotion(**given["motion"])})

    @property
    def name(self) -> str:
        """What it shows, how it moves, how it is taken, whose noise it has."""
        moves = (
            f"{self.motion.kind}-{self.motion.speed:g}-{self.motion.direction:g}{'-shifted' if self.shifted else ''}"
        )
        camera = f"w{self.recursion:g}-l{self.lag:g}"
        return f"{self.still}/{moves}/q{self.quanta:g}-f{self.frames}-b{self.bits}-{camera}/{self.noise}"


JUDGED_MOTIONS = (
    StillMotion(),
    StillMotion("pan", 0.4, 75),
    StillMotion("pan", 1.0, 0),
    StillMotion("pan", 2.0, 0),
    StillMotion("pan", 2.7, 130),
    StillMotion("pan", 5.5, 215),
    StillMotion("pan", 10.0, 45),
    StillMotion("zoom", 2.5),
    StillMotion("rotation", 2.5),
    StillMotion("heartbeat", 3.5),
    StillMotion("breathing", 3.5),
)
JUDGED_CAMERAS = (  # quanta, frames, bits, recursion, lag
    (24.0, 8, 8, 1.0, 0.0),
    (60.0, 12, 8, 0.68, 0.0),
    (12.0, 16, 10, 1.0, 0.1),
    (100.0, 12, 12, 0.5, 0.0),
    (200.0, 10, 8, 0.68, 0.0),
)
TUNED_MOTIONS = (StillMotion(), StillMotion("pan", 1.0, 60), StillMotion("pan", 6.0, 45), StillMotion("heartbeat", 3.0))


def cases_of(which: str) -> Iterator[PlanCase]:
    """Yield the runs of a set: "tuning", "judging" or "real" (which needs the public scans)."""
    if which == "tuning":
        for motion in TUNED_MOTIONS:
            yield PlanCase("texture-100", motion, 24, 12, 8, 1.0)
            yield PlanCase("wires-100", motion, 60, 12, 8, 0.68)
    elif which == "judging":
        for number, (quanta, frames, bits, recursion, lag) in enumerate(JUDGED_CAMERAS):
            for motion in JUDGED_MOTIONS:
                still = f"{'texture' if number % 2 else 'wires'}-{number}"
                yield PlanCase(still, motion, quanta, frames, bits, recursion, lag)
        for step in (0, 1, 2, 4, 6, 10):
            for still, frames in (("texture-9", 8), ("wires-9", 16)):
                yield PlanCase(still, StillMotion("pan", step), 60, frames, 8, 0.68, shifted=True)
    else:
        for number, still in enumerate(("chest", "abdomen", "slice-12", "slice-50")):
            for motion in JUDGED_MOTIONS[number % 2 :: 3]:
                yield PlanCase(still, motion, 60, 12, 8, 0.68)
        for vendor in ("ge", "philips", "siemens"):
            for motion in JUDGED_MOTIONS[3::4]:
                yield PlanCase("slice-30", motion, 60, 12, 8, 0.68, noise=vendor)


def run_of(case: PlanCase, real: Path | None = None) -> tuple[Image, Voxels, Level | None]:
    """Return the noisy run, its truth and the level of its noise by theory (None: real noise).

    Args:
        case: the run.
        real: the folder of the public scans, for runs that are made of them.
    """
    if case.noise != "simulated":
        return _with_real_noise(case, real)
    exposure = Exposure(case.quanta, recursion=case.recursion, lag=case.lag, bits=case.bits)
    if case.shifted:
        run = acquire(
            _film(case, StillMotion(), case.size + round(case.motion.speed) * case.frames, real), exposure, seed=1
        )
        noisy, truth = (_shifted(frames, case) for frames in (run.noisy.voxels, run.clean.voxels))
    else:
        run = acquire(_film(case, case.motion, case.size, real), exposure, seed=1)
        noisy, truth = run.noisy.voxels, run.clean.voxels
    facts = run.facts

    def level(signal: NDArray[np.float64]) -> NDArray[np.float64]:
        variance = facts["gain"] * (signal - facts["black"]) + facts["noise_offset"]
        return np.asarray(np.sqrt(np.maximum(variance, 1e-6)))

    return Image(noisy, SPACING, "XA", sequence=True), truth, level


def _film(case: PlanCase, motion: StillMotion, size: int, real: Path | None) -> Image:
    frames = np.maximum(moved_still(still_of(case.still, real), size, case.frames, motion), 1e-4)
    return Image(frames, SPACING, "XA", sequence=True)


def _shifted(frames: Voxels, case: PlanCase) -> Voxels:
    step = round(case.motion.speed)
    return np.stack([frame[: case.size, index * step :][:, : case.size] for index, frame in enumerate(frames)])


@cache
def still_of(name: str, real: Path | None = None) -> Voxels:
    """Return a still: the share of the X-rays that comes through, almost without noise.

    Args:
        name: see `PlanCase`.
        real: the folder of the public scans, for stills that are made of them.
    """
    kind, _, number = name.partition("-")
    if kind in ("texture", "wires"):
        return _drawn(int(number), with_wires=kind == "wires")
    folder = needed(real)
    if kind == "slice":
        plane = io.read(folder / "abdomen-ct/ct.nii.gz", modality="CT").voxels[int(number)]
        return np.asarray(0.1 + 0.9 * np.clip((plane + 300) / 900, 0, 1), np.float32)
    chest = kind == "chest"
    scan = (
        io.read(folder / "chest-ct-dicom/dicom") if chest else io.read(folder / "abdomen-ct/ct.nii.gz", modality="CT")
    )
    patient = project_scan(scan, WATER)
    at = (np.arange(640) - 319.5) * patient.extent * 0.95 / 640
    shown = np.exp(-0.6 * patient.integral(at[:, None], at[None, :], float(at[1] - at[0])))
    return np.asarray(shown / shown.max(), np.float32)


def _drawn(seed: int, with_wires: bool, side: int = 480) -> Voxels:
    """Chest of the dynamic phantom with fine structure of a falling spectrum, and thin lines crossing, as vessels or wires do."""
    rng = np.random.default_rng([seed, 7])
    chest = dynamic_phantom(1, side, 15, seed=seed).image.voxels[0]
    down, right = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    frequency = np.maximum(np.hypot(down, right), 1 / side)
    amplitude = frequency**-1.5 * np.exp(-((frequency / 0.25) ** 2))
    grain = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((side, side))) * amplitude, s=(side, side))
    lines = np.zeros((side, side))
    if with_wires:
        y, x = np.mgrid[:side, :side].astype(np.float64)
        for _ in range(24):
            angle, away, bend = rng.uniform(0, np.pi), rng.uniform(-0.45, 0.45) * side, rng.uniform(5, 25)
            across = (x - side / 2) * np.cos(angle) + (y - side / 2) * np.sin(angle) - away
            along = (y - side / 2) * np.cos(angle) - (x - side / 2) * np.sin(angle)
            width = rng.uniform(0.8, 3.0)
            lines += rng.uniform(0.1, 0.5) * np.exp(-(((across + bend * np.sin(along / 40)) / width) ** 2))
    return np.asarray(chest * np.exp(0.1 * grain / grain.std() - lines), np.float32)


def _with_real_noise(case: PlanCase, real: Path | None) -> tuple[Image, Voxels, None]:
    """Add noise cut at random from the difference of two scans of one phantom (MR), and let a camera filter over time."""
    folder = needed(real) / "mr-repeats"
    files = sorted(path for path in folder.rglob("*") if path.is_file() and case.noise in str(path).lower())
    one, other = (io.read(path).voxels[0] for path in files[:2])
    change, rng = (one - other)[64:192, 64:192], np.random.default_rng(3)
    change = (change - change.mean()) / change.std()
    tiled = np.tile(change, (2, 2))
    fields = []
    for _ in range(case.frames + 12):
        top, left = rng.integers(0, 128, 2)
        field = tiled[top : top + case.size, left : left + case.size][:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
        fields.append(field)
    held = 1 - case.recursion
    truth = np.float32(230) * _film(case, case.motion, case.size, real).voxels
    settled = np.concatenate([np.repeat(truth[:1], 12, axis=0), truth])
    noise = np.stack(fields).astype(np.float32) * np.float32(6 * ((1 + held) / (1 - held)) ** 0.5)
    frames = lagged(settled + noise, held)[12:]
    noisy = np.clip(np.rint(frames), 0, 255).astype(np.float32)
    return Image(noisy, SPACING, "XA", sequence=True), truth, None
