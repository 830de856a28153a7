import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests.quality.phantoms import body, ct, noise

from demottle.errors import InputError, OutputError
from demottle.image import Image
from demottle.quality import against_truth, check
from demottle.quality.texture import TextureSample
from demottle.report import write_page

TRUTH = body(16, 128)
BEFORE = ct(TRUTH + noise(TRUTH.shape))
AFTER = ct(TRUTH + noise(TRUTH.shape) / 2)
CHECK = check(BEFORE, AFTER)


def written(path: Path, record: dict[str, object] | None = None, **more: object) -> str:
    write_page(BEFORE, AFTER, CHECK, record or {}, path, **more)  # type: ignore[arg-type]
    return path.read_text(encoding="utf-8")


def data_of(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = re.sub(r'xmlns(:\w+)?="[^"]*"', "", written(tmp_path / "page.html"))
    page = re.sub(r"<!DOCTYPE svg[^>]*>", "", page)
    assert not re.search(r"https?://", page)
    assert not re.search(r"""<link|@import|src=["'](?!data:)""", page)
    assert "default-src 'none'" in page


def test_the_page_says_what_was_done_and_what_to_know(tmp_path: Path) -> None:
    record = {
        "source": {"series_description": "Abdomen 3.0 FC13"},
        "method": "self2self",
        "settings": {"learning_rate": 0.001},
        "plan_reasons": ["Slices share little noise."],
        "warnings": ["Padding was found."],
        "times": {"learn": 12.5},
    }
    page = written(tmp_path / "page.html", record)
    for said in ("Abdomen 3.0 FC13", "self2self", "learning rate", "Slices share little noise.", "Padding was found."):
        assert said in page
    assert "not for diagnosis" in page
    assert "12.5 s" in page


def test_a_page_without_any_record_is_whole(tmp_path: Path) -> None:
    page = written(tmp_path / "page.html")
    assert page.rstrip().endswith("</html>")
    assert [p["name"] for p in data_of(page)["planes"]] == ["axial", "coronal", "sagittal"]


def test_text_from_a_header_cannot_become_a_script(tmp_path: Path) -> None:
    page = written(tmp_path / "page.html", {"source": {"series_description": "</title><script>alert(1)</script>"}})
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_comparison_with_the_truth_is_shown(tmp_path: Path) -> None:
    comparison = against_truth(BEFORE, AFTER, ct(TRUTH))
    page = written(tmp_path / "page.html", truth_comparison=comparison)
    assert "Against the truth" in page
    assert f"{comparison.after.rmse:.2f} HU" in page


def test_a_single_slice_and_an_mr_image_have_a_page(tmp_path: Path) -> None:
    one = Image(BEFORE.voxels[:1] + 1000, (3, 0.8, 0.8), "MR")
    write_page(one, one, check(one, one), {}, tmp_path / "mr.html")
    page = (tmp_path / "mr.html").read_text(encoding="utf-8")
    assert data_of(page)["unit"] == "a.u."
    assert "nan" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL).lower().replace("name", "")


def test_the_two_noise_levels_of_mr_magnitudes_are_told_apart_and_ct_has_one(tmp_path: Path) -> None:
    measured = {"noise_level": 48.8, "unit": "a.u.", "noise_model": {"name": "rician"}}
    assert "(48.8 HU) is of the Gaussian noise beneath" in written(tmp_path / "mr.html", {"fingerprint": measured})
    measured["noise_model"] = {"name": "gaussian"}
    assert "Gaussian noise beneath" not in written(tmp_path / "ct.html", {"fingerprint": measured})


def test_nothing_is_left_where_the_page_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(OutputError, match="could not be written"):
        written(blocked / "page.html")
    folder = tmp_path / "page.html"
    folder.mkdir()
    with pytest.raises(OutputError, match="is a folder, and a file is to be written there"):
        written(folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "page.html"]


def test_images_of_different_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one shape"):
        write_page(BEFORE, ct(TRUTH[:3]), CHECK, {}, tmp_path / "page.html")


