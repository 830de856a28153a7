"""What is written to a model file, safetensors with a JSON header, and the hash that tells one model from another."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save as to_bytes

from demottle import __version__
from demottle.io.output import staged
from demottle.methods.registry import METHODS

KEY = "demottle"
"""Of the header in the file's metadata."""


def write(
    path: Path,
    method: str,
    settings: Mapping[str, Any],
    fitted: Mapping[str, Any],
    tensors: Mapping[str, NDArray[np.float32]],
) -> Path:
    """Write a model to one file; an existing file is replaced only when the new one is complete.

    Raises:
        OutputError: where the file cannot be written.
    """
    header = {"version": __version__, "method": method, "settings": dict(settings), "fitted": dict(fitted)}
    if method in METHODS and METHODS[method].origin:
        header["origin"] = METHODS[method].origin
    laid_out = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    data = to_bytes(laid_out, metadata={KEY: json.dumps(header)})
    with staged(path, overwrite=True) as place:
        place.write_bytes(data)
    return path


def hash_of(method: str, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[np.float32]]) -> str:
    """SHA-256 over method, settings and learned numbers, as hexadecimal text."""
    digest = hashlib.sha256()
    digest.update(method.encode())
    digest.update(json.dumps(dict(settings), sort_keys=True).encode())
    for name, value in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()
