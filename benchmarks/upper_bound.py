"""The same network, trained for as many steps with clean targets: what the network itself can reach."""

from dataclasses import replace

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


def clean_targets(case: Case, steps: int, seed: int = 0) -> Image:
    """Denoise a case by the default method's network, trained on the truth of the very scan."""
    image, fingerprint = case.noisy, measure(case.noisy)
    settings = replace(Settings(), recorruption=0.0, early_stop=False)
    samples = scan_samples(image, fingerprint.correlation, fingerprint.noise_level, settings.patch)
    targets = np.stack([case.truth.voxels[index][samples.box] for index in samples.indices])
    spectrum = fingerprint.spectrum.density_2d.astype(np.float32)
    scale = scale_of(image, fingerprint)
    source = NoiseSource(spectrum, settings.patch)
    lesson = Lesson(samples, targets, np.ones_like(targets), settings, source, scale.level, seed)
    network = seeded(lambda: HalfResolutionUNet(INPUTS, settings.channels), seed)
    student = Normalized(network, WindowedWiener(spectrum), scale, network.multiple)
    learned, _ = learn(student, lesson.loss, Schedule(steps=steps, rate=settings.rate))
    return SliceNetwork(NAME, {}, summary(image, fingerprint, scale), learned.network, spectrum)(image)
