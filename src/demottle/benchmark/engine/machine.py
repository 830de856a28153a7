"""On what a benchmark ran, as plain values: the machine, versions, and which code."""

import hashlib
import os
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from platform import python_version
from typing import Any

from demottle import __version__
from demottle.doctor.machine import machine

PACKAGES = (
    "numpy", "scipy", "scikit-image", "opencv-python-headless", "PyWavelets", "torch", "bm3d", "bm4d", "dipy",
)  # fmt: skip
"""Whose versions move figures; those that are not there are left out."""


def facts() -> dict[str, Any]:
    """Return machine, versions and code of now."""
    here = machine()
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": here.system,
            "processor": here.processor,
            "cores": here.cores,
            "load": None if here.load is None else round(here.load, 1),
            "memory_free_gib": None if here.memory_free is None else round(here.memory_free, 1),
            "gpu_hidden": os.environ.get("CUDA_VISIBLE_DEVICES") == "",
        },
        "versions": {"demottle": __version__, "python": python_version(), **_versions()},
        "code": code_hash(),
    }


def load_now() -> float | None:
    """Mean number of programs that wanted a core in the last minute."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def code_hash() -> str:
    """Equal for equal source files of demottle; rows of different code are told apart by it."""
    root = Path(__file__).parent.parent.parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
