"""The discriminator: what one verdict sees, its published size, and what is normalized."""

import pytest
import torch

from demottle.errors import InputError
from demottle.networks.patch_gan import PatchGAN


def test_published_number_of_weights() -> None:
    assert sum(p.numel() for p in PatchGAN().parameters()) == 2_762_689  # for one input channel


def test_one_verdict_sees_seventy_pixels() -> None:
    x = torch.rand(1, 1, 128, 128, requires_grad=True)
    verdicts = PatchGAN(4, "none")(x)
    assert verdicts.shape == (1, 1, 14, 14)
    verdicts[0, 0, 7, 7].backward()
    assert x.grad is not None
    seen = torch.nonzero(x.grad[0, 0])
    assert (seen.max(0).values - seen.min(0).values + 1).tolist() == [70, 70]


def test_spectral_norm_bounds_every_convolution() -> None:
    torch.manual_seed(0)
    network = PatchGAN(8, "spectral")
    for _ in range(30):  # the power iteration takes a step with each look
        network(torch.rand(1, 1, 32, 32))
    largest = [torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() for layer in network.layers[::2]]
    assert largest == pytest.approx([1] * 5, abs=0.05)


def test_unknown_norm() -> None:
    with pytest.raises(InputError, match="cannot be built"):
        PatchGAN(8, "batch")
