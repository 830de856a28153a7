"""What the viewer asks for: which frames there are, and one at a time, to the bit as they are stored."""

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless
from tests.io.conftest import save
from tests.io.enhanced import ORDER, enhanced_ct
from tests.node.conftest import noisy_series
from tests.node.web.conftest import Browser, done_with

from demottle.node.web.users import Role
from demottle.node.web.viewer.frames import pairs_of
from demottle.node.web.viewer.looks import looks_of
from demottle.node.web.viewer.values import values_of


def values(browser: Browser, path: str) -> np.ndarray:
    code, data, headers = browser.ask("GET", path)
    assert code == 200
    kinds = {"Uint16": "<u2", "Int16": "<i2", "Float32": "<f4"}
    stored = np.frombuffer(data, kinds[headers["x-kind"]]).reshape(int(headers["x-rows"]), int(headers["x-columns"]))
    return stored * float(headers["x-slope"]) + float(headers["x-intercept"])


def test_each_slice_is_seen_beside_what_was_made_of_it(browser: Browser, done: list[Dataset]) -> None:
    browser.log_in(Role.TECHNOLOGIST)
    code, told, _ = browser.ask("GET", "/api/series/1/images")
    assert code == 200 and (told["frames"], told["round"], told["missing"], told["unit"]) == (6, 1, [], "HU")
    assert {"Soft tissue", "Lung", "Bone"} <= {one["name"] for one in told["windows"]}
    for place, one in enumerate(done):
        stored = np.frombuffer(one.PixelData, "<u2").reshape(48, 48)
        path = f"/api/series/1/images/{place}"
        assert np.array_equal(values(browser, f"{path}/before?round=1"), stored - 1024.0)
        assert np.array_equal(values(browser, f"{path}/after?round=1"), stored // 2 - 1024.0)
    assert told["removed"] > 100
    for path in ("6/before", "-1/before", "0/removed", "0/after"):
        assert browser.ask("GET", f"/api/series/1/images/{path}")[0] == 404
    assert [one["event"] for one in browser.audit()].count("images shown") == 1


def test_what_came_late_has_nothing_beside_it_and_a_second_result_can_be_chosen(browser: Browser, done) -> None:
    browser.log_in(Role.PHYSICIST)
    browser.store(noisy_series(slices=7)[6:])
    assert browser.ask("GET", "/api/series/1/images")[1]["missing"] == [6]
    browser.queue.rows("UPDATE series SET complete = 1")
    browser.queue.rows("UPDATE round SET state = 'done'")
    assert browser.ask("POST", "/api/series/1/redo", {"method": "bilateral"})[0] == 200
    assert browser.ask("GET", "/api/series/1/images")[1]["round"] == 1
    done_with(browser, done, "bilateral")
    told = browser.ask("GET", "/api/series/1/images")[1]
    assert (told["round"], [one["method"] for one in told["rounds"]]) == (2, ["bilateral", "gaussian"])
    assert browser.ask("GET", "/api/series/1/images?round=1")[1]["round"] == 1


def test_a_series_that_cannot_be_shown_says_why(browser: Browser) -> None:
    scan = noisy_series(slices=1)
    scan[0].file_meta.TransferSyntaxUID = JPEG2000Lossless
    scan[0].PixelData = encapsulate([b"no codestream"])
    scan[0]["PixelData"].VR = "OB"
    browser.store(scan)
    browser.log_in(Role.TECHNOLOGIST)
    code, told, _ = browser.ask("GET", "/api/series/1/images")
    assert (code, told["detail"]) == (409, "The images cannot be shown: the pixels cannot be read.")
    assert browser.ask("GET", "/api/series/1/images/0/before")[0] == 409


def test_slices_without_numbers_lie_by_place(tmp_path) -> None:
    scan = noisy_series(slices=5)
    for one in scan:
        one.InstanceNumber = 1
        one.save_as(tmp_path / f"{one.SOPInstanceUID}x.dcm", enforce_file_format=True)
    found = pairs_of(tuple(sorted(tmp_path.glob("*.dcm"), reverse=True)), ())
    at = [float(pydicom.dcmread(one.before.file).ImagePositionPatient[2]) for one in found]
    assert at == sorted(at) and len(set(at)) == 5


def test_frames_of_one_object_lie_by_place_and_keep_their_own_scale(tmp_path) -> None:
    one = enhanced_ct()
    pairs = pairs_of((save(one, tmp_path / "one.dcm"),), ())
    assert [ORDER[pair.before.number] for pair in pairs] == [0, 1, 2, 3, 4]
    stored = np.frombuffer(one.PixelData, "<i2").reshape(5, one.Rows, one.Columns)
    for pair in pairs:
        groups = one.PerFrameFunctionalGroupsSequence[pair.before.number]
        intercept = float(groups.PixelValueTransformationSequence[0].RescaleIntercept)
        assert np.array_equal(values_of(pair.before).scaled, stored[pair.before.number] + intercept)
    looks = looks_of(pairs[2])
    assert (looks.unit, looks.removed, looks.rate, looks.sides) == ("HU", None, None, "RLAP")


def test_a_run_says_its_rate_and_film_is_bright_where_values_are_low(tmp_path) -> None:
    frames = np.random.default_rng(1).normal(500, 20, (4, 24, 20))
    run = noisy_series(
        slices=1, Modality="XA", NumberOfFrames=4, FrameTime="40", PhotometricInterpretation="MONOCHROME1",
        ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None, ImagerPixelSpacing=[0.2, 0.4],
    )[0]  # fmt: skip
    run.Rows, run.Columns, run.PixelData = 24, 20, frames.astype("<u2").tobytes()
    pairs = pairs_of((save(run, tmp_path / "run.dcm"),), ())
    assert [pair.before.number for pair in pairs] == [0, 1, 2, 3]
    assert np.array_equal(values_of(pairs[3].before).stored, frames[3].astype("<u2"))
    looks = looks_of(pairs[2])
    assert (looks.rate, looks.inverted, looks.sides, looks.aspect, looks.unit) == (25.0, True, "", 2.0, "")
    full = next(one for one in looks.windows if one.name == "Full")
    assert -1024 + 400 < full.center - full.width / 2 < full.center < full.center + full.width / 2 < -1024 + 600
