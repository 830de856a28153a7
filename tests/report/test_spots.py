"""Spots that are not noise on the page: a list to click through, and a circle in the images for each."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.quality.phantoms import body, ct, noise

from demottle.image import Image
from demottle.physics.phantoms.inserts import Insert, add_inserts
from demottle.quality.check.whole import check
from demottle.report.page import write_page

TRUTH = body(6, 160)
GRAIN = noise(TRUTH.shape, 20)
BEFORE = ct(TRUTH + GRAIN)
HONEST = ct(TRUTH + 0.2 * GRAIN)


def page_of(after: Image, path: Path) -> str:
    write_page(BEFORE, after, check(BEFORE, after), {}, path)
    return path.read_text(encoding="utf-8")


def spots_of(page: str) -> list[dict[str, float]]:
    data = page.split('id="data">')[1].split("</script>")[0]
    found: list[dict[str, float]] = json.loads(data)["spots"]
    return found


def test_an_invented_lesion_is_listed_and_marked_where_it_is(tmp_path: Path) -> None:
    lesion = add_inserts(ct(np.zeros(TRUTH.shape)), [Insert((3.0, 84.0, 62.0), 4.0, 80.0)], 0.5).voxels
    page = page_of(HONEST.with_voxels(HONEST.voxels + lesion), tmp_path / "page.html")
    (first, *_) = spots = spots_of(page)
    assert first["slice"] in (2, 3, 4) and not first["removed"]
    # The page shows the part of the slice that holds the patient, which here begins near its corner.
    assert first["row"] == pytest.approx(84, abs=12) and first["column"] == pytest.approx(62, abs=12)
    for number in range(len(spots)):
        assert f'data-spot="{number}"' in page
    assert "added</td>" in page


def test_an_honest_result_is_said_to_have_none(tmp_path: Path) -> None:
    page = page_of(HONEST, tmp_path / "page.html")
    assert spots_of(page) == []
    assert "times the largest that noise of this scan leaves anywhere" in page
