"""Train the network that learning from a scan starts with: `python -m tools.start_network OUT.safetensors`.

It sees no patient: random tissue and analytic bodies, with noise of random spectra, levels and directions (some of it drawn in
projections, with its streaks), and the same without noise as the target. Seeded. With a GPU a few minutes; on a processor ask
for less: `--steps 5000 --batch 8 --patch 96 --pool 8000 --bodies 6 --torsos 6` takes about half an hour on two cores. The file
that demottle ships, src/demottle/networks/start_slices.safetensors, says in its header how it was made.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tools.start_lesson import Lesson
from tools.start_simulations import SPECTRUM, projected_noise, structure_pool, tissue_pool

from demottle.learning.one_network import learn
from demottle.learning.schedule import CosineSchedule
from demottle.learning.seeding import seeded
from demottle.methods.one_scan.slice_network import INPUTS, Normalized, Scale
from demottle.networks.half_resolution_unet import HalfResolutionUNet
from demottle.networks.windowed_wiener import WindowedWiener


def main() -> None:
    """Train and write the file."""
    options = arguments()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.benchmark = True
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", flush=True)

    workers, side = options.workers, options.patch + 32
    projected = list(projected_noise(options.bodies, options.torsos, 100 + options.seed, workers))
    say(f"noise of {options.bodies + options.torsos} bodies")
    tissue = tissue_pool(options.pool, side, options.seed, workers)
    structures = structure_pool(options.pool // 4, options.patch, options.seed, workers)
    say(f"{len(tissue)} pictures of tissue")
    lesson = Lesson(tissue, structures, projected, options.patch, options.batch, device, options.seed)
    channels = tuple(options.channels)
    network = seeded(lambda: HalfResolutionUNet(INPUTS, channels, options.full), options.seed)
    pilot = WindowedWiener(np.ones((SPECTRUM, SPECTRUM)))
    student = Normalized(network, pilot, Scale(0.0, 400.0, 40.0, 150.0), network.multiple).to(device)

    def listen(progress: object) -> None:
        done = int(getattr(progress, "done", 0))
        if done % options.say_every == 0:
            say(f"{done} of {getattr(progress, 'total', 0)} steps, {getattr(progress, 'note', '')}")

    schedule = CosineSchedule(
        steps=options.steps,
        minutes=options.minutes,
        warm_up=200,
        cool_down=options.cool_down,
        averaging=options.averaging,
    )
    learned, history = learn(student, lesson.loss, schedule, rate=options.rate, listener=listen)
    last = float(np.mean((history.each or [])[-300:]))
    say(f"loss over the last 300 steps {last:.5f}")
    recipe = {
        "recipe": "python -m tools.start_network",
        **{k: v for k, v in vars(options).items() if k not in ("out", "workers", "say_every")},
        "steps": history.steps,
        "loss": round(last, 5),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
    }
    weights = {
        name: value.detach().cpu().to(torch.bfloat16).contiguous()
        for name, value in learned.network.state_dict().items()
    }
    part = options.out.with_suffix(".part")
    save_file(weights, part, {"demottle": json.dumps(recipe)})
    part.replace(options.out)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=14_000)
    parser.add_argument(
        "--minutes", type=float, help="end sooner (steps then depend on the machine; they are on record)"
    )
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--patch", type=int, default=128)
    parser.add_argument("--pool", type=int, default=48_000, help="pictures of random tissue")
    parser.add_argument("--bodies", type=int, default=24)
    parser.add_argument("--torsos", type=int, default=24)
    parser.add_argument("--channels", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--full", type=int, default=16, help="channels at full resolution")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--cool-down", type=float, default=0.6)
    parser.add_argument("--averaging", type=float, default=0.998)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--say-every", type=int, default=200)
    return parser.parse_args()


if __name__ == "__main__":
    main()
