"""The light causal student: four dilated 3 x 3 convolutions of 32 channels at full resolution, for real time without a GPU."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

DILATIONS = (1, 2, 3, 2)
"""A field of view of 19 x 19 pixels at the price of 11 x 11."""


class LightCausalStudent(nn.Module):
    """Predict one image from several input images of the same size.

    With three inputs and 32 channels 28,929 parameters and as many multiplications for each pixel. What makes it causal is its
    input: the present frame and a memory of those before it, none that comes after.

    Shapes: (batch, inputs, rows, columns) to (batch, 1, rows, columns), any size.

    Args:
        inputs: number of input images.
        channels: channels of every layer but the last.
        dilations: one for each layer but the last.
    """

    multiple = 1

    def __init__(self, inputs: int = 3, channels: int = 32, dilations: tuple[int, ...] = DILATIONS) -> None:
        """Build the layers; the last one starts at zero, so that an untrained network predicts nothing."""
        super().__init__()
        widths = (inputs, *(channels for _ in dilations))
        self.layers = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=d, dilation=d) for (a, b), d in zip(pairwise(widths), dilations, strict=True)
        )
        self.last = nn.Conv2d(channels, 1, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the prediction."""
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), 0.1, inplace=True)
        out: Tensor = self.last(x)
        return out
