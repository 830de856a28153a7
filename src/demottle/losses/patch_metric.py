"""Patch-wise metric loss of PDML (arXiv 2207.02377) and the contrastive loss of CUT (arXiv 2007.15651) in its place.

`k` are vectors of length 1 at some places of the input, `q` those at the same places of the output: (batch, count, width).
"""

import torch
from torch import Tensor
from torch.nn import functional


def patch_metric(q: Tensor, k: Tensor, tau: float = 0.15) -> Tensor:
    """`(1/n) [ -mean_i exp(q_i k_i / tau) + mean_{i != j} exp(k_i k_j / tau) + mean_{i != j} exp(q_i q_j / tau) ]`.

    The same place in input and output shows the same anatomy with other noise: these are pulled together. Other places within the
    input, and within the output, have the same noise but other anatomy: these are pushed apart. Gradients flow through both.
    Mean over the batch; a scalar.
    """
    count = q.shape[1]
    same = torch.exp((q * k).sum(-1) / tau).mean(-1)
    apart = sum(_among(vectors, tau) for vectors in (k, q))
    return ((apart - same) / count).mean()


def patch_nce(q: Tensor, k: Tensor, tau: float = 0.07) -> Tensor:
    """Cross-entropy of finding, for each place of the output, the same place of the input among all of its places.

    `-mean_i log( exp(q_i k_i / tau) / sum_j exp(q_i k_j / tau) )`. Gradients flow through `q` alone. A scalar.
    """
    likeness = torch.bmm(q, k.detach().transpose(1, 2)) / tau
    wanted = torch.arange(q.shape[1], device=q.device).expand(q.shape[0], -1)
    return functional.cross_entropy(likeness.flatten(0, 1), wanted.flatten())


def _among(vectors: Tensor, tau: float) -> Tensor:
    """Mean over pairs of different places of `exp(v_i v_j / tau)`, for each image."""
    count = vectors.shape[1]
    likeness = torch.exp(torch.bmm(vectors, vectors.transpose(1, 2)) / tau)
    diagonal = likeness.diagonal(dim1=1, dim2=2).sum(-1)
    return (likeness.sum((1, 2)) - diagonal) / (count * (count - 1))
