"""What stands in private elements of vendors alone.

A place that only Philips' (2005,140F) states, which differs from the standard's: rordenlab/dcm2niix #144, #437, MRtrix3/mrtrix3
#2977. GE's elements without their types: dcm2niix #503; of big-endian files: cornerstonejs/cornerstoneWADOImageLoader #101. All
at https://github.com/OWNER/NAME/issues/NUMBER. Made from scratch.
"""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRBigEndian
from tests.io.enhanced import enhanced_mr
from tests.io.reports.checks import assert_written_well
from tests.io.volumes.objects import mr_slice, save_all

from demottle.errors import InputError
from demottle.io import open_scan, read, write


def in_private_sequence(holder, position):
    """Put a place where Philips keeps what its classic objects hold."""
    item = Dataset()
    item.ImagePositionPatient = position
    for number in range(1, 5):
        holder.private_block(0x2005, f"Philips MR Imaging DD 00{number}", create=True)
    holder.private_block(0x2005, "Philips MR Imaging DD 005", create=True).add_new(0x0F, "SQ", Items([item]))


@pytest.mark.parametrize("kind", ["classic", "enhanced"])
def test_a_place_in_a_private_sequence_alone_is_named_and_not_used(kind, tmp_path):
    source = [mr_slice(place, place + 1) for place in range(4)] if kind == "classic" else [enhanced_mr()]
    for one in source:
        for holder in one.get("PerFrameFunctionalGroupsSequence") or [one]:
            place = holder if kind == "classic" else holder.PlanePositionSequence[0]
            in_private_sequence(holder, place.ImagePositionPatient)
            del place.ImagePositionPatient
    with pytest.raises(
        InputError, match=r"no valid ImagePositionPatient; .*\(2005,140F\) holds an ImagePositionPatient, but"
    ):
        read(save_all(source, tmp_path / "in"))


def test_a_place_in_both_is_that_of_the_standard(tmp_path, denoised, program):
    source = [mr_slice(place, place + 1) for place in range(4)]
    for one in source:
        in_private_sequence(one, [7.0, 7.0, 7.0])
    image = read(save_all(source, tmp_path / "in"))
    assert image.source.payload.slices[1].position == (-20, -25, 3.0)
    assert_written_well(write(denoised(image), tmp_path / "out"), image, program)


def big_endian(dataset):
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset.PixelData = dataset.pixel_array.astype(">u2").tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


@pytest.mark.parametrize("typed", [True, False])
def test_private_elements_of_a_big_endian_file(typed, tmp_path, denoised, program):
    """Magnitude and phase that only GE's (0043,102F) tells apart; with its type, and as UN, whose bytes stay in their order."""
    source = []
    for component in (0, 1):
        for place in range(4):
            one = mr_slice(place, 10 * component + place + 1, InstanceNumber=place + 1)
            block = one.private_block(0x0043, "GEMS_PARM_01", create=True)
            block.add_new(0x2F, "SS" if typed else "UN", component if typed else component.to_bytes(2, "big"))
            block.add_new(0x39, "IS", [1000, 8, 0, 0])
            block.add_new(0x27, "OB", bytes(range(8)))
            source.append(big_endian(one))
    expected = [one.pixel_array for one in source]
    folder = save_all(source, tmp_path / "in")
    assert [part.label for part in open_scan(folder).volumes] == ["magnitude", "phase"]
    image = read(folder, volume=2)
    assert np.array_equal(image.voxels, expected[4:])
    written = write(denoised(image), tmp_path / "out")
    assert_written_well(written, image, program)
    for path in written.iterdir():
        block = pydicom.dcmread(path).private_block(0x0043, "GEMS_PARM_01")
        assert (block[0x2F].value, list(block[0x39].value), block[0x27].value) == (1, [1000, 8, 0, 0], bytes(range(8)))
