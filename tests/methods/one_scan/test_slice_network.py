"""A network fitted on inputs of another form is refused: it would answer, and wrongly."""

import numpy as np
import pytest

from demottle.methods.one_scan.slice_network import INPUTS, SliceNetwork
from demottle.networks.half_resolution_unet import HalfResolutionUNet

SCALE = {"centre": 0.0, "width": 400.0, "level": 40.0, "highest": 150.0}


def test_a_network_of_an_earlier_form_is_refused() -> None:
    with pytest.raises(ValueError, match="another form"):
        SliceNetwork(
            "matched-neighbors", {}, {"scale": SCALE}, HalfResolutionUNet(INPUTS), np.ones((64, 64), np.float32)
        )
