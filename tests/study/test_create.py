"""From folders to a blinded study."""

import errno
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.study.conftest import Arms, Made, key_of, read, scan

from demottle import io
from demottle.errors import InputError, OutputError
from demottle.image import Image
from demottle.study import Plan, create
from demottle.study.create import match_scans
from demottle.study.files import StudyFolder, key_file, read_key, read_study


def test_every_pixel_is_that_of_its_arm(made: Made, arms: Arms) -> None:
    folder = made(slices=2)
    study = read_study(folder)
    key = key_of(folder, study)
    assert len(key.images) == 28
    for name, what in list(key.images.items())[:6]:
        source = key.sources[what.case]
        image = read(Path(str(source[what.arm])))
        for number in range(2):
            data = gzip.decompress(StudyFolder(folder).slice_file(name, number).read_bytes())
            shown = np.frombuffer(data, "<i2").reshape(24, 24)
            assert np.array_equal(shown, image.voxels[int(source["first slice"]) - 1 + number])


def test_the_blind_part_says_nothing_of_arms_files_or_patients(made: Made) -> None:
    folder = made()
    blind = (folder / "study.json").read_text()
    for telling in ("original", "clean", "scan0", str(folder.parent)):
        assert telling not in blind
    names = {path.name for path in folder.rglob("*")}
    assert not any("original" in name or "clean" in name or "scan0" in name for name in names)
    dates = {path.stat().st_mtime for path in (folder / "images").rglob("*")}
    assert len(dates) == 1


def test_the_key_lies_beside_the_study_and_is_found_there_and_in_earlier_ones(arms: Arms, tmp_path: Path) -> None:
    study, place = create(arms, tmp_path / "study", read, Plan(slices=1))
    assert place == tmp_path / "study-key.json"
    assert not list((tmp_path / "study").rglob("*key*"))
    assert read_key(key_file(tmp_path / "study"), study).study == study.name
    place.rename(tmp_path / "study" / "key.json")
    assert read_key(key_file(tmp_path / "study"), study).study == study.name


def test_the_key_may_lie_elsewhere_and_is_needed_for_the_analysis_only(arms: Arms, tmp_path: Path) -> None:
    study, place = create(arms, tmp_path / "study", read, Plan(slices=1), tmp_path / "safe" / "key.json")
    assert place == tmp_path / "safe" / "key.json"
    assert not (tmp_path / "study" / "key.json").exists()
    assert read_key(place, study).arms == ("original", "clean")


def test_a_study_and_its_key_elsewhere_appear_together_or_not_at_all(
    arms: Arms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(source))

    for name in ("rename", "replace"):  # the study is a folder, its key a file
        with monkeypatch.context() as patched:
            patched.setattr(Path, name, full if name == "replace" else _fails_for("study", full))
            with pytest.raises(OutputError, match="The disk is full"):
                create(arms, tmp_path / "study", read, Plan(slices=1), tmp_path / "safe" / "key.json")
        assert list(tmp_path.iterdir()) == []


def _fails_for(name: str, failing: Callable[[Path, Path], None]) -> Callable[[Path, Path], Path | None]:
    real = Path.rename

    def one(self: Path, target: Path) -> Path | None:
        return failing(self, target) if self.name == name else real(self, target)

    return one


def test_a_key_with_a_name_of_its_own_in_the_folder_is_not_lost(arms: Arms, tmp_path: Path) -> None:
    study, place = create(arms, tmp_path / "study", read, Plan(slices=1), tmp_path / "study" / "safe" / "k.json")
    assert read_key(place, study).study == study.name
    assert read_study(tmp_path / "study") == study


def test_the_same_seed_gives_the_same_study(made: Made, arms: Arms, tmp_path: Path) -> None:
    first, second, other = made(), tmp_path / "b", made("c", seed=2)
    create(arms, second, read, Plan(slices=1, seed=0))
    for path in first.rglob("*.*"):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()
    assert (first / "study.json").read_text() != (other / "study.json").read_text()


def test_the_same_scans_elsewhere_make_the_same_study(made: Made, arms: Arms, tmp_path: Path) -> None:
    shutil.copytree(arms["original"].parent, tmp_path / "elsewhere")
    create({arm: tmp_path / "elsewhere" / arm for arm in arms}, tmp_path / "b", read, Plan(slices=1, seed=0))
    assert (made() / "study.json").read_bytes() == (tmp_path / "b" / "study.json").read_bytes()


