"""Edge-preserving loss of UDCA (arXiv 2411.00830, and the authors' partial release): high bands of a Haar transform."""

import torch
from torch import Tensor
from torch.nn import functional


def haar_bands(image: Tensor) -> Tensor:
    """Compute the three high bands of a one-level undecimated Haar transform.

    With p, q / r, s the 2 x 2 pixels whose upper left is the pixel itself: across `(p - q + r - s) / 2`, down
    `(p + q - r - s) / 2`, diagonal `(p - q - r + s) / 2`. White noise of deviation 1 has deviation 1 in every band.

    Args:
        image: (batch, 1, rows, columns).

    Returns:
        (batch, 3, rows, columns): across, down, diagonal; the last row and column repeat their neighbors.
    """
    padded = functional.pad(image, (0, 1, 0, 1), mode="replicate")
    p, q = padded[..., :-1, :-1], padded[..., :-1, 1:]
    r, s = padded[..., 1:, :-1], padded[..., 1:, 1:]
    return torch.cat([p - q + r - s, p + q - r - s, p - q - r + s], dim=1) / 2


def edge_preserving(output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """`mean |w H(output) - w H(target)|`, H the high bands: edges come out as steep as in the target.

    Args:
        output, target: (batch, 1, rows, columns).
        weight: same shape; 0 where the target's edges are not to be trusted.
    """
    return (weight * (haar_bands(output) - haar_bands(target))).abs().mean()
