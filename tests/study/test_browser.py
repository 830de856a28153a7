"""The page in a real browser: what is seen, what is saved, and going on after everything was killed."""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.study.conftest import Made, key_of, read, served

from demottle.study.answers import Answers
from demottle.study.application import Application, Response, said
from demottle.study.design import order_for

DRIVER = Path(__file__).with_name("driver.js").read_bytes()


class Driven(Application):
    """The study with a driver in its page, which comes from the same place as the page's own scripts."""

    resume = failed = False

    def post(self, path: str, body: Mapping[str, Any]) -> Response:
        """Fail to save the first answer, as a full disk would."""
        if path == "/api/answers" and not self.failed:
            self.failed = True
            return said(507, {"error": "The disk is full."})
        return super().post(path, body)

    def get(self, path: str) -> Response:
        script = b"window.resume = %s;\n" % (b"true" if self.resume else b"false")
        if path == "/driver.js":
            return Response(200, "text/javascript", script + DRIVER)
        found = super().get(path)
        if path != "/":
            return found
        page = found.body.replace(b"</head>", b'<script type="module" src="driver.js"></script></head>')
        return Response(200, found.kind, page)


def driven(folder: Path, profile: Path, resume: bool = False) -> dict[str, Any]:
    app = Driven(folder)
    app.resume = resume
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}"]
    flags += ["--window-size=1400,900", "--virtual-time-budget=60000", "--dump-dom"]
    with served(app) as address:
        done = subprocess.run(["chromium", *flags, address], capture_output=True, text=True, timeout=300, check=True)
    found = re.search(r"<title>(.*?)</title>", done.stdout)
    assert found
    log: dict[str, Any] = json.loads(html.unescape(found[1]))
    assert "error" not in log, log
    return log


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser chromium")
def test_a_reader_goes_through_the_page_and_goes_on_after_a_kill(made: Made, tmp_path: Path) -> None:
    folder = made(slices=3)
    log = driven(folder, tmp_path / "first")
    study = Application(folder).study
    key = key_of(folder, study)
    first, second = order_for(study, "r1")[:2]
    count = len(study.trials)

    assert "alias" in log["refused"]
    assert log["began"] == log["stayed"] == f"Image 1 of {count}"
    what = key.images[first.images[0]]
    source = key.sources[what.case]
    values = read(Path(str(source[what.arm]))).voxels[int(source["first slice"])]  # the middle one of three
    gray = np.clip((values - (50 - 200)) / 400 * 255, 0, 255)
    off = np.abs(np.array(log["grays"]) - gray)
    assert off.max() < 10  # half a pixel of the screen beside the middle, at an edge from black to white
    assert np.median(off) < 1
    assert (log["window"], log["reset"]) == ("center 50  width 400 HU",) * 2
    assert log["dragged"] == "center 0  width 500 HU"
    assert log["lung"] == "center −600  width 1500 HU"
    assert (log["slice"], log["scrolled"]) == ("slice 2 of 3", "slice 3 of 3")
    assert log["failed"] == "Not saved. The disk is full."
    assert log["chosen"] == ["2", "2", "3", "4", "5", "Yes"]
    assert log["kept"] == ["5", "4", "", "", "", ""]

    kept = Answers(folder / "answers", "r1", study).given
    assert kept[first.name].answers == {
        "noise": 2,
        "sharpness": 2,
        "texture": 3,
        "artifacts": 4,
        "confidence": 5,
        "report": True,
    }
    assert kept[second.name].answers == {"noise": 5, "sharpness": 4}
    assert kept[first.name].seconds > 0

    again = driven(folder, tmp_path / "second", resume=True)  # another browser, the program started anew
    assert again["began"] == f"Image 2 of {count}"
