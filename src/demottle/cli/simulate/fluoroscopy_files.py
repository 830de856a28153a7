"""What `demottle simulate fluoroscopy` writes: the noisy run, the clean one, its flow, and `truth.json`."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from demottle import io
from demottle.physics.fluoroscopy.acquisition import Run
from demottle.physics.fluoroscopy.dynamic import Dynamic
from demottle.physics.fluoroscopy.layers import Part

RUN, TRUTH, FLOW, PARTS, RECORD = "run.dcm", "truth.nii.gz", "flow.npy", "parts.npy", "truth.json"


def write_run(folder: Path, scene: Dynamic, run: Run, origin: dict[str, object]) -> list[str]:
    """Write everything into `folder`; returns the names, in the order in which a user reads them.

    Args:
        folder: exists and is empty.
        scene: the noise-free scene, with flow and parts.
        run: the run taken of it.
        origin: where the scene comes from: preset, seed, and `from_scan`, True where it was projected through a scan.
    """
    phantom = not origin["from_scan"]  # of a chest; a scan may show anything
    source = io.described("Fluoroscopy", "CHEST" if phantom else "", phantom=phantom)
    io.write(replace(run.noisy, source=source), folder / RUN)
    io.write(replace(run.clean, history=()), folder / TRUTH)
    np.save(folder / FLOW, scene.flow)
    np.save(folder / PARTS, scene.parts)
    record = {
        "kind": "fluoroscopy",
        "frames": scene.image.shape[0],
        "frame_time_s": scene.image.spacing[0],
        "pixel_mm": list(scene.image.spacing[1:]),
        **origin,
        "motion": scene.facts,
        "exposure": run.facts,
        "parts": {part.name.lower(): int(part) for part in Part},
        "tip_pixels": scene.tip.tolist(),
    }
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n")
    return [RUN, TRUTH, FLOW, PARTS, RECORD]
