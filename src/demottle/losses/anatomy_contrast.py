"""Contrast at the level of patches and of pixels, on the anatomy of a reference (ASCON, arXiv 2307.12225).

`q` comes from a result and `k` from the reference, at the same places. Features are (batch, channels, rows, columns), places flat
indices into rows x columns, (batch, count).
"""

import torch
from torch import Tensor
from torch.nn import functional


def at_places(features: Tensor, places: Tensor) -> Tensor:
    """Return the features at some places: places (batch, ...) to (batch, ..., channels)."""
    flat = features.flatten(2)
    chosen = torch.gather(flat, 2, places.flatten(1)[:, None].expand(-1, flat.shape[1], -1))
    return chosen.transpose(1, 2).reshape(*places.shape, flat.shape[1])


def most_alike(features: Tensor, places: Tensor, side: int) -> Tensor:
    """Return of the places around each one the half that is most alike it by cosine, (batch, count, (side^2 - 1) / 2).

    Around: a window of `side` x `side` without its middle; beyond the border the nearest place stands in.
    """
    rows, columns = features.shape[-2:]
    reach = torch.arange(side, device=places.device) - side // 2
    down, right = (part.flatten() for part in torch.meshgrid(reach, reach, indexing="ij"))
    others = (down != 0) | (right != 0)
    row = (places[..., None] // columns + down[others]).clamp(0, rows - 1)
    column = (places[..., None] % columns + right[others]).clamp(0, columns - 1)
    around = row * columns + column
    unit = functional.normalize(features.float(), dim=1)
    likeness = (at_places(unit, places)[..., None, :] * at_places(unit, around)).sum(-1)
    return torch.gather(around, -1, likeness.topk(around.shape[-1] // 2, dim=-1).indices)


def averaged_around(features: Tensor, places: Tensor, alike: Tensor) -> Tensor:
    """Mean of the features at each place and at those that are alike it, (batch, count, channels)."""
    return at_places(features, torch.cat([places[..., None], alike], dim=-1)).mean(-2)


def patch_level(q: Tensor, k: Tensor) -> Tensor:
    """`mean (2 - 2 cos(q, k))` over vectors (batch, count, length); no negatives. Gradients flow through `q` alone. A scalar."""
    return (2 - 2 * functional.cosine_similarity(q.float(), k.detach().float(), dim=-1)).mean()


def pixel_level(q: Tensor, k: Tensor, negatives: Tensor, tau: float = 1.0) -> Tensor:
    """`mean -log( e^(q k / tau) / (e^(q k / tau) + sum_j e^(q k_j / tau)) )`.

    The same place of the reference is to be told from its own neighbors that are most alike it. Gradients flow through `q` alone.

    Args:
        q, k: (batch, count, length); brought to length 1.
        negatives: vectors k_j of the reference (batch, count, neighbors, length); brought to length 1.
        tau: temperature; 1 in the authors' program.
    """
    q = functional.normalize(q.float(), dim=-1)
    keys = functional.normalize(torch.cat([k[..., None, :], negatives], dim=-2).detach().float(), dim=-1)
    likeness = (q[..., None, :] * keys).sum(-1) / tau
    return -functional.log_softmax(likeness, dim=-1)[..., 0].mean()
