"""Model files: safetensors with a JSON header. Loading one reads numbers and text, and executes nothing."""

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from demottle import __version__
from demottle.errors import InputError
from demottle.io.output import staged
from demottle.methods.base import Denoiser
from demottle.methods.model_ranges import impossible
from demottle.methods.registry import METHODS

_KEY = "demottle"


def save(denoiser: Denoiser, path: Path) -> Path:
    """Write a denoiser to one file; an existing file is replaced only when the new one is complete.

    Raises:
        OutputError: where the file cannot be written.
    """
    header = {
        "version": __version__,
        "method": denoiser.method,
        "settings": dict(denoiser.settings),
        "fitted": dict(denoiser.fitted),
    }
    tensors = {name: np.ascontiguousarray(value) for name, value in denoiser.tensors().items()}
    data = to_bytes(tensors, metadata={_KEY: json.dumps(header)})
    with staged(path, overwrite=True) as place:
        place.write_bytes(data)
    return path


def read_header(path: str | Path) -> dict[str, Any]:
    """Read what a model file says of itself: version, method, settings, fitted.

    Raises:
        InputError: where the file is missing, damaged, or not a model of demottle.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no model file {path}.")
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(_KEY)
        header = json.loads(text) if text else None
    except (SafetensorError, ValueError, OSError, RecursionError) as error:
        raise InputError(f"{path} is damaged or not a model file; fit the model again or use another file.") from error
    kinds = {"method": str, "settings": dict, "fitted": dict}
    if not isinstance(header, dict) or not all(isinstance(header.get(name), kind) for name, kind in kinds.items()):
        raise InputError(f"{path} is a safetensors file, but not a model of demottle.")
    if wrong := impossible(header["fitted"]):
        raise InputError(f"{path} is damaged: its {wrong} is not a range that scans can have; make the model again.")
    return header


def load(path: str | Path) -> Denoiser:
    """Load a fitted denoiser.

    Raises:
        InputError: where the file is missing, damaged, not a model of demottle, or of a method this version does not have.
    """
    path = Path(path)
    header = read_header(path)
    module = _module_of(str(header["method"]), path)
    try:
        settings = _settings_of(module, header["settings"])
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        _refuse_nan(tensors, path)
        denoiser = module.restore(settings, header["fitted"], tensors)
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise InputError(f"{path} does not fit the method it names; fit the model again with this version.") from error
    if not isinstance(denoiser, Denoiser):
        raise InputError(f"{path} names a method that has nothing to load.")
    return _with_bias_corrected(denoiser)


def _module_of(name: str, path: Path) -> ModuleType:
    if name not in METHODS:
        raise InputError(
            f"{path} is of the method {json.dumps(name)}, which demottle {__version__} does not have; use the version that wrote "
            "it, or make the model again."
        )
    return METHODS[name].load()


def _settings_of(module: ModuleType, given: dict[str, Any]) -> Any:
    known = {field.name for field in fields(module.Settings)}
    try:
        return module.Settings(**{name: _tuples(value) for name, value in given.items() if name in known})
    except InputError as error:  # speaks of a setting that the user never gave, and names no file
        raise ValueError(str(error)) from error


def _refuse_nan(tensors: dict[str, Any], path: Path) -> None:
    """Refuse a network that can only answer NaN: what it made would be blamed on the scan."""
    for value in tensors.values():
        if np.issubdtype(value.dtype, np.floating) and np.isnan(value).any():
            raise InputError(
                f"{path} holds numbers that are NaN, so it is damaged or its training failed; make it again."
            )


def _with_bias_corrected(denoiser: Denoiser) -> Denoiser:
    # Imported here: it needs scipy, which listing the methods has to do without.
    from demottle.methods.bias_corrected import KEY, BiasCorrected
    from demottle.noise.mr.magnitude import RICIAN

    return BiasCorrected(denoiser) if denoiser.fitted.get(KEY) == RICIAN else denoiser


def hash_of(denoiser: Denoiser) -> str:
    """SHA-256 over method, settings and learned numbers, as hexadecimal text."""
    digest = hashlib.sha256()
    digest.update(denoiser.method.encode())
    digest.update(json.dumps(dict(denoiser.settings), sort_keys=True).encode())
    for name, value in sorted(denoiser.tensors().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def _tuples(value: Any) -> Any:
    """JSON has only lists; settings are hashable."""
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
