"""Any method for CT volumes, with the edges that it lost put back (`one_scan.lost_edges`): a promise tries both."""

from pathlib import Path

from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods.base import Denoiser, Tensors
from demottle.methods.one_scan.lost_edges import put_edges_back
from demottle.noise.correlation import Correlation

KEY = "lost_edges"
"""Entry of the settings on record that says so."""


class EdgesPutBack(Denoiser):
    """A fitted method and what was measured on the scan; saved as the method alone, for a promise puts edges back anew."""

    def __init__(self, inner: Denoiser, correlation: Correlation, level: float) -> None:
        """Wrap a method; `correlation` of the noise between slices, its `level` in HU."""
        self._inner, self._correlation, self._level = inner, correlation, level
        self.method, self.fitted = inner.method, inner.fitted
        self.settings = {**inner.settings, KEY: "put back"}

    def tensors(self) -> Tensors:
        """Return what the method learned."""
        return self._inner.tensors()

    def save(self, path: str | Path) -> Path:
        """Write the method."""
        return self._inner.save(path)

    @property
    def model_hash(self) -> str:
        """That of the method."""
        return self._inner.model_hash

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Denoise, and put edges back."""
        return self.finished(image, self._inner(image, listener))

    def finished(self, image: Image, clean: Image) -> Image:
        """Put edges back into what the method made of an image."""
        return put_edges_back(image, clean, self._correlation, self._level)