DRIVER = """<script>
(async () => {
  const rest = (ms) => new Promise((done) => setTimeout(done, ms));
  const by = (id) => document.getElementById(id);
  const seen = (id) => {
    const { width, height } = by(id);
    return [...by(id).getContext("2d").getImageData(0, 0, width, height).data.filter((_, i) => i % 4 === 0)];
  };
  const key = (name) => document.dispatchEvent(new KeyboardEvent("keydown", { key: name }));
  const slide = (id, value) => {
    by(id).value = value;
    by(id).dispatchEvent(new Event("input"));
  };
  const log = {};
  await rest(1500);
  by("viewer").focus();
  log.first = { label: by("where").textContent, before: seen("before"), after: seen("after"), removed: seen("removed") };
  key("ArrowDown");
  await rest(700);
  log.next = by("where").textContent;
  slide("slice", 0);
  await rest(700);
  log.slid = by("where").textContent;
  slide("blend", 50);
  await rest(700);
  log.half = { seen: seen("after"), told: by("told").textContent, hidden: by("told").hidden };
  slide("blend", 100);
  await rest(300);
  key("3");
  key("w");
  slide("wiper", 250);
  for (let i = 0; i < 30 && by("divider").style.left !== "25%"; i++) await rest(100);
  const shown = [...document.querySelectorAll("[aria-pressed=true]")].filter((button) => button.offsetParent);
  const pressed = shown.map((button) => button.textContent);
  log.wiped = { pressed, at: by("divider").style.left, seen: seen("wipe") };
  document.title = JSON.stringify(log);
})();
</script></body>"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser chromium")
def test_the_viewer_shows_the_values_and_follows_sliders_and_keys(tmp_path: Path) -> None:
    page = written(tmp_path / "page.html", {"strength": 0.8, "settings": {}})
    (tmp_path / "driven.html").write_text(page.replace("</body>", DRIVER), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}"]
    command = ["chromium", *flags, "--virtual-time-budget=15000", "--dump-dom", (tmp_path / "driven.html").as_uri()]
    dumped = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r"<title>(.*?)</title>", dumped)
    assert found
    log = json.loads(found[1])
    sigma, data = CHECK.noise.before, data_of(page)
    rows, columns = shown_box(page)
    for name, values, low, width in (
        ("before", BEFORE.voxels[8], -150, 400),
        ("after", AFTER.voxels[8], -150, 400),
        ("removed", BEFORE.voxels[8] - AFTER.voxels[8], -3 * sigma, 6 * sigma),
    ):
        gray = np.clip((values[rows, columns] - low) / width * 255, 0, 255)
        steps = float(data["step"]) + float(data["step_before"])  # values travel to within half of each
        within = 1 + steps / 2 / width * 255
        assert np.abs(np.array(log["first"][name]).reshape(gray.shape) - gray).max() < within, name
    assert log["first"]["label"] == "slice 9 of 16"
    assert log["next"] == "slice 10 of 16"
    assert log["slid"] == "slice 1 of 16"
    half = (BEFORE.voxels[0] + AFTER.voxels[0])[rows, columns] / 2
    half = np.clip((half + 150) / 400 * 255, 0, 255)
    assert np.abs(np.array(log["half"]["seen"]).reshape(half.shape) - half).max() < 2
    assert "50 % of the change" in log["half"]["told"] and "--strength 0.40" in log["half"]["told"]
    assert log["half"]["hidden"] is False
    assert log["wiped"]["pressed"] == ["Axial", "Lung", "Wipe", "±3σ"]
    assert log["wiped"]["at"] == "25%"
    gray = np.where(np.arange(128) < 32, BEFORE.voxels[0], AFTER.voxels[0])[rows, columns]
    gray = np.clip((gray + 1350) / 1500 * 255, 0, 255)
    assert np.abs(np.array(log["wiped"]["seen"]).reshape(gray.shape) - gray).max() < 2


def shown_box(page: str) -> tuple[slice, slice]:
    """The phantom fills its slices, so all of them is shown."""
    axial = data_of(page)["planes"][0]
    assert (axial["height"], axial["width"]) == (128, 128)
    return slice(None), slice(None)


def test_the_three_pictures_of_the_grain_are_named(tmp_path: Path) -> None:
    planes = BEFORE.voxels[8], AFTER.voxels[8], AFTER.voxels[8]
    page = written(tmp_path / "page.html", texture=TextureSample(8, *planes, 0.42, written=False))
    names = re.search(r'class="grain-names">(.*?)</div>', page)
    assert names
    assert re.findall(r"<b.*?>(.*?)</b>", names[1]) == ["Before", "Smooth", "With 42 % of the noise left"]
