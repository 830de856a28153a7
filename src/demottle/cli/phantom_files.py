"""What `demottle simulate phantom` writes: truth, scans and `truth.json`."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from demottle import io
from demottle.events import Listener
from demottle.image import Image
from demottle.physics.dynamic import Dynamic, Part
from demottle.physics.projection import Kernel
from demottle.physics.repeats import repeated_scans
from demottle.physics.scenes import Scene
from demottle.physics.structures import GroundTruth

RECORD = "truth.json"


@dataclass(frozen=True)
class Noise:
    """Noise of the scans: in HU in the middle of the phantom, correlation of adjacent slices, kernel, seed, how many."""

    sigma: float
    correlation: float
    kernel: Kernel
    seed: int
    repeats: int


def write_ct(folder: Path, kind: str, scene: Scene, noise: Noise, listener: Listener) -> list[str]:
    """Write a CT phantom into `folder`: truth, scan (or repeat-1, repeat-2, ...), the same without signal in absent/.

    Returns:
        The names of what was written, in the order in which a user reads them.
    """
    names, seeds = _series(folder, "", scene.image, noise, 0, "Phantom", listener)
    settings: dict[str, Any] = {"noise": asdict(noise), "seeds": seeds}
    if scene.absent is not None:
        absent, settings["absent_seeds"] = _series(
            folder, "absent/", scene.absent, noise, 1, "Phantom without signal", listener
        )
        names += absent
    truth = GroundTruth(kind, scene.image.shape, scene.image.spacing, scene.structures, scene.blur_mm, settings)
    (folder / RECORD).write_text(truth.to_json())
    return [*names, RECORD]


def write_dynamic(folder: Path, made: Dynamic, seed: int) -> list[str]:
    """Write a fluoroscopy sequence: frames as NIfTI, flow and parts as .npy, where the wire's tip is in truth.json."""
    io.write(made.image, folder / "truth.nii.gz")
    np.save(folder / "flow.npy", made.flow)
    np.save(folder / "parts.npy", made.parts)
    settings = {
        "seed": seed,
        **made.facts,
        "parts": {part.name.lower(): int(part) for part in Part},
        "tip_pixels": made.tip.tolist(),
    }
    (folder / RECORD).write_text(
        GroundTruth("dynamic", made.image.shape, made.image.spacing, settings=settings).to_json()
    )
    return ["truth.nii.gz", "flow.npy", "parts.npy", RECORD]


def _series(
    folder: Path, prefix: str, truth: Image, noise: Noise, group: int, title: str, listener: Listener
) -> tuple[list[str], list[int]]:
    """Write the truth and its scans; return their names and the seeds of the scans' noise."""
    _write(truth, folder / f"{prefix}truth", f"{title}, noise-free")
    names, seeds = [f"{prefix}truth"], []
    made = repeated_scans(
        truth, noise.repeats, noise.sigma, noise.correlation, noise.seed, noise.kernel, group, listener
    )
    for number, (seed, scan) in enumerate(made, 1):
        name = "scan" if noise.repeats == 1 else f"repeat-{number}"
        description = f"{title}, low dose" if noise.repeats == 1 else f"{title}, low dose, repeat {number}"
        _write(scan, folder / f"{prefix}{name}", description)
        names.append(f"{prefix}{name}")
        seeds.append(seed)
    return names, seeds


def _write(image: Image, path: Path, description: str) -> None:
    io.write(replace(image, source=io.described(description)), path, format="dicom")
