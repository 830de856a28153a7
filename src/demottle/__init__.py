"""demottle removes quantum mottle from low-dose CT, fluoroscopy and MR without clean images. Research software."""

from typing import Any

__version__ = "0.1.0"
_HOMES = {
    "Image": "image",
    "denoise": "pipeline.run",
    "read": "io",
    "write": "io",
    **dict.fromkeys(
        ("from_nibabel", "from_numpy", "from_sitk", "from_torch", "to_nibabel", "to_numpy", "to_sitk", "to_torch"),
        "io.objects",
    ),
}
__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    """Import what is asked for, and nothing before: the program shows its help without waiting for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'demottle' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"demottle.{_HOMES[name]}"), name)
