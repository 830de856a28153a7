"""How fast a student runs live: frames through the engine of `demottle stream`, waiting line, latency and all.

Two runs: as fast as frames are taken, which gives frames per second and the time a frame takes, and at a given rate, which
gives the latency from a frame's arrival to its result. The student is untrained, since weights do not change the time; frames are
noise, 16 bits, already in memory. With a GPU its name and the share of it that others may use at the time are all that matters:
say in what company it was measured.

In a process of its own: `python -m demottle.stream.pace JSON`, with the arguments of `measured` as JSON, prints JSON.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import torch

from demottle.image import Voxels
from demottle.learning.device import best_device, has_fast_bfloat16
from demottle.methods.udca.noise import FrameNoise
from demottle.methods.udca.sequence import SequenceNetwork, empty_network
from demottle.methods.udca.settings import UdcaSettings
from demottle.noise.sequence.curve import NoiseCurve
from demottle.stream.engine import live_form
from demottle.stream.live import LiveReport, run_live

LEVEL, GAIN = 1000.0, 10.0


def measured(size: int, student: Literal["light", "paper"], frames: int, rate: float) -> dict[str, dict[str, Any]]:
    """Run both; return the figures ("quality") and what else there is to say of them ("said").

    Args:
        size: rows and columns.
        student: "light" or "paper", the size of the network.
        frames: of each of the two runs.
        rate: frames per second of the second run.
    """
    kind = UdcaSettings(size=student).resolved(in_time=True)[1]
    denoiser = untrained(student, kind)
    begun = time.monotonic()
    chosen = live_form(denoiser, (size, size))
    ready = time.monotonic() - begun
    load = os.getloadavg()[0]
    free = run_live(noise(size, frames), chosen.stream, _nowhere, policy="slow", queue=2)
    second = live_form(denoiser, (size, size), "onnx" if chosen.engine == "onnx" else "torch").stream
    paced = run_live(noise(size, frames), second, _nowhere, policy="drop", rate=rate)
    quality = {
        "fps": free.rate,
        "frame_ms": pace(free),
        "latency_ms": paced.latency.median if paced.latency.count else None,
        "latency_p99_ms": paced.latency.p99 if paced.latency.count else None,
        "dropped": len(paced.dropped) / frames,
    }
    said = {
        "kind": kind,
        "parameters": sum(p.numel() for p in denoiser.student.parameters()),
        "device": _device(),
        "bfloat16": has_fast_bfloat16(),
        "torch": torch.__version__,
        "engine": chosen.engine,
        "engines_ms": {name: round(value, 2) for name, value in chosen.trials.items()},
        "seconds_to_get_ready": round(ready, 1),
        "load_before": round(load, 2),
        "as_fast_as_it_goes": free.to_dict(),
        "at_a_rate": {"rate": rate, **paced.to_dict()},
    }
    return {"quality": quality, "said": said}


def _device() -> str:
    return torch.cuda.get_device_name() if best_device().type == "cuda" else f"{torch.get_num_threads()} threads"


def pace(report: LiveReport) -> float:
    """Milliseconds from one result to the next, on average."""
    return round(1e3 * report.seconds / report.results, 2)


def untrained(size: str, kind: str) -> SequenceNetwork:
    """A student that was taught nothing."""
    signal = np.array([0.25, 1.0, 2.0]) * LEVEL
    noise = FrameNoise(NoiseCurve(signal, np.sqrt(GAIN * signal), GAIN, 0.0), 0.0, np.ones((32, 32), np.float32))
    fitted = {"size": size, "student": kind, "frame_noise": noise.to_dict()}
    return SequenceNetwork("udca", {"memory": 0.1}, fitted, empty_network(size, kind), noise.spectrum)


def noise(size: int, count: int) -> Iterator[Voxels]:
    """Frames as a detector gives them, from a few that are made now: a source that is late would count as latency."""
    random = np.random.default_rng(0)
    kept = [
        np.rint(random.normal(LEVEL, np.sqrt(GAIN * LEVEL), (size, size))).clip(0).astype(np.uint16) for _ in range(8)
    ]
    return (kept[index % len(kept)].astype(np.float32) for index in range(count))


def _nowhere(number: int, frame: Voxels) -> None:
    """A sink that keeps nothing."""


if __name__ == "__main__":
    print(json.dumps(measured(**json.loads(sys.argv[1]))))
