"""How long a trained model takes for 64 slices of 512 x 512; weights do not matter, so they are drawn.

Slices of a body phantom: the share of a slice that the body fills decides the time, and is told. On a busy machine the time that
passes says little; half of one core's is what two free cores take at best.
"""

import time

import numpy as np
import torch

from demottle.benchmark.suites.cases import Finding
from demottle.image import Image
from demottle.learning.seeding import seeded
from demottle.methods import method
from demottle.methods.base import Denoiser
from demottle.methods.unpaired import pdml, wavelet_band
from demottle.methods.unpaired.full_band import FullBandDenoiser
from demottle.physics.phantoms.phantom import body_phantom

SPACING_MM, FIELD_MM = 3.0, 409.6
_MEASURED = {"small": 1.0, "full": 1 / 32}
"""Share of the slices that is run; the rest takes as long."""


def measured(name: str, preset: str, slices: int, size: int) -> Finding:
    """Apply the model of a method at a preset's size; the cost is that of all slices."""
    pixel = FIELD_MM / size
    clean = body_phantom(2, size, (SPACING_MM, pixel, pixel))
    noise = np.random.default_rng(0).normal(0, 30, clean.shape).astype(np.float32)
    image = clean.with_voxels(clean.voxels + noise)
    denoiser = untrained(name, preset)
    denoiser(_stack(image, 1))  # kernels are chosen at the first call
    seen = _stack(image, max(1, round(slices * _MEASURED[preset])))
    begun, cpu = time.monotonic(), time.process_time()
    denoiser(seen)
    every = slices / len(seen.voxels)
    seconds, processor = every * (time.monotonic() - begun), every * (time.process_time() - cpu)
    said = {
        "body": round(float((clean.voxels > -300).mean()), 3),
        "threads": torch.get_num_threads(),
        "precision": "bfloat16" if getattr(denoiser, "low_precision", False) else "float32",
        "measured_slices": len(seen.voxels),
    }
    cost = {"seconds": round(seconds, 3), "cpu_seconds": round(processor, 3), "per_slice": round(seconds / slices, 5)}
    return Finding({}, said, cost)


def untrained(name: str, preset: str) -> Denoiser:
    """A model with weights as they are drawn at the start of a training."""
    module = method(name).load()
    settings = module.Settings(**module.PRESETS[preset])
    if isinstance(settings, pdml.PdmlSettings):
        drawn = seeded(lambda: pdml.network_of(settings, normalized=False), 0)
        return pdml.MetricDenoiser(settings, {wavelet_band.KEY: settings.levels}, drawn)
    return FullBandDenoiser(name, settings, {}, seeded(settings.generator, 0))


def _stack(image: Image, slices: int) -> Image:
    """So many slices, those of the image over and over."""
    voxels = np.resize(image.voxels, (slices, *image.shape[1:]))
    return Image(voxels, image.spacing, image.modality, image.unit, slice_thickness=image.slice_thickness)