def test_one_scan_for_each_arm_needs_no_common_name(tmp_path: Path) -> None:
    for name in ("chest", "chest-clean"):
        io.write(scan(), tmp_path / f"{name}.nii.gz")
    found = match_scans({"a": tmp_path / "chest.nii.gz", "b": tmp_path / "chest-clean.nii.gz"})
    assert found == [{"a": tmp_path / "chest.nii.gz", "b": tmp_path / "chest-clean.nii.gz"}]


def test_formats_of_arms_may_differ(tmp_path: Path) -> None:
    for number in range(2):
        io.write(scan(number), tmp_path / "a" / f"s{number}.nii.gz")
        io.write(scan(number), tmp_path / "b" / f"s{number}.mha")
    assert len(match_scans({"a": tmp_path / "a", "b": tmp_path / "b"})) == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda image: Image(image.voxels[:2], image.spacing, "CT", "HU"),
            r"has shape \(2, 24, 24\), but the reference",
        ),
        (
            lambda image: Image(image.voxels, (3, 0.8, 0.9), "CT", "HU"),
            "has spacing 3 x 0.8 x 0.9 mm, but the reference",
        ),
        (lambda image: image.with_voxels(image.voxels[:, :, ::-1]), "does not show what the reference arm shows"),
    ],
)
def test_arms_that_are_not_the_same_scans_are_refused(change, sentence: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    io.write(scan(), tmp_path / "a.nii.gz")
    io.write(change(scan()), tmp_path / "b.nii.gz")
    with pytest.raises(InputError, match=sentence):
        create({"a": tmp_path / "a.nii.gz", "b": tmp_path / "b.nii.gz"}, tmp_path / "study", read)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.nii.gz", "b.nii.gz"]


def test_arms_with_other_scans_are_refused(arms: Arms, tmp_path: Path) -> None:
    for number in (0, 99):
        io.write(scan(), tmp_path / "b" / f"scan{number:02d}.nii.gz")
    with pytest.raises(InputError, match="Arm b holds no scan 'scan01' and 12 more, which arm original holds"):
        match_scans({"original": arms["original"], "b": tmp_path / "b"})
    with pytest.raises(InputError, match="two or more arms"):
        match_scans({"original": arms["original"]})


def test_more_repeats_than_images_are_refused_before_anything_is_read(arms: Arms, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="29 repeats were asked for, but there are only 28 images"):
        create(arms, tmp_path / "study", lambda path: pytest.fail("read"), Plan(slices=1, repeats=29))


def test_a_study_is_never_overwritten(made: Made, arms: Arms) -> None:
    folder = made()
    before = (folder / "study.json").read_bytes()
    with pytest.raises(OutputError, match="never overwritten"):
        create(arms, folder, read, Plan(slices=1, seed=9))
    assert (folder / "study.json").read_bytes() == before


def test_a_study_that_lacks_images_or_is_damaged_is_refused(made: Made, tmp_path: Path) -> None:
    folder = made()
    study = read_study(folder)
    with pytest.raises(InputError, match="no study folder"):
        read_study(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"holds no study\.json"):
        read_study(tmp_path)
    whole = (folder / "study.json").read_text()
    (folder / "study.json").write_text(whole[:-100])
    with pytest.raises(InputError, match="damaged"):
        read_study(folder)
    for broken in ({"trials": []}, {"cases": []}, {"design": "triples"}, {"questions": [{"name": "x"}]}):
        (folder / "study.json").write_text(json.dumps(json.loads(whole) | broken))
        with pytest.raises(InputError, match="damaged"):
            read_study(folder)
    (folder / "study.json").write_text(whole)
    StudyFolder(folder).slice_file(study.trials[0].images[0], 0).unlink()
    with pytest.raises(InputError, match="not whole"):
        read_study(folder)


def test_an_image_name_cannot_lead_out_of_the_folder(made: Made) -> None:
    folder = made()
    value = json.loads((folder / "study.json").read_text())
    value["trials"][0]["images"] = ["../../secret"]
    (folder / "study.json").write_text(json.dumps(value))
    with pytest.raises(InputError, match="damaged"):
        read_study(folder)


def test_the_key_of_another_study_is_refused(made: Made) -> None:
    first, second = made(), made("b", seed=2)
    with pytest.raises(InputError, match="belongs to another study"):
        read_key(key_file(second), read_study(first))
    said = r"There is no key .*lost\.json; the answers mean nothing without it, so name the key of this study\.$"
    with pytest.raises(InputError, match=said):
        read_key(first / "lost.json", read_study(first))
