"""A folder of scans, and what can be read without torch."""

import subprocess
import sys

import pytest

from demottle.errors import InputError
from demottle.io import find_scans, read, write
from demottle.io.loose_slices import scans_beside_loose_slices


def test_each_folder_with_dicom_and_each_file_is_a_scan(ct, phantom, tmp_path):
    ct("scans/one")
    ct("scans/deep/two")
    for path in (tmp_path / "scans" / "deep" / "two").iterdir():
        path.rename(path.with_suffix(""))  # DICOM without a suffix
    write(phantom, tmp_path / "scans" / "three.nii.gz")
    write(phantom, tmp_path / "scans" / "four.mhd")
    (tmp_path / "scans" / "notes.txt").write_text("no scan")
    (tmp_path / "scans" / ".hidden.nii").write_text("no scan")
    root = tmp_path / "scans"
    assert find_scans(root) == [root / "deep" / "two", root / "four.mhd", root / "one", root / "three.nii.gz"]
    for scan in find_scans(root):
        assert read(scan).shape[0] in (4, 5)


def test_a_scan_itself_is_the_only_scan(ct, phantom, tmp_path):
    folder = ct()
    assert find_scans(folder) == [folder]
    file = write(phantom, tmp_path / "a.nii")
    assert find_scans(file) == [file]


def test_nothing_to_read(tmp_path):
    with pytest.raises(InputError, match="holds no scans"):
        find_scans(tmp_path)
    with pytest.raises(InputError, match="no file or folder"):
        find_scans(tmp_path / "nowhere")


def test_reading_and_writing_do_not_import_torch(ct, tmp_path):
    script = (
        "import sys; import demottle.io as io; image = io.read(sys.argv[1]);"
        "io.write(image, sys.argv[2]); io.write(image, sys.argv[2] + '.nii'); io.write(image, sys.argv[2] + '.mha');"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(ct()), str(tmp_path / "out")], check=True)


def test_a_loose_slice_beside_folders_of_scans_is_a_scan_of_its_own(ct, phantom, tmp_path):
    root = tmp_path / "scans"
    ct("scans/one", series="1")
    ct("scans/deep/two", series="2")
    ct("other", series="3", slices=4)
    stray = next((tmp_path / "other").iterdir())
    stray.rename(root / "stray.dcm")
    write(phantom, root / "three.nii.gz")
    expected = [root / "deep" / "two", root / "one", root / "stray.dcm", root / "three.nii.gz"]
    assert find_scans(root) == [root]
    assert scans_beside_loose_slices(root) == expected


@pytest.mark.parametrize("loose", [("1", 1), ("3", 2)])
def test_loose_slices_that_may_be_part_of_a_series_keep_all_of_it_one_scan(ct, tmp_path, loose):
    root = tmp_path / "scans"
    ct("scans/one", series="1")
    ct("scans/two", series="2")
    ct("other", series=loose[0])
    for file in sorted((tmp_path / "other").iterdir())[-loose[1] :]:
        file.rename(root / f"stray-{file.name}")
    assert scans_beside_loose_slices(root) == []


def test_parts_of_one_series_in_folders_beside_a_loose_slice_stay_one_scan(ct, tmp_path):
    folder = ct("disk/DIR0", series="1", slices=6)
    (tmp_path / "disk" / "DIR1").mkdir()
    for file in sorted(folder.iterdir())[3:]:
        file.rename(tmp_path / "disk" / "DIR1" / file.name)
    ct("other", series="3")
    next((tmp_path / "other").iterdir()).rename(tmp_path / "disk" / "stray.dcm")
    assert scans_beside_loose_slices(tmp_path / "disk") == []


@pytest.mark.parametrize("path", [3, None, [1.0, 2.0]])
def test_what_is_no_path_is_refused_in_a_sentence(path):
    with pytest.raises(InputError, match=f"from its path, a str or Path, and this is {type(path).__name__}"):
        read(path)
