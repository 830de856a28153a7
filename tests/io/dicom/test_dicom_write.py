"""The result is a new, valid series beside the untouched original."""

import hashlib
import subprocess
import zipfile
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from demottle.errors import InputError, OutputError
from demottle.image import ProcessingStep
from demottle.io import read, warnings_of, write


def datasets(folder):
    return sorted((pydicom.dcmread(path) for path in folder.iterdir()), key=lambda d: d.ImagePositionPatient[2])


def errors(program, path):
    done = subprocess.run([program("dciodvfy"), str(path)], capture_output=True, text=True, check=False)
    return {line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")}


def digest(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_unchanged_voxels_keep_their_stored_values(ct, tmp_path):
    folder = ct(RescaleSlope="0.3337", RescaleIntercept="-1024.7", BitsStored=16, HighBit=15,
                stored=lambda i: np.random.default_rng(i).integers(0, 65536, (24, 20)))  # fmt: skip
    write(read(folder), tmp_path / "out")
    for before, after in zip(datasets(folder), datasets(tmp_path / "out"), strict=True):
        assert before.PixelData == after.PixelData


def test_voxels_are_rounded_and_saturated(ct, tmp_path):
    image = read(ct(slices=1, stored=np.full((24, 20), 1064)))
    voxels = image.voxels.copy()
    voxels[0, 0, :4] = 40.6, -40.6, 1e6, -1e6
    write(image.with_voxels(voxels), tmp_path / "out")
    (after,) = datasets(tmp_path / "out")
    assert after.pixel_array[0, :5].tolist() == [1065, 983, 4095, 0, 1064]


def test_signed_values_are_saturated_to_the_bits_stored(ct, tmp_path):
    image = read(ct(slices=1, PixelRepresentation=1, RescaleIntercept="0", stored=np.full((24, 20), 40)))
    voxels = image.voxels.copy()
    voxels[0, 0, :3] = 1e6, -1e6, -3.5
    write(image.with_voxels(voxels), tmp_path / "out")
    (after,) = datasets(tmp_path / "out")
    assert after.pixel_array[0, :4].tolist() == [2047, -2048, -4, 40]


def test_not_valid_voxels_stay_and_no_other_becomes_padding(ct, tmp_path):
    stored = np.full((24, 20), 40)
    stored[0] = -2000
    folder = ct(slices=1, PixelRepresentation=1, RescaleIntercept="0", PixelPaddingValue=-2000, stored=stored)
    image = read(folder)
    write(image.with_voxels(image.voxels * 0 - 2000.2), tmp_path / "out")
    (after,) = datasets(tmp_path / "out")
    assert (after.pixel_array[0] == -2000).all()
    assert (after.pixel_array[1:] == -1999).all()


def test_bits_above_bits_stored_are_kept(ct, tmp_path, denoised):
    stored = np.full((24, 20), 1064)
    stored[4, 4] |= 0x8000
    write(denoised(read(ct(slices=1, stored=stored)), 1), tmp_path / "out")
    (after,) = datasets(tmp_path / "out")
    raw = np.frombuffer(after.PixelData, "<u2").reshape(24, 20)
    assert raw[4, 4] == 0x8000 | 1065
    assert raw[0, 0] == 1065


def test_header_says_what_was_done_and_keeps_the_rest(ct, tmp_path, denoised):
    folder = ct(SmallestImagePixelValue=1, LargestImagePixelValue=2, LossyImageCompression="01",
                InstanceCreationDate="20200101", WindowCenter="40", WindowWidth="400")  # fmt: skip
    write(denoised(read(folder)), tmp_path / "out")
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".dcm"}
    for before, after in zip(datasets(folder), datasets(tmp_path / "out"), strict=True):
        for keyword in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientName", "ImagePositionPatient", "SOPClassUID",
                        "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept", "InstanceNumber",
                        "WindowCenter", "LossyImageCompression", "BitsStored", "PixelRepresentation", "StudyDate"):  # fmt: skip
            assert before[keyword] == after[keyword]
        assert before.SOPInstanceUID != after.SOPInstanceUID == after.file_meta.MediaStorageSOPInstanceUID
        assert before.SeriesInstanceUID != after.SeriesInstanceUID
        assert after.ImageType == ["DERIVED", "PRIMARY", "AXIAL"]
        assert after.SeriesDescription == "Thorax [demottle bilateral]"
        assert after.SeriesNumber == 9001
        assert "bilateral, seed 7, model abc123" in after.DerivationDescription
        assert '"strength": 1.5' in after.DerivationDescription
        assert [item.CodeValue for item in after.DerivationCodeSequence] == ["113087", "NOISE_REDUCTION"]
        own = after.DerivationCodeSequence[1].CodingSchemeDesignator
        assert own in [item.CodingSchemeDesignator for item in after.CodingSchemeIdentificationSequence]
        (source,) = after.SourceImageSequence
        assert source.ReferencedSOPInstanceUID == before.SOPInstanceUID
        assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
        assert after.ContributingEquipmentSequence[-1].SoftwareVersions == "0.1.0"
        assert (after.SmallestImagePixelValue, after.LargestImagePixelValue) == (
            after.pixel_array.min(),
            after.pixel_array.max(),
        )
        assert "InstanceCreationDate" not in after
        assert after.file_meta.TransferSyntaxUID.name == "Explicit VR Little Endian"


