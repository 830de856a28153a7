"""A folder of scans, and what can be read without torch."""

import subprocess
import sys

import pytest

from demottle.errors import InputError
from demottle.io import find_scans, read, write


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
