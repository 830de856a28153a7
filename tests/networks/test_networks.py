"""Shapes, beginnings, and what the Wiener filter keeps."""

import numpy as np
import pytest
import torch

from demottle.errors import InputError
from demottle.networks.half_resolution_unet import HalfResolutionUNet
from demottle.networks.windowed_wiener import WindowedWiener


def test_unet_keeps_the_shape_and_starts_with_nothing() -> None:
    network = HalfResolutionUNet(4)
    out = network(torch.rand(2, 4, 40, 64))
    assert out.shape == (2, 1, 40, 64)
    assert not out.any()


@pytest.mark.parametrize("shape", [(64, 64), (37, 51), (20, 18)])
def test_wiener_of_a_constant_is_the_constant(shape: tuple[int, int]) -> None:
    image = torch.full((1, 1, *shape), -700.0)
    out = WindowedWiener(np.ones((64, 64)))(image, torch.full_like(image, 30))
    assert out.shape == image.shape
    assert out == pytest.approx(image, abs=0.01)


def test_wiener_without_noise_changes_nothing() -> None:
    image = 100 * torch.rand(1, 1, 64, 64)
    out = WindowedWiener(np.ones((64, 64)), overlap=4)(image, torch.zeros_like(image))
    assert torch.allclose(out, image, atol=0.01)


def test_wiener_removes_white_noise_and_keeps_an_edge() -> None:
    truth = torch.zeros(1, 1, 128, 128)
    truth[..., 64:] = 300
    noisy = truth + 20 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    out = WindowedWiener(np.ones((64, 64)), overlap=4)(noisy, torch.full_like(noisy, 20))
    assert (out - truth)[..., :40].std() < 5
    assert out[..., 66:70].mean() - out[..., 58:62].mean() > 270


def test_impossible_window() -> None:
    with pytest.raises(InputError, match="window of 9"):
        WindowedWiener(np.ones((64, 64)), window=9)
