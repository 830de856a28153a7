"""Whatever a header field that is read holds, reading gives an image or a sentence, and what can be read can be written."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from tests.io.conftest import ct_slice, save

from demottle.errors import DemottleError
from demottle.io import check_output, read, write
from demottle.io.dicom.scan import _KEYWORDS

WORDS = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "1",
        "abc",
        "nan",
        "inf",
        "1e308",
        "1e-308",
        "-0.0",
        "99999999999999999999",
        "1\\2",
        "\\",
        "HU",
        "US",
    ]
) | st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=40)
BINARY = ("US", "SS", "UL", "SL", "FL", "FD")


@pytest.fixture(scope="module")
def slices() -> list[pydicom.Dataset]:
    return [ct_slice(index) for index in range(3)]


VALUES = {
    "keyword": st.sampled_from([one for one in _KEYWORDS if one != "PixelPaddingRangeLimit"]),
    "word": WORDS,
    "number": st.binary(min_size=0, max_size=16),
    "everywhere": st.booleans(),
}
QUIET = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(**VALUES)
@settings(QUIET, max_examples=50)
def test_any_value_of_a_field_gives_an_image_or_a_sentence(tmp_path_factory, slices, keyword, word, number, everywhere):
    try_value(tmp_path_factory.mktemp("field"), slices, keyword, word, number, everywhere)


@pytest.mark.slow
@given(**VALUES)
@settings(QUIET, max_examples=1500)
def test_very_many_values_of_fields(tmp_path_factory, slices, keyword, word, number, everywhere):
    try_value(tmp_path_factory.mktemp("field"), slices, keyword, word, number, everywhere)


def try_value(
    folder: Path, slices: list[pydicom.Dataset], keyword: str, word: str, number: bytes, everywhere: bool
) -> None:
    vr = dictionary_VR(keyword).split(" or ")[0]
    content = number if vr in BINARY else word.encode()
    content += b"\0" * (len(content) % 2)
    for index, one in enumerate(slices):
        dataset = pydicom.Dataset(one)
        dataset.file_meta = one.file_meta
        path = save(dataset, folder / "in" / f"{index}.dcm")
        if everywhere or index == 1:
            put(path, keyword, vr, content)
    tried(folder)


def put(path: Path, keyword: str, vr: str, content: bytes) -> None:
    """Set an element of a file to bytes that pydicom itself would refuse to set."""
    dataset = pydicom.dcmread(path)
    tag = Tag(keyword)
    dataset[tag] = RawDataElement(tag, vr, len(content), content, 0, False, True)
    dataset.save_as(path, enforce_file_format=False)


def tried(folder: Path) -> None:
    try:
        image = read(folder / "in")
        check_output(image, folder / "out")
        out = write(image.with_voxels(image.voxels + np.float32(1)), folder / "out")
    except DemottleError as error:
        assert str(error) and "\n" not in str(error)
        return
    assert np.isfinite(image.voxels[True if image.valid is None else image.valid]).all()
    assert image.valid is None or image.valid.mean() > 0.5
    assert read(out, accept_own_output=True).shape == image.shape
