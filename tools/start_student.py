"""Train the student that UDCA starts with on a run: `python -m tools.start_student OUT.safetensors`.

It sees no patient: drawn stills, vessels and devices that move in every way the simulator knows, at 6 to 250 quanta, 8 to 12
bits, with lag and recursion undone as on a run; the target is the run without noise. The memory of a causal student holds no
weights, so what the network sees of every frame is known beforehand and learning is plain regression. Seeded. The file that
demottle ships, src/demottle/networks/start_frames.safetensors, says in its header how it was made.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tools.start_runs import lessons
from torch import Tensor, nn

from demottle.learning.device import best_device, has_fast_bfloat16
from demottle.learning.one_network import learn
from demottle.learning.schedule import CosineSchedule
from demottle.learning.seeding import seeded
from demottle.losses.neighbors import bounded_square
from demottle.losses.wire_contrast import contrast_lost
from demottle.networks.half_resolution_student import HalfResolutionStudent

_OUTLIER = 6.0  # errors beyond so many deviations count linearly


class Lesson:
    """Draws patches from every run and frame alike, turned and mirrored."""

    def __init__(self, pool: NDArray[np.float16], patch: int, batch: int, seed: int, wires: float) -> None:
        """Keep the pool, (runs, frames, 5, size, size), and how much the contrast of faint wires counts."""
        self._pool, self._patch, self._batch, self._wires = torch.from_numpy(pool), patch, batch, wires
        self._random, self._device = np.random.default_rng([seed, 32]), best_device()

    def loss(self, network: nn.Module) -> Tensor:
        """Mean squared error in units of the noise variance, and what faint wires lose of their contrast."""
        runs, frames, _, size, _ = self._pool.shape
        cut = []
        for _ in range(self._batch):
            run, frame = self._random.integers(runs), self._random.integers(frames)
            top, left = self._random.integers(0, size - self._patch + 1, 2)
            one = self._pool[run, frame, :, top : top + self._patch, left : left + self._patch].float()
            one = one.flip([axis for axis in (-1, -2) if self._random.random() < 0.5])
            cut.append(one.transpose(-1, -2) if self._random.random() < 0.5 else one)
        batch = torch.stack(cut).to(self._device)
        seen = batch[:, :3].contiguous(memory_format=torch.channels_last)
        with torch.autocast(seen.device.type, torch.bfloat16, enabled=has_fast_bfloat16()):
            answer = network(seen)
        error = answer.float() - batch[:, 3:4]
        loss = bounded_square(error, torch.full_like(error, _OUTLIER)).mean()
        return loss + self._wires * contrast_lost(error, batch[:, 4:])


def main() -> None:
    """Train and write the file."""
    options = arguments()
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", flush=True)

    pool = np.stack(list(lessons(options.runs, options.size, options.frames, options.seed)))
    say(f"{options.runs} runs")
    lesson = Lesson(pool, options.patch, options.batch, options.seed, options.wires)
    network = seeded(HalfResolutionStudent, options.seed)
    if options.begin is not None:
        network.load_state_dict(load_file(options.begin))
    network = network.to(best_device()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def listen(progress: object) -> None:
        done = int(getattr(progress, "done", 0))
        if done % options.say_every == 0:
            say(f"{done} of {getattr(progress, 'total', 0)} steps, {getattr(progress, 'note', '')}")

    schedule = CosineSchedule(steps=options.steps, minutes=options.minutes, warm_up=100, cool_down=0.6, averaging=0.995)
    learned, history = learn(network, lesson.loss, schedule, rate=options.rate, listener=listen)
    last = float(np.mean((history.each or [])[-300:]))
    say(f"loss over the last 300 steps {last:.5f}")
    recipe = {
        "recipe": "python -m tools.start_student",
        **{key: value for key, value in vars(options).items() if key not in ("out", "say_every", "begin")},
        **({} if options.begin is None else {"begin": begun_as(options.begin)}),
        "steps": history.steps,
        "loss": round(last, 5),
        "torch": torch.__version__,
        "device": str(best_device()),
    }
    weights = {name: value.detach().cpu().float().contiguous() for name, value in learned.state_dict().items()}
    part = options.out.with_suffix(".part")
    save_file(weights, part, {"demottle": json.dumps(recipe)})
    part.replace(options.out)


def begun_as(file: Path) -> dict[str, object]:
    """How the weights were made that these began with."""
    with safe_open(file, "pt") as opened:
        known: dict[str, object] = json.loads(opened.metadata()["demottle"])
    return known


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=int, default=400, help="simulated runs")
    parser.add_argument("--frames", type=int, default=20, help="of each run")
    parser.add_argument("--size", type=int, default=128, help="side of a frame in pixels")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument(
        "--minutes", type=float, help="end sooner (steps then depend on the machine; they are on record)"
    )
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--patch", type=int, default=96)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--wires", type=float, default=100.0, help="how much the contrast of faint wires counts")
    parser.add_argument("--begin", type=Path, help="a file of weights to begin with")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--say-every", type=int, default=200)
    return parser.parse_args()


if __name__ == "__main__":
    main()
