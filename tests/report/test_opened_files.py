"""The page's viewer opens the DICOM files themselves: scan and result, every slice, in full precision."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless
from tests.node.web.chromium import Chromium, chromium, needs_chromium
from typer.testing import CliRunner

from demottle import io
from demottle.cli.app import app

SAID = "document.getElementById('opened').textContent"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for command in (
        ["simulate", "phantom", "-o", f"{folder}/phantom", "--slices", "9", "--size", "96"],
        ["denoise", f"{folder}/phantom/scan", "-o", f"{folder}/clean", "--method", "gaussian", "--force"],
    ):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
    return folder


def give(page: Chromium, *paths: Path) -> str:
    page.value("document.getElementById('opened').textContent = ''")
    root = page._call("DOM.getDocument")["root"]["nodeId"]
    chooser = page._call("DOM.querySelector", nodeId=root, selector="#files")["nodeId"]
    page._call("DOM.setFileInputFiles", nodeId=chooser, files=[str(path) for path in paths])
    page.until(f"{SAID} && !{SAID}.startsWith('Reading')")
    time.sleep(0.5)  # drawn
    return str(page.value(SAID))


def seen(page: Chromium, name: str) -> np.ndarray:
    script = (
        f"(() => {{ const c = document.getElementById('{name}'); "
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; "
        "return [c.height, c.width, d.filter((_, i) => i % 4 === 0).join()]; })()"
    )
    rows, columns, grays = page.value(script)
    return np.array(grays.split(","), np.float64).reshape(rows, columns)


def grays(values: Any, low: float, width: float) -> np.ndarray:
    return np.asarray(np.clip((values - low) / width * 255, 0, 255))


@pytest.mark.slow
@needs_chromium
def test_scan_and_result_are_opened_and_every_voxel_is_shown(made: Path, tmp_path: Path) -> None:
    before, after = io.read(made / "phantom/scan").voxels, io.read(made / "clean", accept_own_output=True).voxels
    with chromium(tmp_path / "profile") as page:
        page.size(1400, 1000)
        page.open(f"file://{made}/clean-report/report.html")
        page.until("document.getElementById('before').width > 100 || document.getElementById('where').textContent")
        assert "result alone; open the scan, too" in give(page, made / "clean")
        np.testing.assert_allclose(seen(page, "after"), grays(after[4], -150, 400), atol=1)
        assert not seen(page, "before").any()
        assert "scan and result, 9 slices." in give(page, made / "phantom/scan")
        assert page.value("document.getElementById('where').textContent") == "slice 5 of 9"
        np.testing.assert_allclose(seen(page, "before"), grays(before[4], -150, 400), atol=1)
        page.value("document.getElementById('viewer').focus()")
        page.key("ArrowDown")
        page.until("document.getElementById('where').textContent === 'slice 6 of 9'")
        time.sleep(0.5)
        np.testing.assert_allclose(seen(page, "after"), grays(after[5], -150, 400), atol=1)
        removed = seen(page, "removed")
        inside = (removed > 0) & (removed < 255)
        assert inside.mean() > 0.8
        assert np.corrcoef(removed[inside], (before[5] - after[5])[inside])[0, 1] > 0.999
        assert page.said == []


@pytest.mark.slow
@needs_chromium
def test_what_the_page_cannot_show_is_said_and_what_is_shown_stays(made: Path, tmp_path: Path) -> None:
    broken, packed = tmp_path / "broken", tmp_path / "packed"
    broken.mkdir()
    packed.mkdir()
    (broken / "notes.txt").write_text("not an image")
    whole = sorted((made / "clean").glob("*.dcm"))[0]
    (broken / "short.dcm").write_bytes(whole.read_bytes()[:2000])
    compressed = pydicom.dcmread(whole)
    compressed.compress(RLELossless)
    compressed.save_as(packed / "rle.dcm")
    with chromium(tmp_path / "profile") as page:
        page.size(1400, 1000)
        page.open(f"file://{made}/clean-report/report.html")
        page.until("document.getElementById('where').textContent")
        where = page.value("document.getElementById('where').textContent")
        assert give(page, broken) == "No DICOM image is among these files."
        assert "compressed" in give(page, packed)
        assert page.value("document.getElementById('where').textContent") == where
        assert page.said == []
