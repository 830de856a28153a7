"""Model files: safetensors with a JSON header. Loading one reads numbers and text, and executes nothing."""

import json
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from demottle import __version__
from demottle.errors import InputError
from demottle.methods.base import Denoiser
from demottle.methods.model_file import KEY
from demottle.methods.model_ranges import impossible
from demottle.methods.registry import METHODS


def read_header(path: str | Path) -> dict[str, Any]:
    """Read what a model file says of itself: version, method, settings, fitted; of a method of others also its origin.

    Raises:
        InputError: where the file is missing, damaged, or not a model of demottle.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no model file {path}.")
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(KEY)
        header = json.loads(text) if text else None
    except (SafetensorError, ValueError, OSError, RecursionError) as error:
        raise InputError(f"{path} is damaged or not a model file; fit the model again or use another file.") from error
    kinds = {"method": str, "settings": dict, "fitted": dict}
    known = isinstance(header, dict) and all(isinstance(header.get(name), kind) for name, kind in kinds.items())
    if not isinstance(header, dict) or not known or not isinstance(header.get("origin", ""), str):
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
    module = _module_of(str(header["method"]), str(header.get("origin", "")), path)
    try:
        settings = _settings_of(module, header["settings"])
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        _refuse_nan(tensors, path)
        denoiser = module.restore(settings, header["fitted"], tensors)
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise InputError(f"{path} does not fit the method it names; fit the model again with this version.") from error
    if not isinstance(denoiser, Denoiser):
        raise InputError(f"{path} names a method that cannot be loaded.")
    return _with_bias_corrected(denoiser)


def _module_of(name: str, origin: str, path: Path) -> ModuleType:
    """The module that was given for the method; a model file names one, and never brings it."""
    there = METHODS[name].origin if name in METHODS else None
    if there == origin:
        return METHODS[name].load()
    said = f"{path} is of the method {json.dumps(name)}"
    if origin:
        other = "which is not given" if there is None else f"but the one given is of {there or 'demottle'}"
        how = "install it" if origin.startswith("the package ") else "give it with --method-file"
        raise InputError(f"{said} of {json.dumps(origin).strip(chr(34))}, {other}; {how}.")
    if there is not None:
        raise InputError(f"{said}, but not of that of {there}; leave that out, or make the model again.")
    raise InputError(
        f"{said}, which demottle {__version__} does not have; use the version that wrote it, or make the model again."
    )


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


def _tuples(value: Any) -> Any:
    """JSON has only lists; settings are hashable."""
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
