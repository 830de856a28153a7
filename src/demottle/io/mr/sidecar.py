"""The JSON beside a NIfTI file (BIDS, dcm2niix): copied to the result, with what was done added."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demottle import __version__
from demottle.io.mr.bids import parted


def sidecar_of(path: Path) -> Path:
    """Return the name of the JSON that belongs to a NIfTI file."""
    return path.with_name(parted(path)[0] + ".json")


def read_sidecar(path: Path) -> dict[str, Any] | None:
    """Return what the JSON beside a NIfTI file says; None where there is none, or nothing that can be read."""
    beside = sidecar_of(path)
    try:
        found = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_sidecar(path: Path, told: Mapping[str, Any], sources: list[str], done: Mapping[str, Any]) -> None:
    """Write a sidecar: what the source's said, the names of the sources, and what was done."""
    text = {**told, "Sources": sources, "Denoising": {"Software": "demottle", "Version": __version__, **done}}
    path.write_text(json.dumps(text, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_description(path: Path) -> None:
    """Write the dataset_description.json of a folder of derivatives."""
    made_by = [{"Name": "demottle", "Version": __version__}]
    text = {"Name": "denoised by demottle", "BIDSVersion": "1.9.0", "DatasetType": "derivative", "GeneratedBy": made_by}
    path.write_text(json.dumps(text, indent=2) + "\n", encoding="utf-8")
