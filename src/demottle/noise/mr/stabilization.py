"""Take the noise of a magnitude image to one that methods for Gaussian noise expect, and a denoised image back without bias."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.noise.mr.magnitude import NoiseModel, is_magnitude
from demottle.noise.mr.rician import mean_of, stabilizer


def stabilized(image: Image, model: NoiseModel) -> Image:
    """Return the image with noise of the same deviation at any signal: sigma f(M / sigma), f as `rician.Stabilizer`.

    Without signal it is 0 on average, so it has negative values. Padding stays as it is.
    """
    return image.with_voxels(_planes(image, model, image.voxels, stabilizer().forward))


def unbiased(image: Image, model: NoiseModel, denoised: Voxels, given: Voxels) -> Voxels:
    """Return the signal that a denoised `stabilized` image stands for.

    Args:
        image: the magnitude image.
        model: its noise.
        denoised: what a method made of `given`.
        given: voxels of the stabilized image. What a method left exactly as it was (air, padding) keeps its magnitude.
    """
    signal = _planes(image, model, denoised, stabilizer().inverse)
    for index, plane in enumerate(signal):
        kept = denoised[index] == given[index]
        plane[kept] = image.voxels[index][kept]
    return signal


def with_bias(before: Image, after: Image, model: NoiseModel, strength: float = 1.0) -> Image:
    """Return `after` with the bias put back that was taken out: what its mean magnitudes would be under the noise of `before`.

    So a denoised image whose bias was taken out can be compared with the image it came from. `strength` is how strongly
    the method was applied.
    """
    out = np.array(after.voxels)
    for index, plane in enumerate(out):
        first = before.voxels[index]
        changed = plane != first
        if strength <= 0 or not changed.any():
            continue
        sigma = np.maximum(model.plane(index, (plane.shape[0], plane.shape[1])), 1e-6)[changed]
        signal = first[changed] + (plane[changed] - first[changed]) / strength
        plane[changed] += strength * (sigma * mean_of(np.maximum(signal, 0) / sigma) - signal)
    return after.with_voxels(out)


def with_bias_of_map(after: Image) -> Image:
    """Return a denoised MR series with the bias that its noise gives magnitudes put back, by its map of the noise.

    So it can be compared with the series it came from. Without a map, or with values that are not magnitudes: as it is.
    """
    sigma = after.maps.get("noise")
    if sigma is None or not is_magnitude(after):
        return after
    known = sigma > 0
    out = np.array(after.voxels)
    for plane in out:
        plane[known] = sigma[known] * mean_of(plane[known] / sigma[known])
    return after.with_voxels(out)


def _planes(
    image: Image, model: NoiseModel, voxels: Voxels, change: Callable[[NDArray[np.floating]], NDArray[np.float64]]
) -> Voxels:
    out = np.empty(voxels.shape, np.float32)
    for index, plane in enumerate(voxels):
        sigma = np.maximum(model.plane(index, (plane.shape[0], plane.shape[1])), 1e-6)
        out[index] = sigma * change(plane / sigma)
        if image.valid is not None:
            out[index] = np.where(image.valid[index], out[index], plane)
    return out
