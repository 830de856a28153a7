import re
import xml.etree.ElementTree as ET

import pytest
from tests.quality.phantoms import body, ct, noise

from demottle.quality import check
from demottle.report import curves, plots


@pytest.fixture(scope="module")
def drawn() -> list[str]:
    truth = body(16)
    grain = noise(truth.shape)
    found = check(ct(truth + grain), ct(truth + grain / 2))
    assert found.spectra is not None and found.leak is not None
    return [
        plots.spectrum_plot(found.spectra, "HU"),
        plots.tissue_plot(found.tissues, "HU"),
        plots.leak_plot(found.leak),
        curves.texture_plot(found.spectra),
    ]


def test_plots_are_whole_svg_elements_that_scale(drawn: list[str]) -> None:
    for svg in drawn:
        root = ET.fromstring(svg)
        assert root.tag.endswith("svg")
        assert "viewBox" in root.attrib
        assert "width" not in root.attrib


def test_ids_of_several_plots_in_one_page_do_not_collide(drawn: list[str]) -> None:
    defined = [set(re.findall(r'<clipPath id="([^"]+)"', svg)) for svg in drawn]
    assert all(defined)
    assert not defined[0] & defined[1] and not defined[1] & defined[2] and not defined[0] & defined[2]


def test_tissues_are_named_in_the_plot(drawn: list[str]) -> None:
    assert "soft tissue" in drawn[1]
    assert "±2 HU" in drawn[1]


def test_plots_say_what_they_show(drawn: list[str]) -> None:
    spectrum, tissue, leak, texture = drawn
    assert "spatial frequency (1/mm)" in spectrum and "noise power (HU² mm²)" in spectrum
    assert "mean after − mean before (HU); shaded: ±2 HU" in tissue
    assert "distance (slices)" in leak and "noise correlation" in leak and ">before<" in leak and ">after<" in leak
    assert "spatial frequency (1/mm); dotted: mean frequency" in texture and "noise power / variance (mm²)" in texture
