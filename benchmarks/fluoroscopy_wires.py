"""How well thin moving wires are seen in what each filter makes of a run: contrast, and detectability against the truth.

    python -m benchmarks.fluoroscopy_wires                  the judged runs
    python -m benchmarks.fluoroscopy_wires --set tuning     those that were looked at while it was written

Wires of 1, 2 and 4 standard deviations of the noise are drawn into the run (`demottle.pipeline.sequence_wire`). The spread is
that of
the result's error at places without a wire, against the known truth; beside it stands what is estimated on the run itself,
without the truth, for wires of 1. `udca` is the network as it comes with demottle, `learned` what it becomes on the run (20
frames and more).

Prints a table and writes benchmark-results/fluoroscopy_wires.json.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.fluoroscopy_plan_cases import PlanCase, run_of
from demottle.image import Image
from demottle.methods.registry import method
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.physics.fluoroscopy.moved_still import StillMotion
from demottle.pipeline.plan_sequence import CANDIDATES, DEFAULT_SEQUENCE
from demottle.pipeline.sequence_risk import probe_of, probed
from demottle.pipeline.sequence_wire import wires_seen
from demottle.pipeline.settings import make_settings

DEPTHS = (1.0, 2.0, 4.0)
TUNING = (
    PlanCase("texture-100", StillMotion(), 24, 12, 8, 1.0),
    PlanCase("wires-100", StillMotion("pan", 1.0, 60), 60, 12, 8, 0.68),
    PlanCase("texture-60", StillMotion("heartbeat", 3.0), 12, 16, 10, 1.0, 0.1),
    PlanCase("wires-60", StillMotion("pan", 6.0, 45), 200, 10, 8, 0.68),
    PlanCase("texture-60", StillMotion(), 100, 8, 12, 1.0),
    PlanCase("wires-60", StillMotion(), 24, 16, 8, 1.0),
    PlanCase("texture-100", StillMotion("zoom", 2.0), 60, 12, 8, 0.68),
    PlanCase("wires-100", StillMotion("rotation", 2.0), 24, 19, 8, 1.0),
    PlanCase("texture-100", StillMotion(), 24, 20, 8, 1.0),
    PlanCase("wires-100", StillMotion("pan", 1.0, 60), 60, 20, 8, 0.68),
    PlanCase("texture-60", StillMotion("heartbeat", 3.0), 24, 20, 8, 1.0),
)
JUDGING = (
    PlanCase("texture-71", StillMotion(), 24, 8, 8, 1.0),
    PlanCase("wires-72", StillMotion("pan", 0.4, 75), 60, 12, 8, 0.68),
    PlanCase("texture-73", StillMotion("pan", 2.0), 12, 16, 10, 1.0, 0.1),
    PlanCase("wires-74", StillMotion("pan", 5.5, 215), 100, 12, 12, 0.5),
    PlanCase("texture-75", StillMotion("zoom", 2.5), 200, 10, 8, 0.68),
    PlanCase("wires-76", StillMotion("rotation", 2.5), 24, 8, 8, 1.0),
    PlanCase("texture-77", StillMotion("heartbeat", 3.5), 60, 12, 8, 0.68),
    PlanCase("wires-78", StillMotion("breathing", 3.5), 12, 16, 10, 1.0, 0.1),
    PlanCase("texture-79", StillMotion(), 100, 12, 12, 0.5),
    PlanCase("wires-80", StillMotion("heartbeat", 3.5), 24, 24, 8, 1.0),
    PlanCase("texture-81", StillMotion("pan", 1.0), 60, 24, 8, 0.68),
    PlanCase("wires-82", StillMotion(), 12, 24, 10, 1.0),
)
_LONG = 20  # frames from which on the plan lets a network learn


@dataclass(frozen=True)
class Measured:
    """Of one filter: contrast and detectability of wires of each depth, that of the shallowest as estimated, its error.

    The error is the root mean square in gray levels of 8 bits.
    """

    contrast: tuple[float, ...]
    detectability: tuple[float, ...]
    estimated: float
    error: float


def measured(case: PlanCase, depths: Sequence[float] = DEPTHS) -> dict[str, Measured]:
    """Measure every filter on one run."""
    noisy, truth, _ = run_of(case)
    found = measure_sequence(noisy)
    probe, clean = probe_of(noisy, found), truth[probed(noisy)]
    out = {}
    for name, one in _filters(noisy, found):
        seen = [wires_seen([one], probe, depth, clean)[0] for depth in depths]
        error = 255 / (2**case.bits - 1) * float(np.sqrt(np.mean((one(noisy).voxels - truth).astype(np.float64) ** 2)))
        out[name] = Measured(
            tuple(each.contrast for each in seen),
            tuple(each.detectability for each in seen),
            wires_seen([one], probe, depths[0])[0].detectability,
            error,
        )
    return out


def _filters(noisy: Image, found: SequenceFingerprint) -> Iterator[tuple[str, Callable[[Image], Image]]]:
    yield "input", lambda image: image
    for candidate in CANDIDATES:
        if candidate.method == "frame-average":
            continue
        module = method(candidate.method).load()
        settings = make_settings(candidate.method, candidate.settings)
        yield candidate.name, getattr(module, "untaught", module.fit)(noisy, settings, found)
        if candidate.method == DEFAULT_SEQUENCE and noisy.shape[0] >= _LONG:
            yield "learned", module.fit(noisy, settings, found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="judging", choices=("tuning", "judging"))
    parser.add_argument("--out", type=Path, default=Path("benchmark-results/fluoroscopy_wires.json"))
    options = parser.parse_args()
    rows = {}
    for case in TUNING if options.set == "tuning" else JUDGING:
        rows[case.name] = measured(case)
        print(case.name)
        for name, one in rows[case.name].items():
            each = "   ".join(f"{k:.2f} {d:6.2f}" for k, d in zip(one.contrast, one.detectability, strict=True))
            print(f"  {name:26} error {one.error:6.2f}   {each}   estimated {one.estimated:5.2f}", flush=True)
    told = {name: {key: asdict(one) for key, one in run.items()} for name, run in rows.items()}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
