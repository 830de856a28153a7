"""The perceptual loss: a frozen extractor passes gradients, noise is seen where it should be, shares are what they say."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from demottle.errors import InputError
from demottle.losses.perceptual import frozen, same_anatomy, same_content, weight_for_share
from demottle.networks.ct_autoencoder import CTAutoencoder


@pytest.fixture
def extractor() -> CTAutoencoder:
    torch.manual_seed(0)
    return frozen(CTAutoencoder(4))


@pytest.mark.parametrize("distance", [same_content, same_anatomy])
def test_a_frozen_extractor_passes_gradients_to_its_input_but_keeps_its_weights(
    distance: Callable[..., Tensor], extractor: CTAutoencoder
) -> None:
    x = torch.rand(2, 1, 32, 32, requires_grad=True)
    distance(extractor, x, torch.rand(2, 1, 32, 32)).backward()
    assert x.grad is not None and x.grad.abs().max() > 0
    assert all(p.grad is None for p in extractor.parameters())


def test_equal_slices_have_no_distance_and_no_gradient_that_is_not_finite(extractor: CTAutoencoder) -> None:
    x = torch.zeros(1, 1, 32, 32, requires_grad=True)  # the same everywhere: the deviation's root is at its steepest
    distance = same_content(extractor, x, torch.zeros(1, 1, 32, 32))
    assert distance.item() == 0
    (distance + same_content(extractor, x, torch.rand(1, 1, 32, 32))).backward()
    assert x.grad is not None and torch.isfinite(x.grad).all()


def test_noise_counts_less_for_the_anatomy_than_for_the_content(extractor: CTAutoencoder) -> None:
    torch.manual_seed(1)
    x = torch.rand(1, 1, 4, 4).repeat_interleave(16, -1).repeat_interleave(16, -2)
    noisy, other = x + 0.1 * torch.randn_like(x), x.flip(-1)
    content = same_content(extractor, x, noisy) / same_content(extractor, x, other)
    anatomy = same_anatomy(extractor, x, noisy) / same_anatomy(extractor, x, other)
    assert anatomy < 0.5 * content


def test_local_statistics_see_texture_that_is_gone(extractor: CTAutoencoder) -> None:
    torch.manual_seed(1)
    noise = torch.randn(1, 1, 64, 64)
    x = 0.5 + 0.1 * noise
    other_noise, flat = 0.5 + 0.1 * torch.randn_like(noise), torch.full_like(x, 0.5)
    points = [same_content(extractor, x, y, window=0) for y in (other_noise, flat)]
    whole = [same_content(extractor, x, y) for y in (other_noise, flat)]
    assert whole[1] / whole[0] > 1.3 * points[1] / points[0]


@pytest.mark.parametrize("share", [0, 0.5, 0.8, 0.95])
def test_the_share_is_what_it_says(share: float) -> None:
    weight = weight_for_share(share, content=3.0, perceptual=0.02)
    assert weight * 0.02 / (weight * 0.02 + 3.0) == pytest.approx(share)


def test_shares_that_cannot_be() -> None:
    with pytest.raises(InputError, match="below 1"):
        weight_for_share(1.0, 1, 1)
    with pytest.raises(InputError, match="cannot be given a share"):
        weight_for_share(0.5, 1, 0)
