"""A model whose numbers make no sense is refused, and one that leaves them out is not trusted in silence."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.methods.small_sets import scan_of
from typer.testing import CliRunner

from demottle.cli import app
from demottle.errors import InputError
from demottle.methods.filters.gaussian import Gaussian, GaussianSettings
from demottle.methods.model_ranges import unknown_range
from demottle.methods.models import load, read_header
from demottle.noise.fingerprint import measure
from demottle.pipeline.ranges import volume_warnings

GOOD = {
    "modality": "CT",
    "unit": "HU",
    "noise_range": [20.0, 40.0],
    "pixel_range_mm": [0.7, 0.8],
    "intensity_range": [-1000.0, 900.0],
    "full_noise_range": None,
    "spacing_mm": [3.0, 0.75, 0.75],
}


def model_file(path: Path, fitted: dict[str, Any]) -> Path:
    header = {"version": "1", "method": "pdml", "settings": {}, "fitted": fitted}
    save_file({"weight": np.zeros(1, np.float32)}, path, metadata={"demottle": json.dumps(header)})
    return path


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("noise_range", [float("nan"), float("inf")]),
        ("full_noise_range", [float("nan"), 3.0]),
        ("intensity_range", [0.0, float("inf")]),
        ("pixel_range_mm", [0.8, 0.7]),
        ("noise_range", "loud"),
        ("noise_range", [1.0]),
        ("spacing_mm", [float("nan"), 1.0, 1.0]),
        ("spacing_mm", [0.0, 1.0, 1.0]),
    ],
)
def test_a_range_that_is_none_is_one_sentence(name: str, value: object, tmp_path: Path) -> None:
    path = model_file(tmp_path / "model.safetensors", {**GOOD, name: value})
    with pytest.raises(InputError, match=f"damaged: its {name}"):
        load(path)
    shown = CliRunner().invoke(app, ["models", "show", str(path)])
    assert shown.exit_code == 2 and "nan" not in shown.stdout
    assert "make the model again" in " ".join(shown.stderr.split())


def test_a_model_may_leave_a_range_out(tmp_path: Path) -> None:
    for fitted in (GOOD, {}, {"noise_range": None, "kernels": []}):
        assert read_header(model_file(tmp_path / "model.safetensors", dict(fitted)))["fitted"] == fitted


def test_what_a_learned_model_does_not_say_is_said() -> None:
    assert unknown_range("pdml", GOOD) == []
    (all_of_it,) = unknown_range("pdml", {})
    assert "modality, unit, noise level and pixel size" in all_of_it and "may not suit this scan" in all_of_it
    (one,) = unknown_range("udca", {**GOOD, "noise_range": None, "noise_level": float("nan")}, "run")
    assert "does not state the noise level it was made for" in one and "this run" in one
    assert unknown_range("gaussian", {}) == []


def test_a_models_kernels_are_compared_with_the_scans() -> None:
    measured = measure(scan_of(0, 30.0))
    model = Gaussian(GaussianSettings(), {"kernels": ["B30f", "Br40"], "modality": "CT", "unit": "HU"})
    (said,) = volume_warnings(model, measured, "B70f")
    assert "kernel is B70f, but the model was trained on B30f, Br40" in said
    assert volume_warnings(model, measured, "Br40") == volume_warnings(model, measured, "") == []
