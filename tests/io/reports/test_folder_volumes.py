"""Volumes that were taken for runs: slices at several places are a volume, whatever modality and SOP class say.

Multi-frame CT without a place for each frame: Slicer/Slicer #7496. Places that nuclear medicine keeps elsewhere:
FNNDSC/ami #293.
Projections of rotational angiography, which are no volume: astra-toolbox/astra-toolbox #339. All at
https://github.com/OWNER/NAME/issues/NUMBER.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from tests.io.enhanced import GAP, ORDER, group
from tests.io.reports.checks import assert_placed, assert_written_well, errors_of
from tests.io.reports.cone_beam import CRANIOFACIAL, XA3D, body, cone_beam

from demottle.errors import InputError
from demottle.image import Image
from demottle.io import holds_run, list_series, read, warnings_of, write

ROOT = "1.2.840.10008.5.1.4.1.1."
Ct = Callable[..., Path]
Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]
Denoised = Callable[..., Image]
Program = Callable[[str], str]


@pytest.mark.parametrize("sop_class", [XA3D, CRANIOFACIAL])
def test_a_three_dimensional_x_ray_object_is_a_volume(
    sop_class: str, save_slice: Save, denoised: Denoised, program: Program, tmp_path: Path
) -> None:
    """Frames in any order, oblique; the output is the same kind of object, valid, and where it was."""
    source = save_slice(cone_beam(sop_class), tmp_path / "in.dcm")
    assert not errors_of(source, program)
    image = read(source)
    assert (image.sequence, image.shape, image.modality) == (False, (5, 24, 20), "CT")
    assert image.spacing == pytest.approx((GAP, 0.8, 0.7))
    assert "are not frames over time" in warnings_of(image)[0]
    assert not list_series(source)[0].run
    written = write(denoised(image), tmp_path / "out.dcm")
    result = pydicom.dcmread(written)
    assert result.SOPClassUID == sop_class
    kind = result.SharedFunctionalGroupsSequence[0].XRay3DFrameTypeSequence[0]
    assert (result.ImageType[0], kind.FrameType[0], result.Modality) == ("DERIVED", "DERIVED", "XA")
    assert not errors_of(written, program)
    again = read(written, accept_own_output=True)
    for one, other in zip(image.source.payload.slices, again.source.payload.slices, strict=True):  # type: ignore[union-attr]
        assert (one.position, one.orientation, one.frame) == (other.position, other.orientation, other.frame)
    assert np.array_equal(again.voxels, image.voxels + 3)


def test_cone_beam_in_order_lies_in_itk_where_it_was(
    save_slice: Save, denoised: Denoised, program: Program, tmp_path: Path
) -> None:
    made = cone_beam()
    frames = sorted(zip(ORDER, made.PerFrameFunctionalGroupsSequence, strict=True), key=lambda pair: pair[0])
    made.PerFrameFunctionalGroupsSequence = Items([frame for _, frame in frames])
    image = read(save_slice(made, tmp_path / "in.dcm"))
    assert_written_well(write(denoised(image), tmp_path / "out.dcm"), image, program)


@pytest.mark.parametrize(("rescale", "shown", "unit"), [("HU", False, "HU"), ("US", True, "HU"), ("US", False, "a.u.")])
def test_cone_beam_is_in_hu_where_it_says_or_shows_it(
    rescale: str, shown: bool, unit: str, save_slice: Save, tmp_path: Path
) -> None:
    made = cone_beam(rescale_type=rescale)
    values = body() if shown else np.full((5, 24, 20), 5000, "<i2")
    made.PixelData = values.tobytes()
    image = read(save_slice(made, tmp_path / "in.dcm"))
    assert image.unit == unit
    assert read(tmp_path / "in.dcm", unit="HU").unit == "HU"


def test_ct_slices_of_an_angiography_system_are_ct(
    ct: Ct, denoised: Denoised, program: Program, tmp_path: Path
) -> None:
    """Reconstructions of rotational angiography are CT Image Storage with modality XA."""
    folder = ct(Modality="XA")
    image = read(folder)
    assert (image.sequence, image.modality, image.unit, image.shape) == (False, "CT", "HU", (5, 24, 20))
    assert not holds_run(folder)
    written = write(denoised(image), tmp_path / "out")
    assert {pydicom.dcmread(file).Modality for file in written.iterdir()} == {"XA"}
    assert np.array_equal(read(written, accept_own_output=True).voxels, image.voxels + 3)
    assert_placed(sorted(written.iterdir()), image)
    found, known = (errors_of(next(one.iterdir()), program) for one in (written, folder))
    assert found == known  # the modality is the source's, and stays


def test_one_ct_slice_with_modality_xa_is_a_slice(ct: Ct) -> None:
    assert not read(ct(slices=1, Modality="XA")).sequence


@pytest.mark.parametrize("modality", ["XA", "CT"])
def test_x_ray_3d_without_places_is_refused_and_not_taken_for_a_run(
    modality: str, save_slice: Save, tmp_path: Path
) -> None:
    made = cone_beam(modality=modality)
    for frame in made.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence
    with pytest.raises(InputError, match="no valid ImagePositionPatient"):
        read(save_slice(made, tmp_path / "in.dcm"))


def _enhanced_xa(places: list[list[float]] | None) -> Dataset:
    made = cone_beam(ROOT + "12.1.1")
    for number, frame in enumerate(made.PerFrameFunctionalGroupsSequence):
        del frame.PlanePositionSequence
        if places is not None:
            frame.PlanePositionSequence = Items([group(ImagePositionPatient=places[number])])
        frame.FrameContentSequence[0].FrameReferenceDateTime = f"2020010210111{number}.0"
    return made


def test_projections_are_a_run_with_and_without_one_place(save_slice: Save, tmp_path: Path) -> None:
    """Enhanced XA: frames of one plane, or of a table that steps within it, are frames over time."""
    for name, places in (
        ("none", None),
        ("one", [[0.0, 0.0, 0.0]] * 5),
        ("stepping", [[20.0 * k, 0.0, 0.0] for k in range(5)]),
    ):
        image = read(save_slice(_enhanced_xa(places), tmp_path / f"{name}.dcm"))
        assert (image.sequence, image.spacing[0], image.shape[0]) == (True, 1.0, 5)


def test_enhanced_xa_at_several_places_is_a_volume(save_slice: Save, tmp_path: Path) -> None:
    normal = np.array([0.0, -0.6, 0.8])
    image = read(save_slice(_enhanced_xa([list(map(float, 2.0 * k * normal)) for k in range(5)]), tmp_path / "v.dcm"))
    assert (image.sequence, image.spacing[0]) == (False, pytest.approx(2.0))


def test_other_modalities_are_read_as_what_they_are_and_said(ct: Ct) -> None:
    """PET has slices; nobody tried the methods on it."""
    image = read(ct(Modality="PT", SOPClassUID=ROOT + "128", RescaleType=None))
    assert (image.modality, image.unit) == ("PT", "a.u.")
    assert "The modality is PT" in warnings_of(image)[0]


@pytest.mark.parametrize(
    ("ending", "modality", "said"),
    [("2", "CT", "CT"), ("20", "NM", "NM"), ("3.1", "US", "US"), ("7.2", "OT", "OT")],
)
def test_frames_without_places_of_other_modalities_are_refused_by_name(
    ending: str, modality: str, said: str, make_slice: Make, save_slice: Save, tmp_path: Path
) -> None:
    made = make_slice(
        SOPClassUID=ROOT + ending, Modality=modality, NumberOfFrames=3, FrameTime="40", stored=np.full((3, 24, 20), 7),
    )  # fmt: skip
    with pytest.raises(InputError, match=rf"3 frames of modality {said} without a place for each"):
        read(save_slice(made, tmp_path / "in.dcm"))
