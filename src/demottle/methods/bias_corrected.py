"""Any method for volumes around which the noise of MR magnitudes is made Gaussian first, and the bias taken out at the end.

Stabilize, denoise, exact unbiased inverse (`noise.mr.rician`): the method itself never knows. A denoiser gives back the mean of
what it sees; the mean of magnitudes is not the signal.
"""

from typing import Any

from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods.base import Denoiser, Tensors
from demottle.noise.correlation import slice_correlation
from demottle.noise.mr.magnitude import RICIAN, noise_model
from demottle.noise.mr.stabilization import stabilized, unbiased

KEY = "noise_model"
"""Entry of a model's `fitted` that says which noise was made Gaussian."""


class BiasCorrected(Denoiser):
    """A fitted method, applied to the stabilized image; savable and loadable as that method is."""

    def __init__(self, inner: Denoiser) -> None:
        """Wrap a method that was fitted on a stabilized image."""
        self._inner = inner
        self.method, self.settings = inner.method, inner.settings
        self.fitted: dict[str, Any] = {**inner.fitted, KEY: RICIAN}

    def tensors(self) -> Tensors:
        """Return what the method learned."""
        return self._inner.tensors()

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Denoise; the noise of magnitudes is measured on the image itself. Without any the method is applied as it is."""
        model = noise_model(image, slice_correlation(image))
        if not model.correctable:
            return self._inner(image, listener)
        given = stabilized(image, model)
        denoised = self._inner(given, listener)
        return image.with_voxels(unbiased(image, model, denoised.voxels, given.voxels))
