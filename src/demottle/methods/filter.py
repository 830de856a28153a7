"""What filters have in common: they keep their settings and what was measured, and learn nothing."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods.base import Budget, Denoiser, Tensors

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FilterSettings = TypeVar("FilterSettings", bound="DataclassInstance")


class Filter(Denoiser, Generic[FilterSettings]):
    """A filter; of its class methods are the functions of its module: `fit, restore = Gaussian.fit, Gaussian.restore`.

    A filter that is told more than its `fitted` takes that as further arguments, and says in `measured` and `kept` where
    they come from.
    """

    def __init__(self, settings: FilterSettings, fitted: Mapping[str, Any]) -> None:
        """Keep settings and summary."""
        self._settings = settings
        self.settings = asdict(settings)
        self.fitted = dict(fitted)

    @classmethod
    def measured(cls, image: Image, settings: FilterSettings, fingerprint: Any) -> tuple[Any, ...]:
        """Return what follows the settings among the filter's arguments, from a scan and what was measured on it."""
        return ({"modality": image.modality, "unit": image.unit},)

    @classmethod
    def kept(cls, fitted: Mapping[str, Any], tensors: Tensors) -> tuple[Any, ...]:
        """Return the same from what a model file holds."""
        return (fitted,)

    @classmethod
    def fit(
        cls,
        image: Image,
        settings: FilterSettings,
        fingerprint: Any,
        *,
        seed: int = 0,
        budget: Budget | None = None,
        listener: Listener = silent,
    ) -> Self:
        """Make the filter for a scan; there is nothing to learn, so seed and budget change nothing.

        Args:
            image: a volume, or a run of frames.
            settings: of the filter.
            fingerprint: what was measured on the image, a `Fingerprint` or of a run a `SequenceFingerprint`.

        Raises:
            UnsuitableError: where the filter has to know the noise level and it could not be measured.
        """
        return cls(settings, *cls.measured(image, settings, fingerprint))

    @classmethod
    def restore(cls, settings: FilterSettings, fitted: Mapping[str, Any], tensors: Tensors) -> Self:
        """Rebuild a saved filter."""
        return cls(settings, *cls.kept(fitted, tensors))

    def tensors(self) -> Tensors:
        """Return nothing: nothing is learned."""
        return {}
