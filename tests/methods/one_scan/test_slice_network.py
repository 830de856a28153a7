"""A network fitted on inputs of another form is refused: it would answer, and wrongly."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from demottle.image import Image, Voxels
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


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_single_slice_comes_out_turned_as_it_went_in(mirrored: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = (40 + 30 * np.random.default_rng(6).standard_normal((1, 48, 64))).astype(np.float32)
    torch.manual_seed(1)
    network = HalfResolutionUNet(INPUTS, (8, 16))
    torch.nn.init.normal_(network.last.weight, std=0.1)
    fitted = {"scale": SCALE, "input_form": INPUT_FORM}
    denoise = SliceNetwork("matched-neighbors", {}, fitted, network, np.ones((64, 64), np.float32))
    monkeypatch.setattr(denoise._whole, "filtered", lambda image, _: functional.avg_pool2d(image, 3, 1, 1))
    even = np.full(noisy.shape[1:], 30, np.float32)

    def turn(a: Voxels) -> Voxels:
        turned = np.rot90(a, axes=(-2, -1))
        return np.ascontiguousarray(turned[..., ::-1] if mirrored else turned)

    one, other = denoise.turned(noisy, even), denoise.turned(turn(noisy), turn(even))

    assert (denoise.plane(noisy, even) - one).std() > 1, "all turns give the same, so nothing is shown"
    np.testing.assert_allclose(other, turn(one), atol=0.3)  # half precision where the machine has it


def test_only_few_slices_take_the_time_of_all_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = {"scale": SCALE, "input_form": INPUT_FORM}
    network = HalfResolutionUNet(INPUTS, (8, 16))
    denoise = SliceNetwork("matched-neighbors", {}, fitted, network, np.ones((64, 64), np.float32))
    turned = []
    monkeypatch.setattr(denoise, "turned", lambda stack, deviation: turned.append(1) or stack[0])
    noisy = (40 + 30 * np.random.default_rng(6).standard_normal((5, 64, 64))).astype(np.float32)
    for count in (1, 4, 5):
        denoise(Image(noisy[:count], (3.0, 1.0, 1.0), "CT", "HU"))
    assert len(turned) == 1 + 4
