"""The same network, trained for as many steps with clean targets: what the network itself can reach."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.cases import Case
from demottle.image import Image
from demottle.learning.loop import Schedule, learn
from demottle.learning.seeding import seeded
from demottle.methods.matched_neighbors import NAME, Lesson, Settings
from demottle.methods.scan_samples import scan_samples
from demottle.methods.slice_network import INPUTS, Normalized, SliceNetwork, scale_of, summary
from demottle.networks.half_resolution_unet import HalfResolutionUNet
from demottle.networks.windowed_wiener import WindowedWiener
from demottle.noise.fingerprint import measure
from demottle.noise.synthesis import NoiseSource


def clean_targets(
    case: Case, steps: int, seed: int = 0, noise: np.ndarray | None = None, changes: Mapping[str, Any] | None = None
) -> Image:
    """Denoise a case by the default method's network, trained on the truth of the very scan.

    Args:
        case, steps, seed: what, how long, and the seed of learning.
        noise: independent noise added to the targets (perfect neighbors) instead of clean ones.
        changes: settings of the method that differ from its defaults.
    """
    image, fingerprint = case.noisy, measure(case.noisy)
    settings = replace(Settings(), **{"recorruption": 0.0, "early_stop": False, **(changes or {})})
    samples = scan_samples(image, fingerprint.correlation, fingerprint.noise_level, settings.patch)
    ideal = case.truth.voxels if noise is None else case.truth.voxels + noise
    targets = np.stack([ideal[index][samples.box] for index in samples.indices])
    spectrum = fingerprint.spectrum.density_2d.astype(np.float32)
    scale = scale_of(image, fingerprint)
    source = NoiseSource(spectrum, settings.patch)
    lesson = Lesson(
        samples, targets, np.ones_like(targets), np.zeros_like(targets), settings, source, scale.level, seed
    )
    network = seeded(lambda: HalfResolutionUNet(INPUTS, settings.channels), seed)
    student = Normalized(network, WindowedWiener(spectrum), scale, network.multiple)
    learned, _ = learn(student, lesson.loss, Schedule(steps=steps, rate=settings.rate))
    return SliceNetwork(NAME, {}, summary(image, fingerprint, scale), learned.network, spectrum)(image)
