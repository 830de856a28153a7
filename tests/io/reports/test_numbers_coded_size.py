"""Compressed pixels that were coded with another size than the header states: decoders cut them and say nothing."""

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from demottle.errors import InputError
from demottle.io import read

SYNTAXES = (JPEGLSLossless, JPEG2000Lossless, RLELossless)


def _compressed(folder, syntax, **stated):
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.compress(syntax, generate_instance_uid=False)
        for keyword, value in stated.items():
            setattr(dataset, keyword, value)
        dataset.save_as(path)
    return folder


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("stated", [{"Columns": 76}, {"Rows": 92}])
def test_fewer_rows_or_columns_than_are_coded_are_refused(ct, syntax, stated):
    """Seen in this project: four columns fewer in the header were read as rows that run into each other."""
    folder = _compressed(
        ct(stored=np.random.default_rng(5).integers(900, 1200, (96, 80)), Rows=96, Columns=80), syntax, **stated
    )
    with pytest.raises(InputError, match=r"states \d+ x \d+ pixels, but .* are coded; repair the header"):
        read(folder)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("shape", [(96, 80), (95, 81)])
def test_the_size_that_is_coded_is_read(ct, syntax, shape):
    stored = np.random.default_rng(6).integers(900, 1200, shape)
    stored[:, : shape[1] // 2] = 1000  # runs for RLE
    plain = read(ct("plain", stored=stored, Rows=shape[0], Columns=shape[1]))
    coded = read(_compressed(ct("coded", stored=stored, Rows=shape[0], Columns=shape[1]), syntax))
    assert np.array_equal(plain.voxels, coded.voxels)