def test_the_original_is_untouched(ct, tmp_path, denoised):
    folder = ct()
    before = digest(folder)
    write(denoised(read(folder)), tmp_path / "out")
    assert digest(folder) == before


def test_uids_repeat_and_change_with_every_setting(ct, tmp_path):
    image = read(ct(slices=1))
    steps = [
        ProcessingStep("a", "1", {"x": 1}, seed=1, model_hash="h"),
        ProcessingStep("a", "1", {"x": np.int64(1)}, seed=1, model_hash="h", noise={"sigma": 3}),
        ProcessingStep("b", "1", {"x": 1}, seed=1, model_hash="h"),
        ProcessingStep("a", "2", {"x": 1}, seed=1, model_hash="h"),
        ProcessingStep("a", "1", {"x": 2}, seed=1, model_hash="h"),
        ProcessingStep("a", "1", {"x": 1}, seed=2, model_hash="h"),
        ProcessingStep("a", "1", {"x": 1}, seed=1, model_hash="i"),
    ]
    uids = []
    for index, step in enumerate(steps):
        write(image.with_voxels(image.voxels, step), tmp_path / f"out{index}")
        (after,) = datasets(tmp_path / f"out{index}")
        uids.append((after.SOPInstanceUID, after.SeriesInstanceUID))
        assert all(uid.is_valid for uid in uids[-1])
    assert uids[0] == uids[1]
    assert len({instance for instance, _ in uids}) == len({series for _, series in uids}) == 6


def test_the_same_result_has_the_same_bytes(ct, tmp_path, denoised):
    image = denoised(read(ct()))
    write(image, tmp_path / "one")
    write(image, tmp_path / "two")
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_own_output_is_recognized(ct, tmp_path, denoised):
    image = denoised(read(ct()))
    write(image, tmp_path / "out")
    with pytest.raises(InputError, match="own output"):
        read(tmp_path / "out")
    again = read(tmp_path / "out", accept_own_output=True)
    assert [step.method for step in again.history] == ["bilateral"]
    assert again.history[0].settings == {"strength": 1.5, "window": [3, 3]}
    write(denoised(again, step=ProcessingStep("second", "1")), tmp_path / "twice")
    after = datasets(tmp_path / "twice")[0]
    assert len(after.ContributingEquipmentSequence) == 2
    assert len(after.CodingSchemeIdentificationSequence) == 1
    assert [step.method for step in read(tmp_path / "twice", accept_own_output=True).history] == ["bilateral", "second"]


def test_own_output_beside_the_original_is_left_aside(ct, tmp_path, denoised):
    image = read(ct("study/ct"))
    write(denoised(image), tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "study" / "out")
    both = read(tmp_path / "study")
    assert np.array_equal(both.voxels, image.voxels)
    assert "own output" in warnings_of(both)[0]


@pytest.mark.parametrize(
    "charset, name", [("ISO_IR 100", "M\xfcller^J\xf6rg"), ("ISO_IR 192", "山田^太郎"), ("ISO_IR 144", "Люкceмбypг")]
)
def test_character_sets_survive_byte_for_byte(ct, tmp_path, denoised, charset, name):
    folder = ct(slices=1, SpecificCharacterSet=charset, PatientName=name, SeriesDescription=name)
    write(denoised(read(folder)), tmp_path / "out")
    (before,), (after,) = datasets(folder), datasets(tmp_path / "out")
    assert after.SpecificCharacterSet == charset
    assert before.get_item("PatientName").value == after.get_item("PatientName").value
    assert after.SeriesDescription == f"{name} [demottle bilateral]"


def test_a_character_set_that_does_not_fit_its_text_does_no_harm(ct, tmp_path, denoised):
    folder = ct(slices=1, SpecificCharacterSet=None, PatientName="M_ller", SeriesDescription="Sch_del")
    path = next(folder.iterdir())
    path.write_bytes(path.read_bytes().replace(b"M_ller", b"M\xfcller").replace(b"Sch_del", b"Sch\xe4del"))
    write(denoised(read(str(folder))), tmp_path / "out")
    raw = next((tmp_path / "out").iterdir()).read_bytes()
    assert b"M\xfcller" in raw
    assert b"[demottle bilateral]" in raw


def test_a_zip_can_be_the_source(ct, tmp_path, denoised):
    folder = ct()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    image = read(tmp_path / "a.zip")
    out = write(denoised(image, 2), tmp_path / "out")
    assert np.array_equal(read(out, accept_own_output=True).voxels, image.voxels + 2)
    with pytest.raises(OutputError, match="zip"):
        write(image, tmp_path / "b.zip")


