"""The network of zero-shot Noise2Noise (Mansour and Heckel, CVPR 2023): three layers, some 22,000 parameters."""

import torch
from torch import Tensor, nn


class TinyResidual(nn.Module):
    """Predict one image from several: two 3 x 3 convolutions and one of 1 x 1, leaky in between.

    Shapes: (batch, inputs, rows, columns) to (batch, 1, rows, columns), of any size.

    Args:
        inputs: number of input images.
        channels: channels of the layers in between.
    """

    multiple = 1

    def __init__(self, inputs: int = 1, channels: int = 48) -> None:
        """Build the layers; the last one starts at zero, so that an untrained network predicts nothing."""
        super().__init__()
        self.first = nn.Conv2d(inputs, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.last = nn.Conv2d(channels, 1, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the prediction."""
        h = torch.nn.functional.leaky_relu(self.first(x), 0.2)
        out: Tensor = self.last(torch.nn.functional.leaky_relu(self.second(h), 0.2))
        return out
