"""The standard error on the page: a layer with a legend in HU, and its median by tissue."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.quality.phantoms import body, ct, noise

from demottle.quality.check.whole import check
from demottle.quality.uncertainty.derived import TissueError, Uncertainty
from demottle.report.page import write_page
from demottle.report.planes import box_of

TRUTH = body(10, 96)
BEFORE, AFTER = ct(TRUTH + noise(TRUTH.shape)), ct(TRUTH + noise(TRUTH.shape) / 4)
ACROSS = np.broadcast_to(np.linspace(0, 32, 96, dtype=np.float32), TRUTH.shape)
FOUND = Uncertainty(ct(ACROSS), (TissueError("fat", 1234, 3.5), TissueError("bone", 321, 20.0)), 1)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "page.html"
    write_page(BEFORE, AFTER, check(BEFORE, AFTER), {}, path, uncertain=FOUND)
    return path.read_text(encoding="utf-8")


def data_of(page: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.split('id="data">')[1].split("</script>")[0])
    return found


def test_the_layer_holds_the_standard_error_of_every_plane(page: str) -> None:
    data = data_of(page)
    top, box = data["uncertainty"]["top"], box_of(BEFORE)
    assert top == pytest.approx(35)
    for plane, cut in zip(data["planes"], (ACROSS[0, slice(*box.rows), slice(*box.columns)], None, None), strict=True):
        for one in plane["slices"]:
            gray = cv2.imdecode(np.frombuffer(base64.b64decode(one["layer"]), np.uint8), cv2.IMREAD_GRAYSCALE)
            assert gray.shape == (plane["height"], plane["width"])
            if cut is not None:
                assert gray * (top / 255) == pytest.approx(cut, abs=top / 255)


def test_the_table_tells_the_median_and_half_of_the_interval(page: str) -> None:
    row = re.search(r"<tr><td>fat</td>(.*?)</tr>", page.split("Uncertainty by tissue</h2>")[1])
    assert row is not None
    assert re.findall(r"<td>(.*?)</td>", row[1]) == ["1\xa0234", "3.5", "± 5.8"]  # the thousands stay on one line


def test_a_page_that_was_given_none_offers_none(tmp_path: Path) -> None:
    write_page(BEFORE, AFTER, check(BEFORE, AFTER), {}, tmp_path / "page.html")
    plain = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert data_of(plain)["uncertainty"] is None and "layer" not in data_of(plain)["planes"][0]["slices"][0]
    assert "Uncertainty by tissue" not in plain