def test_signatures_and_thumbnails_of_the_original_go(ct, tmp_path, denoised):
    item = pydicom.Dataset()
    item.Rows = 8
    folder = ct(
        slices=1,
        IconImageSequence=[item],
        DigitalSignaturesSequence=[pydicom.Dataset()],
        DerivationDescription="cropped",
    )
    write(denoised(read(folder)), tmp_path / "out")
    (after,) = datasets(tmp_path / "out")
    assert "IconImageSequence" not in after
    assert "DigitalSignaturesSequence" not in after
    assert after.DerivationDescription.startswith("cropped | demottle 0.1.0")


def test_long_settings_are_cut_only_where_the_standard_demands(ct, tmp_path):
    step = ProcessingStep("long", "1", {"text": "x" * 3000})
    image = read(ct(slices=1, SeriesDescription="y" * 64))
    write(image.with_voxels(image.voxels, step), tmp_path / "out")
    (after,) = datasets(tmp_path / "out")
    assert len(after.DerivationDescription) == 1024
    assert len(after.SeriesDescription) <= 64
    assert after.SeriesDescription.endswith("[demottle long]")
    assert read(tmp_path / "out", accept_own_output=True).history[0].settings["text"] == "x" * 3000


def test_sources_of_every_encoding_become_explicit_little_endian(ct, tmp_path, denoised):
    folder = ct(slices=1)
    path = next(folder.iterdir())
    dataset = pydicom.dcmread(path)
    dataset.private_block(0x0029, "SOMEBODY", create=True).add_new(1, "UN", b"1234")
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    dataset.save_as(path, implicit_vr=True, little_endian=True)
    write(denoised(read(folder)), tmp_path / "out")
    (after,) = datasets(tmp_path / "out")
    assert after.private_block(0x0029, "SOMEBODY")[1].value == b"1234"
    assert after.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian


def test_big_endian_sources(ct, tmp_path, denoised):
    folder = ct(slices=1, stored=np.full((24, 20), 1064), SmallestImagePixelValue=7, GantryDetectorTilt="3")
    path = next(folder.iterdir())
    dataset = pydicom.dcmread(path)
    dataset.add_new((0x0029, 0x0010), "LO", "SOMEBODY")
    dataset.add_new((0x0029, 0x1001), "US", [1, 2])
    dataset.PixelData = np.full((24, 20), 1064, ">u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
    for _ in dataset.iterall():
        pass
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    image = read(folder)
    assert (image.voxels == 40).all()
    write(denoised(image, 1), tmp_path / "out")
    (after,) = datasets(tmp_path / "out")
    assert (after.pixel_array == 1065).all()
    assert after.Rows == 24
    assert after[0x0029, 0x1001].value == [1, 2]
    assert after.SmallestImagePixelValue == 1065


def test_compressed_sources_and_their_deflated_kin(ct, tmp_path, denoised):
    folder = ct(rows=64, columns=64)
    plain = read(folder)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.compress(pydicom.uid.JPEG2000Lossless, generate_instance_uid=False)
        dataset.save_as(path)
    write(denoised(read(folder), 2), tmp_path / "out")
    assert np.array_equal(read(tmp_path / "out", accept_own_output=True).voxels, plain.voxels + 2)


def test_a_source_that_has_changed_or_gone_is_an_error(ct, tmp_path, denoised):
    folder = ct()
    image = denoised(read(folder))
    next(folder.iterdir()).unlink()
    with pytest.raises(OutputError, match="gone"):
        write(image, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ct"]


def test_an_image_of_another_shape_cannot_take_over_the_headers(ct, tmp_path):
    image = read(ct())
    with pytest.raises(OutputError, match="shape"):
        write(replace(image, voxels=image.voxels[:3]), tmp_path / "out")


def test_one_slice_can_be_one_file(ct, tmp_path, denoised):
    folder = ct()
    write(denoised(read(folder / "ct-001.dcm")), tmp_path / "one.dcm")
    assert read(tmp_path / "one.dcm", accept_own_output=True).shape == (1, 24, 20)
    with pytest.raises(OutputError, match="need a folder"):
        write(read(folder), tmp_path / "all.dcm")


def test_dciodvfy_and_dcentvfy_find_nothing(ct, tmp_path, denoised, program):
    folder = ct()
    write(denoised(read(folder)), tmp_path / "out")
    paths = sorted((tmp_path / "out").iterdir())
    assert [errors(program, path) for path in sorted(folder.iterdir())] == [set()] * 5
    assert [errors(program, path) for path in paths] == [set()] * 5
    done = subprocess.run([program("dcentvfy"), *map(str, paths)], capture_output=True, text=True, check=False)
    assert "Error" not in done.stdout + done.stderr
    dumped = subprocess.run([program("dcmdump"), str(paths[0])], capture_output=True, text=True, check=True)
    assert "W:" not in dumped.stderr
    assert "E:" not in dumped.stderr
