"""A network fitted on inputs of another form is refused: it would answer, and wrongly."""

import numpy as np
import pytest
import torch

from demottle.image import Image
from demottle.methods.one_scan.slice_network import INPUT_FORM, INPUTS, SliceNetwork
from demottle.networks.half_resolution_unet import HalfResolutionUNet

SCALE = {"centre": 0.0, "width": 400.0, "level": 40.0, "highest": 150.0}


def test_a_network_of_an_earlier_form_is_refused() -> None:
    with pytest.raises(ValueError, match="another form"):
        SliceNetwork(
            "matched-neighbors", {}, {"scale": SCALE}, HalfResolutionUNet(INPUTS), np.ones((64, 64), np.float32)
        )


def test_air_around_the_body_is_left_and_changes_nothing_inside() -> None:
    random = np.random.default_rng(4)
    rows, columns = np.mgrid[-80:80, -80:80]
    inside = np.hypot(rows, columns) < 40
    noise = 30 * random.standard_normal((5, 160, 160))
    near = np.where(inside, 40 + noise, -1000).astype(np.float32)
    far = np.full((5, 288, 320), -1000, np.float32)
    far[:, 64:224, 96:256] = near
    torch.manual_seed(1)
    network = HalfResolutionUNet(INPUTS, (8, 16))
    torch.nn.init.normal_(network.last.weight, std=0.1)
    fitted = {"scale": SCALE, "input_form": INPUT_FORM}
    denoise = SliceNetwork("matched-neighbors", {}, fitted, network, np.ones((64, 64), np.float32))

    alone, amid_air = (denoise(Image(voxels, (3.0, 1.0, 1.0), "CT", "HU")).voxels for voxels in (near, far))

    changed = alone - near
    assert changed[:, inside].std() > 10
    assert (amid_air[:, 64:224, 96:256] - alone)[:, inside].std() < 0.1
    assert (np.delete(amid_air, np.s_[64:224], axis=1) == -1000).all()
