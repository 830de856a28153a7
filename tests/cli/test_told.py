"""What reading warned of, as the terminal tells it: nothing is said twice."""

import numpy as np
import SimpleITK

from demottle.cli.screen.options import told_of
from demottle.image import Image
from demottle.io import read


def test_an_unknown_modality_and_the_option_for_it_are_one_sentence(tmp_path):
    values = np.random.default_rng(0).normal(500, 20, (4, 16, 16)).astype(np.float32)
    for name in ("scan.nii.gz", "scan.mha"):
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(tmp_path / name))
        (told,) = [said for said in told_of(read(tmp_path / name)) if "CT or MR" in said]
        assert "no particular unit" in told and told.endswith("use --modality CT, otherwise --modality MR.")
    assert told_of(read(tmp_path / "scan.mha", modality="MR")) == ()
    assert [said.split(":")[0] for said in told_of(Image(values, (1, 1, 1), "OT"))] == [
        "Nothing says whether this is CT or MR"
    ]
