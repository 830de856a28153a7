"""Volumes over time in DICOM become one NIfTI only where all of them lie in one place."""

import nibabel
import numpy as np
import pytest
import SimpleITK
from pydicom.uid import MRImageStorage

from demottle.errors import OutputError
from demottle.io import check_output, read, warnings_of, write


def series(make_slice, save_slice, folder, place):
    """Six volumes of four slices, `place(volume, slice)` giving their positions."""
    for volume in range(6):
        for index in range(4):
            number = 4 * volume + index
            stored = np.random.default_rng(number).integers(100, 900, (24, 20))
            dataset = make_slice(number, SOPClassUID=MRImageStorage, Modality="MR", RescaleType="US", stored=stored,
                                 RescaleSlope="1", RescaleIntercept="0", ImagePositionPatient=place(volume, index),
                                 TemporalPositionIdentifier=volume + 1, NumberOfTemporalPositions=6, RepetitionTime="2000",
                                 ImageType=["ORIGINAL", "PRIMARY", "M", "ND"])  # fmt: skip
            save_slice(dataset, folder / f"{number:02d}.dcm")
    return folder


def test_volumes_in_one_place_lie_there_in_itk(make_slice, save_slice, tmp_path):
    image = read(series(make_slice, save_slice, tmp_path / "in", lambda volume, index: [-10, -12, 3.0 * index]))
    assert image.sequence
    assert check_output(image, tmp_path / "out.nii.gz") == ()
    out = write(image, tmp_path / "out.nii.gz")
    itk = SimpleITK.ReadImage(str(out))
    assert np.abs(np.array(itk.TransformIndexToPhysicalPoint((19, 23, 3, 2)))[:3] - [3.3, 6.4, 9]).max() < 0.1
    header = nibabel.load(out).header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 1)


def test_a_table_that_moves_between_volumes_is_refused(make_slice, save_slice, tmp_path, denoised):
    """Prospective correction of motion moves the volumes (rordenlab/dcm2niix#590 on what one affine cannot say)."""
    image = read(
        series(make_slice, save_slice, tmp_path / "in", lambda volume, index: [-10 + 2 * volume, -12, 3.0 * index])
    )
    for attempt in (check_output, write):
        with pytest.raises(OutputError, match=r"volume 2 would lie 2\.0 mm off"):
            attempt(image, tmp_path / "out.nii.gz")
    write(denoised(image), tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 24


def test_ordinary_series_get_no_remark_about_place(make_slice, save_slice, tmp_path):
    image = read(series(make_slice, save_slice, tmp_path / "in", lambda volume, index: [-10, -12, 3.0 * index]))
    assert "shifted" not in " ".join(warnings_of(image))
