"""The autoencoder: shapes, no way around the code, and that it can learn."""

import torch

from demottle.networks.ct_autoencoder import CTAutoencoder


def test_code_and_its_means() -> None:
    with torch.device("meta"):
        network = CTAutoencoder()
    x = torch.rand(1, 1, 32, 48, device="meta")
    assert network(x).shape == x.shape
    code, deep = network.levels(x)
    assert (tuple(code.shape), tuple(deep.shape)) == ((1, 256, 8, 12), (1, 256, 2, 3))


def test_no_detail_gets_around_the_code() -> None:
    network = CTAutoencoder(4)
    first, second = torch.rand(2, 1, 1, 32, 32)
    network.encoder.register_forward_hook(lambda *_: torch.zeros(1, 16, 8, 8))
    assert torch.equal(network(first), network(second))


def test_it_learns_to_give_slices_back() -> None:
    torch.manual_seed(0)
    network = CTAutoencoder(8)
    x = torch.nn.functional.interpolate(torch.rand(4, 1, 4, 4), scale_factor=4, mode="bilinear")
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(200):
        loss = ((network(x) - x) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1 * x.var()
