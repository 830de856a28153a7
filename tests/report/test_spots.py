"""Spots that are not noise on the page: a list to click through, and a circle in the images for each."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
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


def invented() -> Image:
    lesion = add_inserts(ct(np.zeros(TRUTH.shape)), [Insert((3.0, 84.0, 62.0), 4.0, 80.0)], 0.5).voxels
    return HONEST.with_voxels(HONEST.voxels + lesion)


def data_of(page: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.split('id="data">')[1].split("</script>")[0])
    return found


def spots_of(page: str) -> list[dict[str, float]]:
    found: list[dict[str, float]] = data_of(page)["spots"]
    return found


def test_an_invented_lesion_is_listed_and_marked_where_it_is(tmp_path: Path) -> None:
    page = page_of(invented(), tmp_path / "page.html")
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


def test_the_map_goes_along_for_every_slice_that_is_shown_and_takes_little_room(tmp_path: Path) -> None:
    page = page_of(invented(), tmp_path / "page.html")
    data = data_of(page)
    layer = data["map"]
    assert [int(number) for number in layer["slices"]] == [one["number"] for one in data["planes"][0]["slices"]]
    score = check(BEFORE, invented()).spots.score[3]  # type: ignore[union-attr]
    codes = cv2.imdecode(np.frombuffer(base64.b64decode(layer["slices"]["3"]), np.uint8), cv2.IMREAD_UNCHANGED)
    shown = (codes.astype(float) - layer["zero"]) / layer["fineness"]
    row, column = np.unravel_index(int(shown.argmin()), shown.shape)
    assert shown[row, column] == pytest.approx(score.min(), abs=0.04) and score.min() < -1
    # Where the lesion was painted in, in pixels of the part that is shown.
    spot = data["spots"][0]
    factor = layer["factor"]
    assert layer["row"] + factor * (row + 0.5) == pytest.approx(spot["row"], abs=factor)
    assert layer["column"] + factor * (column + 0.5) == pytest.approx(spot["column"], abs=factor)
    assert len(json.dumps(layer)) < 0.02 * len(page)


DRIVER = """<script>
(async () => {
  const rest = (ms) => new Promise((done) => setTimeout(done, ms));
  const by = (id) => document.getElementById(id);
  const tinted = (id) => {
    const { width, height } = by(id);
    const seen = by(id).getContext("2d").getImageData(0, 0, width, height).data;
    const found = { orange: 0, blue: 0 };
    for (let i = 0; i < seen.length; i += 4) {
      if (seen[i] > seen[i + 2] + 40) found.orange++;
      if (seen[i] < seen[i + 2] - 40) found.blue++;
    }
    return found;
  };
  const log = {};
  await rest(1500);
  document.querySelector("[data-spot]").click();
  by("viewer").focus();
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "s" }));
  await rest(700);
  log.on = { before: tinted("before"), after: tinted("after"), removed: tinted("removed"), legend: by("legend").hidden };
  by("opacity").value = 0;
  by("opacity").dispatchEvent(new Event("input"));
  await rest(700);
  log.off = { after: tinted("after"), legend: by("legend").hidden };
  document.title = JSON.stringify(log);
})();
</script></body>"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser chromium")
def test_an_invented_lesion_is_orange_in_the_result_and_the_scan_stays_bare(tmp_path: Path) -> None:
    page = page_of(invented(), tmp_path / "page.html")
    (tmp_path / "driven.html").write_text(page.replace("</body>", DRIVER), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}"]
    command = ["chromium", *flags, "--virtual-time-budget=15000", "--dump-dom", (tmp_path / "driven.html").as_uri()]
    dumped = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r"<title>(.*?)</title>", dumped)
    assert found
    log = json.loads(found[1])
    for name in ("after", "removed"):
        assert log["on"][name]["orange"] > 20 > log["on"][name]["blue"]
    assert log["on"]["before"] == log["off"]["after"] == {"orange": 0, "blue": 0}
    assert not log["on"]["legend"] and log["off"]["legend"]
