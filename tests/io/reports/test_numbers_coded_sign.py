"""Compressed pixels whose sign, bits or loss are not what the header says of them.

JPEG 2000 whose own sign differs from PixelRepresentation: pydicom/pydicom #1149, dcm4che/dcm4che #647, fo-dicom/fo-dicom #738.
JPEG-LS, which knows no sign, with fewer bits stored than allocated: pydicom #2009. The lowest number of 16 bits:
icometrix/dicom2nifti #144. A JPEG 2000 stream tells by its wavelet that it lost something: OSGeo/gdal pull #6455. All at https://github.com/OWNER/NAME/issues/NUMBER.
"""

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.pixels import get_encoder
from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGLSLossless, JPEGLSNearLossless, RLELossless
from tests.io.reports.checks import errors_of

from demottle.io import read, warnings_of, write

SYNTAXES = [JPEGLSLossless, JPEG2000Lossless, RLELossless]


def values(bits, signed):
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    made = np.random.default_rng(bits).integers(low, high + 1, (96, 80))
    made[0, :2] = low, high
    return made


def source(ct, syntax, bits, signed, *, coded_unsigned=False):
    stored = values(bits, signed)
    folder = ct(slices=1, rows=96, columns=80, stored=stored, RescaleIntercept="0", PixelRepresentation=int(signed),
                BitsStored=bits, HighBit=bits - 1)  # fmt: skip
    (path,) = folder.iterdir()
    dataset = pydicom.dcmread(path)
    if not coded_unsigned:
        dataset.compress(syntax, generate_instance_uid=False)
    else:  # the stream says another sign than the header
        frame = get_encoder(syntax).encode(
            (stored & (2**bits - 1)).astype("<u2"), rows=96, columns=80, samples_per_pixel=1, number_of_frames=1,
            bits_allocated=16, bits_stored=bits, pixel_representation=0, photometric_interpretation="MONOCHROME2",
        )  # fmt: skip
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path)
    return folder, stored


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", [10, 12, 13, 16])
@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
def test_signed_and_unsigned_of_all_widths(ct, syntax, bits, signed, denoised, tmp_path):
    folder, stored = source(ct, syntax, bits, signed)
    image = read(folder)
    measured = np.ones(stored.shape, bool) if image.valid is None else image.valid[0]
    assert np.array_equal(image.voxels[0], stored)
    out = write(denoised(image, 2), tmp_path / "out")
    (after,) = (pydicom.dcmread(path).pixel_array for path in out.iterdir())
    top = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    assert np.array_equal(after[measured], np.minimum(stored + 2, top)[measured])
    assert np.array_equal(after[~measured], stored[~measured])


@pytest.mark.parametrize("bits", [12, 13])
@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless], ids=lambda uid: uid.name)
def test_a_stream_that_is_unsigned_where_the_header_is_signed(ct, syntax, bits):
    folder, stored = source(ct, syntax, bits, True, coded_unsigned=True)
    assert np.array_equal(read(folder).voxels[0], stored)


@pytest.mark.parametrize("syntax", [JPEGLSNearLossless, JPEG2000], ids=lambda uid: uid.name)
def test_pixels_compressed_with_loss_are_said(ct, syntax, denoised, program, tmp_path):
    folder = ct(slices=3, rows=96, columns=80)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        options = {"jls_error": 3} if syntax == JPEGLSNearLossless else {"j2k_cr": [4]}
        dataset.compress(syntax, generate_instance_uid=False, **options)
        dataset.LossyImageCompression = "01"
        dataset.save_as(path)
    image = read(folder)
    assert "compressed with loss" in " ".join(warnings_of(image))
    out = write(denoised(image), tmp_path / "out")
    for path in out.iterdir():
        assert pydicom.dcmread(path).LossyImageCompression == "01"
        assert not errors_of(path, program)


def test_nothing_is_said_where_nothing_was_lost(ct):
    assert warnings_of(read(ct(LossyImageCompression="00"))) == ()


@pytest.mark.parametrize("lossy", [True, False])
def test_a_wavelet_that_loses_is_loss_whatever_the_header_says(ct, denoised, tmp_path, lossy):
    """The transfer syntax allows both, and LossyImageCompression is missing."""
    folder = ct(slices=2, rows=64, columns=64)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        how = {"j2k_cr": [4]} if lossy else {}
        dataset.compress(JPEG2000 if lossy else JPEG2000Lossless, generate_instance_uid=False, **how)
        dataset.file_meta.TransferSyntaxUID = JPEG2000
        if "LossyImageCompression" in dataset:
            del dataset.LossyImageCompression
        dataset.save_as(path)
    image = read(folder)
    assert ("compressed with loss" in " ".join(warnings_of(image))) == lossy
    for path in write(denoised(image), tmp_path / "out").iterdir():
        assert pydicom.dcmread(path).get("LossyImageCompression") == ("01" if lossy else None)
