"""What was measured on an image is not measured again while that image lives; its voxels cannot be written to."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from demottle.image import Image

T = TypeVar("T")
_known: "WeakKeyDictionary[Image, dict[Hashable, Any]]" = WeakKeyDictionary()
_lock = Lock()


def remembered(image: Image, what: Hashable, measured: Callable[[], T]) -> T:
    """Return what was measured, and measure it where it was not.

    Args:
        image: what it is measured on.
        what: name of the measurement, with all that it depends on beside the image.
        measured: measures it; small values only, which nobody changes.
    """
    with _lock:
        held = _known.setdefault(image, {})
    if what not in held:
        held[what] = measured()
    found: T = held[what]
    return found
