"""Volumes of one series, read one by one, come out as one series: each image in its place, what was not chosen as it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.dataset import Dataset
from tests.io.enhanced import group, position
from tests.io.test_enhanced import errors_of as errors_of_enhanced
from tests.io.volumes.objects import GAP, classic, enhanced, mr_slice, save_all

from demottle.errors import InputError, OutputError
from demottle.image import ProcessingStep
from demottle.io import open_scan, read, warnings_of, write

ECHOES: list[dict[str, Any]] = [{"EchoNumbers": e, "EchoTime": str(10 * e)} for e in (1, 2)]
TIMES: list[dict[str, Any]] = [
    {"TemporalPositionIdentifier": t, "AcquisitionTime": f"1000{2 * t:02d}"} for t in (4, 2, 1, 3, 5)
]
Program = Callable[[str], str]


def pixels(dataset: Dataset) -> np.ndarray:
    return np.frombuffer(dataset.PixelData, "<u2").reshape(-1, dataset.Rows, dataset.Columns)


def by_source(folder: Path) -> dict[str, Dataset]:
    found = {}
    for file in folder.iterdir():
        dataset = pydicom.dcmread(file)
        found[str(dataset.SourceImageSequence[0].ReferencedSOPInstanceUID)] = dataset
    return found


def assert_valid(files: Path, program: Program) -> None:
    for file in files.iterdir():
        assert errors_of_enhanced(program, file) == []


def test_all_volumes_become_one_series_with_every_image_in_its_place(tmp_path, denoised, program) -> None:
    source = classic(ECHOES)
    opened = open_scan(save_all(source, tmp_path / "in"))
    steps = [ProcessingStep("bilateral", "0.1.0", {"window": [3, 3]}, seed=seed) for seed in (1, 2)]
    images = [denoised(opened.read(number), 10 * number, steps[number - 1]) for number in (1, 2)]
    write(images, tmp_path / "out")
    after = by_source(tmp_path / "out")
    assert len(after) == len(source) and len({str(one.SeriesInstanceUID) for one in after.values()}) == 1
    assert len({str(one.SOPInstanceUID) for one in after.values()}) == len(source)
    for one in source:
        other = after[str(one.SOPInstanceUID)]
        np.testing.assert_array_equal(pixels(other), pixels(one) + 10 * int(one.EchoNumbers))
        for keyword in ("ImagePositionPatient", "InstanceNumber", "EchoTime", "EchoNumbers", "FrameOfReferenceUID"):
            assert other[keyword] == one[keyword]
    assert_valid(tmp_path / "out", program)


def test_one_chosen_volume_is_written_alone(tmp_path, denoised, program) -> None:
    source = classic(ECHOES)
    image = read(save_all(source, tmp_path / "in"), volume=2)
    after = by_source(write(denoised(image), tmp_path / "out"))
    assert set(after) == {str(one.SOPInstanceUID) for one in source if one.EchoNumbers == 2}
    itk = SimpleITK.ReadImage(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path / "out")))
    for place in range(4):
        assert np.allclose(itk.TransformIndexToPhysicalPoint((0, 0, place)), (-20, -25, GAP * place), atol=0.1)
    assert_valid(tmp_path / "out", program)


ECHO = ("EffectiveEchoTime", "MREchoSequence")
TIME = ("TemporalPositionIndex", "FrameContentSequence")


def enhanced_echoes() -> Dataset:
    return enhanced([{"MREchoSequence": group(EffectiveEchoTime=10.0 * e)} for e in (1, 2)], ECHO)


def test_the_volumes_of_an_enhanced_object_become_one_object(tmp_path, denoised, program) -> None:
    source = enhanced_echoes()
    opened = open_scan(save_all([source], tmp_path / "in"))
    assert [part.label for part in opened.volumes] == ["TE 10 ms", "TE 20 ms"]
    write([denoised(opened.read(1), 10), denoised(opened.read(2), 20)], tmp_path / "out")
    (file,) = (tmp_path / "out").iterdir()
    after = pydicom.dcmread(file)
    np.testing.assert_array_equal(pixels(after)[0::2], pixels(source)[0::2] + 10)
    np.testing.assert_array_equal(pixels(after)[1::2], pixels(source)[1::2] + 20)
    assert_valid(tmp_path / "out", program)


def test_frames_of_volumes_that_were_not_chosen_stay_as_they_were(tmp_path, denoised, program) -> None:
    source = enhanced_echoes()
    folder = save_all([source], tmp_path / "in")
    uids = set()
    for number in (1, 2):
        image = read(folder, volume=number)
        (file,) = write(denoised(image, 10), tmp_path / f"out{number}").iterdir()
        after = pydicom.dcmread(file)
        uids.add(str(after.SOPInstanceUID))
        mine, other = slice(number - 1, None, 2), slice(2 - number, None, 2)
        np.testing.assert_array_equal(pixels(after)[mine], pixels(source)[mine] + 10)
        np.testing.assert_array_equal(pixels(after)[other], pixels(source)[other])
        told = [
            "unchanged" in frame.DerivationImageSequence[0].DerivationDescription
            for frame in after.PerFrameFunctionalGroupsSequence
        ]
        assert told[mine] == [False] * 4 and told[other] == [True] * 4
        assert_valid(tmp_path / f"out{number}", program)
    assert len(uids) == 2  # two objects with other pixels must not have one name


def test_enhanced_frames_lie_in_itk_where_they_lay(tmp_path, denoised) -> None:
    image = read(save_all([enhanced_echoes()], tmp_path / "in"), volume=2)
    out = write(denoised(image), tmp_path / "out.nii.gz")
    itk = SimpleITK.ReadImage(str(out))
    for place in range(4):
        assert np.allclose(itk.TransformIndexToPhysicalPoint((0, 0, place)), position(place), atol=0.1)


def frame_of_time(t: int) -> dict[str, Dataset]:
    return {
        "FrameContentSequence": group(
            TemporalPositionIndex=t,
            FrameAcquisitionDateTime=f"2020010210{t:02d}00",
            FrameReferenceDateTime="20200102101112",
        )
    }


SERIES = {
    "classic": lambda: classic(TIMES),
    "enhanced": lambda: [enhanced([frame_of_time(t) for t in (4, 2, 1, 3, 5)], TIME)],
}


@pytest.mark.parametrize("kind", SERIES)
def test_volumes_over_time_go_in_and_out_in_the_order_of_time(kind, tmp_path, denoised, program) -> None:
    source = SERIES[kind]()
    image = read(save_all(source, tmp_path / "in"))
    assert image.sequence and image.modality == "MR" and image.shape[0] == 5
    assert image.spacing[0] == (2 if kind == "classic" else 60)
    taken = np.stack([pixels(one) for one in source]).reshape(-1, *pixels(source[0]).shape[1:])
    rows = taken.shape[1]
    if kind == "classic":
        volumes = taken.reshape(5, 4, *taken.shape[1:])[[2, 1, 3, 0, 4]]
    else:
        volumes = taken.reshape(4, 5, *taken.shape[1:]).transpose(1, 0, 2, 3)[[2, 1, 3, 0, 4]]
    for t in range(5):
        np.testing.assert_array_equal(image.voxels[t, :rows], volumes[t, 0])
    change = image.voxels + np.float32(7) * np.arange(1, 6, dtype=np.float32)[:, None, None]  # each volume its own
    clean = image.with_voxels(change, ProcessingStep("mp-pca", "0.1.0"))
    write(clean, tmp_path / "out")
    order = {2: 1, 1: 2, 3: 3, 0: 4, 4: 5}  # index in the source: place in time
    if kind == "classic":
        after = by_source(tmp_path / "out")
        for index, one in enumerate(source):
            np.testing.assert_array_equal(pixels(after[str(one.SOPInstanceUID)]), pixels(one) + 7 * order[index // 4])
    else:
        (file,) = (tmp_path / "out").iterdir()
        for index, plane in enumerate(pixels(pydicom.dcmread(file))):
            np.testing.assert_array_equal(plane, taken[index] + 7 * order[index % 5])
    assert_valid(tmp_path / "out", program)
    nifti = nibabel.load(write(image, tmp_path / "out.nii.gz"))
    np.testing.assert_array_equal(np.asarray(nifti.dataobj).transpose(3, 2, 1, 0), volumes)
    lps = np.diag([-1, -1, 1, 1]) @ nifti.affine
    corner = (-20, -25, 0) if kind == "classic" else position(0)
    last = (-20, -25, 3 * GAP) if kind == "classic" else position(3)
    assert np.allclose(lps @ [0, 0, 0, 1], [*corner, 1], atol=0.1) and np.allclose(
        lps @ [0, 0, 3, 1], [*last, 1], atol=0.1
    )


def test_formats_that_cannot_hold_volumes_over_time_are_refused(tmp_path) -> None:
    image = read(save_all(classic(TIMES), tmp_path / "in"))
    with pytest.raises(OutputError, match=r"volumes over time, which mha cannot hold"):
        write(image, tmp_path / "out.mha")


def test_several_volumes_fit_into_no_file_of_one(tmp_path) -> None:
    opened = open_scan(save_all(classic(ECHOES), tmp_path / "in"))
    with pytest.raises(OutputError, match=r"holds 2 volumes, and nifti holds one"):
        write([opened.read(1), opened.read(2)], tmp_path / "out.nii.gz")
    assert not (tmp_path / "out.nii.gz").exists()


def test_a_series_that_states_no_times_says_what_is_assumed(tmp_path) -> None:
    bare = {"RepetitionTime": "", "AcquisitionTime": None}
    volumes = [{**bare, "TemporalPositionIdentifier": t} for t in range(1, 5)]
    for values in volumes:
        del values["AcquisitionTime"]
    image = read(save_all(classic(volumes), tmp_path / "in"))
    assert image.spacing[0] == 1 and any("1 s is assumed" in warning for warning in warnings_of(image))


def test_a_volume_with_a_missing_slice_is_refused_with_the_place(tmp_path) -> None:
    source = [
        one for one in classic([ECHOES[0], ECHOES[1]], places=6) if (one.EchoNumbers, one.InstanceNumber) != (2, 10)
    ]
    folder = save_all(source, tmp_path / "in")
    assert read(folder, volume=1).shape[0] == 6
    with pytest.raises(InputError, match="missing between 6 and 12 mm"):
        read(folder, volume=2)


def test_a_single_slice_over_time_is_a_series(tmp_path) -> None:
    source = [mr_slice(0, t, AcquisitionTime=f"1000{t:02d}", AcquisitionNumber=t) for t in range(1, 7)]
    image = read(save_all(source, tmp_path / "in"))
    assert image.sequence and image.shape == (6, 40, 36) and image.spacing[0] == 1
