"""Headers that cannot be written again are found before minutes of work, and named; odd but writable ones are not."""

import pydicom
import pytest

from demottle.errors import InputError
from demottle.io import check_output, read, write


def test_an_element_of_an_unknown_kind_is_named_before_the_work(ct, tmp_path):
    folder = ct()
    path = sorted(folder.iterdir())[2]
    content = path.read_bytes()
    at = content.index(b"\x20\x00\x10\x00SH")  # StudyID, whose VR becomes nonsense
    path.write_bytes(content[: at + 4] + b"\x00\x01" + content[at + 6 :])
    with pytest.raises(InputError, match=path.name):
        image = read(folder)
        check_output(image, tmp_path / "out")


@pytest.mark.parametrize("number", ["abc", "", None, "-3", "2147483647", "1.5"])
def test_a_series_number_that_is_none_is_no_obstacle(ct, tmp_path, number, denoised):
    folder = ct(slices=3)
    for path in folder.iterdir():
        with pydicom.config.disable_value_validation():
            dataset = pydicom.dcmread(path)
            if number is None:
                del dataset.SeriesNumber
            else:
                raw = number.encode() + b" " * (len(number) % 2)
                tag = pydicom.tag.Tag("SeriesNumber")
                dataset[tag] = pydicom.dataelem.RawDataElement(tag, "IS", len(raw), raw, 0, False, True)
            dataset.save_as(path)
    image = read(folder)
    check_output(image, tmp_path / "out")
    out = write(denoised(image), tmp_path / "out")
    assert all(pydicom.dcmread(path).SeriesNumber >= 9000 - 3 for path in out.iterdir())


def test_images_of_other_formats_need_no_rehearsal(phantom, tmp_path):
    path = write(phantom, tmp_path / "in.nii.gz")
    check_output(read(path, modality="CT"), tmp_path / "out")
    check_output(read(path, modality="CT"), tmp_path / "out.nii.gz")
