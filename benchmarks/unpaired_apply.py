"""How long a model takes for 64 slices of 512 x 512; weights do not matter, so they are drawn.

Slices of a body phantom: the share of a slice that the body fills is what decides the time, and is printed.
"""

import time

import numpy as np
import torch

from demottle.image import Image
from demottle.learning.seeding import seeded
from demottle.methods import method
from demottle.methods.base import Denoiser
from demottle.methods.unpaired import pdml
from demottle.methods.unpaired.full_band import FullBandDenoiser
from demottle.physics.phantoms.phantom import body_phantom

SLICES, SIZE, SPACING = 64, 512, (3.0, 0.8, 0.8)
_MEASURED = {"small": SLICES, "full": 2}  # slices that are run; the rest takes as long


def run(names: list[str]) -> None:
    """Print seconds for 64 slices: all of them at the small size, by the time that two take at the full one.

    On a busy machine the time that passes says little; half of one core's is what two free cores take at best.
    """
    clean = body_phantom(2, SIZE, SPACING)
    noise = np.random.default_rng(0).normal(0, 30, clean.shape).astype(np.float32)
    image = clean.with_voxels(clean.voxels + noise)
    share = float((clean.voxels > -300).mean())
    print(f"{SLICES} slices of {SIZE} x {SIZE}, the body fills {share:.0%}, {torch.get_num_threads()} threads")
    for name in names:
        for preset in ("small", "full"):
            denoiser = untrained(name, preset)
            denoiser(_stack(image, 1))  # kernels are chosen at the first call
            measured = _stack(image, _MEASURED[preset])
            started, computed = time.monotonic(), time.process_time()
            denoiser(measured)
            seconds, processor = time.monotonic() - started, time.process_time() - computed
            every = SLICES / len(measured.voxels)
            precision = "bfloat16" if getattr(denoiser, "low_precision", False) else "float32"
            took = f"{every * seconds:6.1f} s, of one core {every * processor:6.1f} s"
            print(f"{name:24s} {preset:8s} {took}  {precision}", flush=True)


def untrained(name: str, preset: str) -> Denoiser:
    """A model with weights as they are drawn at the start of a training."""
    module = method(name).load()
    settings = module.Settings(**module.PRESETS[preset])
    if isinstance(settings, pdml.Settings):
        drawn = seeded(lambda: pdml.network_of(settings, normalized=False), 0)
        return pdml.MetricDenoiser(settings, {}, drawn)
    return FullBandDenoiser(name, settings, {}, seeded(settings.generator, 0))


def _stack(image: Image, slices: int) -> Image:
    """So many slices, those of the image over and over."""
    voxels = np.resize(image.voxels, (slices, *image.shape[1:]))
    return Image(voxels, SPACING, image.modality, image.unit, slice_thickness=image.slice_thickness)
