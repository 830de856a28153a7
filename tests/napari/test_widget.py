"""The plug-in in napari, headless; skipped where napari is not installed.

napari's own plug-in of pytest warns while it is loaded: PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 pytest -m slow tests/napari
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demottle import io
from demottle.image import Image
from demottle.physics.phantoms.phantom import body_phantom, low_dose_scan

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # warnings of napari are not ours
MANIFEST = Path(__file__).parents[2] / "src" / "demottle" / "napari" / "napari.yaml"


@pytest.fixture
def viewer() -> Iterator[Any]:
    """What a window of napari shows, without the window: that needs OpenGL."""
    pytest.importorskip("napari", reason="the plug-in needs the extra napari", exc_type=ImportError)
    widgets = pytest.importorskip("qtpy.QtWidgets", reason="napari needs PyQt or PySide", exc_type=ImportError)
    from napari.components import ViewerModel

    program = widgets.QApplication.instance() or widgets.QApplication([])
    yield ViewerModel()
    program.processEvents()


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    truth = body_phantom(4, 96, (3.0, 4.0, 4.0), seed=1)
    image: Image = low_dose_scan(truth, sigma=20.0, rho=0.1, seed=1)
    io.write(image, tmp_path / "scan", format="dicom")
    return tmp_path / "scan"


def _until(true: Callable[[], bool], seconds: float = 200) -> None:
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        QApplication.processEvents()
        time.sleep(0.01)


def test_napari_finds_the_plug_in_and_its_parts() -> None:
    npe2 = pytest.importorskip("npe2", reason="the plug-in needs the extra napari")
    manifest = npe2.PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    assert manifest.contributions.widgets[0].display_name == "Denoise"


def test_a_layer_is_denoised_beside_the_window_and_saved_with_its_headers(
    viewer: Any, scan: Path, tmp_path: Path
) -> None:
    from demottle.napari.reader import read_layers
    from demottle.napari.widget import DenoiseWidget

    widget = DenoiseWidget(viewer)
    widget.button.click()
    assert widget.told.text().startswith("Open a scan first")
    for data, told, _ in read_layers(str(scan)):
        viewer.add_image(data, **told)
    assert widget.layer.currentText() == "scan"
    widget.method.setCurrentText("nl-bayes")
    widget.button.click()
    assert widget.button.text() == "Stop" and not widget.saving.isEnabled()
    _until(lambda: widget.button.text() == "Denoise")
    assert [layer.name for layer in viewer.layers] == ["scan", "scan denoised", "scan removed"]
    assert np.allclose(viewer.layers[1].scale, viewer.layers[0].scale)
    assert "nl-bayes" in widget.told.text() and "gate" in widget.told.text()
    assert np.std(viewer.layers[2].data) > 5

    widget.save(tmp_path / "clean")
    assert len(list((tmp_path / "clean").glob("*.dcm"))) == 4 and (tmp_path / "clean.html").exists()
    widget.save(tmp_path / "clean")
    assert "exists" in widget.told.text()

    widget.layer.setCurrentText("scan denoised")
    widget.button.click()
    assert "a result of demottle" in widget.told.text() and widget.button.text() == "Denoise"


def test_stopped_nothing_is_added(viewer: Any, scan: Path) -> None:
    from demottle.napari.reader import read_layers
    from demottle.napari.widget import DenoiseWidget

    widget = DenoiseWidget(viewer)
    for data, told, _ in read_layers(str(scan)):
        viewer.add_image(data, **told)
    widget.button.click()
    _until(lambda: widget.bar.value() > 0)
    widget.button.click()
    _until(lambda: widget.button.text() == "Denoise")
    assert len(viewer.layers) == 1 and widget.told.text() == "Stopped; nothing was changed."
