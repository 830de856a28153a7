"""ONNX Runtime computes what PyTorch computes, within the stated error."""

from pathlib import Path

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.methods import Budget
from demottle.methods.filters import recursive
from demottle.methods.udca import method as udca
from demottle.methods.udca.sequence import SequenceNetwork
from demottle.noise.sequence.fingerprint import measure_sequence
from demottle.physics.fluoroscopy.acquisition import Exposure, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom
from demottle.stream.engine import OnnxStream, live_form, save_as_onnx
from demottle.stream.onnx_export import ERROR

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


@pytest.fixture(scope="module")
def noisy() -> Image:
    return acquire(dynamic_phantom(8, 64, 15, seed=3, motion="slow").image, Exposure(24), seed=4).noisy


def fitted(noisy: Image, student: str, strength: float) -> SequenceNetwork:
    settings = udca.UdcaSettings(uns=0, patch=32, batch=2, student=student)  # type: ignore[arg-type]
    model = udca.fit(noisy, settings, measure_sequence(noisy), budget=Budget(steps=4))
    assert isinstance(model, SequenceNetwork)
    last = model.student.network.last.weight
    last.data.normal_(std=strength)  # as if it had learned much
    return model


@pytest.mark.slow
@pytest.mark.parametrize(("student", "strength"), [("causal", 0.2), ("single", 2.0)])
def test_same_frames_within_the_stated_error(student: str, strength: float, noisy: Image, tmp_path: Path) -> None:
    model = fitted(noisy, student, strength)
    frames = noisy.voxels[:, :60, :]  # not a multiple of 8
    onnx = OnnxStream(save_as_onnx(model, tmp_path / "student.onnx", (60, 64)), model.noise.lag, 1)
    torch = model.stream()
    level = model.noise.curve.level
    for frame in frames:
        ours, theirs = torch.step(frame), onnx.step(frame)
        assert ours is not None and theirs is not None
        assert theirs.shape == (60, 64)
        assert np.abs(ours - theirs).max() < ERROR * level
    assert np.abs(theirs - frames[-1]).mean() > 0.05 * level
    assert live_form(model, (60, 64), "onnx").engine == "onnx"


def test_a_filter_has_no_network_to_write(tmp_path: Path) -> None:
    plain = recursive.Recursive(recursive.RecursiveSettings(), {})
    with pytest.raises(InputError, match="no network"):
        save_as_onnx(plain, tmp_path / "x.onnx", (32, 32))
    with pytest.raises(InputError, match="without a network"):
        live_form(plain, (32, 32), "onnx")
    assert live_form(plain, (32, 32)).engine == "numpy"


def test_what_is_no_model_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_text("nothing")
    with pytest.raises(InputError, match="not an ONNX model"):
        OnnxStream(tmp_path / "x.onnx", 0.0)
