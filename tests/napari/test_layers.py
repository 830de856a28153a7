"""What the plug-in for napari does without napari: its manifest, its layers, and work that can be stopped."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import yaml

from demottle import io
from demottle.errors import InputError
from demottle.image import Image
from demottle.io.formats import FORMATS
from demottle.napari.layers import IMAGE, image_of, layers_of
from demottle.napari.reader import reader_of
from demottle.napari.work import Asked, StoppedError, Work
from demottle.physics.phantoms.phantom import body_phantom, low_dose_scan

MANIFEST = Path(__file__).parents[2] / "src" / "demottle" / "napari" / "napari.yaml"


@pytest.fixture(scope="module")
def scan() -> Image:
    return low_dose_scan(body_phantom(3, 64, (3.0, 5.0, 5.0), seed=1), sigma=20.0, rho=0.1, seed=1)


def test_the_manifest_names_what_is_there_and_all_formats() -> None:
    told = yaml.safe_load(MANIFEST.read_text())["contributions"]
    patterns = set(told["readers"][0]["filename_patterns"])
    assert patterns == {f"*{end}" for row in FORMATS.values() for end in (*row.suffixes, *row.reads_too)}
    module, _, name = told["commands"][0]["python_name"].partition(":")
    assert getattr(import_module(module), name) is reader_of
    assert {one["id"] for one in told["commands"]} == {told["readers"][0]["command"], told["widgets"][0]["command"]}


def test_a_dicom_folder_becomes_a_layer_in_mm_that_goes_back_to_its_image(scan: Image, tmp_path: Path) -> None:
    io.write(scan, tmp_path / "scan", format="dicom")
    read = reader_of(str(tmp_path / "scan"))
    assert read is not None
    ((data, told, kind),) = read(str(tmp_path / "scan"))
    assert kind == "image" and told["name"] == "scan" and told["scale"] == pytest.approx((3.0, 5.0, 5.0))
    assert np.array_equal(data, scan.voxels) and told["contrast_limits"] == (-150.0, 250.0)
    back = image_of(data, told["scale"], told["metadata"])
    assert back is told["metadata"][IMAGE] and back.source is not None
    changed = image_of(data + 1, told["scale"], told["metadata"])
    assert changed.source is back.source and changed.voxels[0, 0, 0] == data[0, 0, 0] + 1


def test_each_volume_of_each_series_is_a_layer(scan: Image, tmp_path: Path) -> None:
    for step, name in enumerate(("a", "b")):
        io.write(scan.with_voxels(scan.voxels + step), tmp_path / "both" / name, format="dicom")
    io.write(scan, tmp_path / "one" / "scan.nii.gz", format="nifti")
    several, one = reader_of([str(tmp_path / "both")]), reader_of(str(tmp_path / "one"))
    assert several is not None and one is not None
    assert len(several([str(tmp_path / "both")])) == 2
    assert [told["name"] for _, told, _ in one(str(tmp_path / "one"))] == ["one"]


def test_what_demottle_does_not_read_is_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    for path in ("notes.txt", "empty", "missing"):
        assert reader_of(str(tmp_path / path)) is None
    assert reader_of([]) is None


def test_a_layer_of_others_needs_three_axes(scan: Image) -> None:
    taken = image_of(scan.voxels, (3.0, 5.0, 5.0), {}, "CT")
    assert (taken.unit, taken.spacing, taken.modality) == ("HU", (3.0, 5.0, 5.0), "CT")
    with pytest.raises(InputError, match="has 2 axes; demottle needs three"):
        image_of(scan.voxels[0], (5.0, 5.0), {}, "CT")


def test_the_result_is_two_layers_and_is_not_denoised_again(scan: Image) -> None:
    result = Work(scan, Asked("nl-bayes")).run()
    (clean, told, _), (removed, shown, _) = layers_of(result, "scan")
    assert np.allclose(clean + removed, scan.voxels, atol=1e-3)
    assert (told["name"], shown["name"], shown["visible"]) == ("scan denoised", "scan removed", False)
    low, high = shown["contrast_limits"]
    assert low == -high and 20 < high < 100  # three times the noise
    with pytest.raises(InputError, match="a result of demottle; choose the scan itself"):
        image_of(clean, told["scale"], told["metadata"])


def test_a_result_that_is_opened_is_shown_but_not_denoised_again(scan: Image, tmp_path: Path) -> None:
    io.write(scan, tmp_path / "scan", format="dicom")
    Work(io.read(tmp_path / "scan"), Asked("nl-bayes")).run().save(tmp_path / "clean")
    read = reader_of(str(tmp_path / "clean"))
    assert read is not None
    ((data, told, _),) = read(str(tmp_path / "clean"))
    assert data.shape == scan.shape
    with pytest.raises(InputError, match="a result of demottle"):
        image_of(data, told["scale"], told["metadata"])


def test_work_that_is_stopped_ends_at_its_next_step(scan: Image) -> None:
    work = Work(scan, Asked("nl-bayes"))
    work.stop()
    with pytest.raises(StoppedError, match="Stopped before its end"):
        work.run()
    later = Work(scan, Asked("nl-bayes"))
    heard = later._heard
    later._heard = lambda event: (heard(event), later.stop())  # type: ignore[assignment,func-returns-value,return-value]
    with pytest.raises(StoppedError, match="Stopped before its end"):
        later.run()
    assert later.words != "Starting"
