"""Projection of a network's features at single places, for metric and contrastive losses.

After CUT (Park et al., ECCV 2020, arXiv 2007.15651) and PDML (arXiv 2207.02377).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class ProjectionHeads(nn.Module):
    """One small network for each layer of features: linear, ReLU, linear, then length 1.

    Args:
        channels: channels of each layer of features.
        width: length of the vectors.
    """

    def __init__(self, channels: tuple[int, ...], width: int = 128) -> None:
        """Build the heads."""
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width)) for inputs in channels
        )

    def forward(self, features: tuple[Tensor, ...], places: tuple[Tensor, ...]) -> list[Tensor]:
        """Return for each layer the vectors (batch, count, width) at the places of its features.

        Args:
            features: (batch, channels, rows, columns) for each layer.
            places: flat indices into rows x columns for each layer, (batch, count) whole numbers.
        """
        return [head_at(head, f, p) for head, f, p in zip(self.heads, features, places, strict=True)]


def head_at(head: nn.Module, features: Tensor, places: Tensor) -> Tensor:
    """Features at some places, through a head, brought to length 1."""
    channels = features.shape[1]
    flat = features.flatten(2)
    chosen = torch.gather(flat, 2, places[:, None].expand(-1, channels, -1)).transpose(1, 2)
    return functional.normalize(head(chosen).float(), dim=-1)
