"""What a student sees in a notebook: one-line values, pictures, a bar; and the page and scan that a result writes."""

import re
from pathlib import Path
from typing import Any

import pytest

import demottle
from demottle.events import Progress, Stage, silent
from demottle.image import Image
from demottle.physics.ct.ct_noise import independent_noise, mix_slices
from demottle.physics.phantoms.phantom import body_phantom
from demottle.pipeline.progress_bar import listening


@pytest.fixture(scope="module")
def result() -> Any:
    truth = body_phantom(slices=4, size=96, spacing=(3.0, 4.0, 4.0))
    noisy = truth.with_voxels(truth.voxels + mix_slices(independent_noise(truth, 30.0, seed=1), 0.2))
    return demottle.denoise(noisy, method="nl-bayes")


def test_values_show_themselves_in_one_line(result: Any) -> None:
    assert repr(result.image) == "Image(4 slices of 96 x 96, 3 x 4 x 4 mm, CT in HU)"
    assert re.fullmatch(r"VolumeResult\(nl-bayes, noise \d+\.\d -> \d+\.\d HU, gate (passed|failed).*\)", repr(result))
    assert re.fullmatch(
        r"Fingerprint\(modality CT, shape 4 x 96 x 96, noise level [\d.]+ HU.*\)", repr(result.fingerprint)
    )
    assert re.fullmatch(r"Check\(noise [\d.]+ -> [\d.]+ HU, \d+ warnings?\)", repr(result.check))


def test_a_notebook_gets_pictures_and_the_verdict_without_scripts(result: Any) -> None:
    shown = result._repr_html_()
    assert shown.count("data:image/png;base64,") == 3 and "gate " in shown
    assert [name in shown for name in ("before, slice 3 of 4", "after, slice 3", "removed, slice 3")] == [True] * 3
    for value in (result, result.image, result.check, result.fingerprint):
        html = value._repr_html_()
        assert "<script" not in html and "http" not in html
    named = Image(result.image.voxels, (3, 4, 4), "<b>")
    assert "&lt;b&gt;" in named._repr_html_() and "<b>" not in named._repr_html_()


def test_a_result_writes_its_scan_and_its_page(result: Any, tmp_path: Path) -> None:
    assert result.save(tmp_path / "clean.mha") == tmp_path / "clean.mha"
    assert demottle.read(tmp_path / "clean.mha", accept_own_output=True).shape == result.image.shape
    result.save_page(tmp_path / "page.html")
    assert "Gate: " in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_bar_is_shown_where_it_is_asked_for_and_nowhere_else(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[Progress] = []
    events = [Progress(Stage.APPLY, done, 4) for done in range(5)]
    with listening(heard.append, None) as told:  # a listener of the caller's own is enough
        for event in events:
            told(event)
    with listening(silent, None) as told:  # no terminal here
        assert told is silent
    with listening(heard.append, True) as told:
        for event in events:
            told(event)
    assert heard == [*events, *events]
    with listening(silent, False) as told:
        assert told is silent
