"""Single-frame Noise2Void (Krull 2019), as a rival: a blind-spot network that learns from the noisy frames alone."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.events import Listener, silent
from demottle.image import Image
from demottle.learning.data.patches import cut_patches, patch_places
from demottle.learning.device import best_device, has_fast_bfloat16
from demottle.learning.one_network import learn
from demottle.learning.schedule import CosineSchedule
from demottle.learning.seeding import seeded
from demottle.networks.single_frame_unet import SingleFrameUNet

SHARE = 0.015  # of the pixels hidden in a patch
REACH = 2  # a hidden pixel takes the value of one this near


def noise2void(
    images: list[Image], steps: int, seed: int = 0, patch: int = 96, batch: int = 8, listener: Listener = silent
) -> Callable[[Image], Image]:
    """Train on all frames of all runs; returns what denoises a run, frame by frame."""
    frames = np.concatenate([image.voxels for image in images])
    mean, width = float(frames.mean()), float(frames.std())
    frames = (frames - mean) / width
    places = patch_places(np.ones(frames.shape, np.bool_), patch)
    random = np.random.default_rng(seed)
    device, half = best_device(), has_fast_bfloat16()
    network = seeded(lambda: SingleFrameUNet(1, (24, 48, 96)), seed).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss(asked: nn.Module) -> Tensor:
        x = cut_patches(frames, places.draw(batch, random), patch)
        hidden = torch.from_numpy(random.random(x.shape) < SHARE)
        other = torch.from_numpy(random.integers(-REACH, REACH + 1, (2, *x.shape)))
        other[0][(other[0] == 0) & (other[1] == 0)] = 1  # never itself
        rows, columns = (torch.arange(patch).view(shape) for shape in ((1, 1, -1, 1), (1, 1, 1, -1)))
        near = x.flatten(2).gather(
            2, ((rows + other[0]).clamp(0, patch - 1) * patch + (columns + other[1]).clamp(0, patch - 1)).flatten(2)
        )
        seen, x, hidden = (tensor.to(device) for tensor in (torch.where(hidden, near.view_as(x), x), x, hidden))
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            answer = asked(seen).float()
        out: Tensor = functional.mse_loss(answer[hidden], x[hidden])
        return out

    learned, _ = learn(network, loss, CosineSchedule(steps), listener=listener)

    def apply(image: Image) -> Image:
        out = np.empty(image.shape, np.float32)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
            for index, frame in enumerate(image.voxels):
                x = torch.from_numpy((frame - mean) / width)[None, None].to(device)
                out[index] = _padded(learned, x)[0, 0].float().cpu().numpy() * width + mean
        return image.with_voxels(out)

    return apply


def _padded(network: nn.Module, x: Tensor) -> Tensor:
    """Sides have to be divisible by 8."""
    rows, columns = x.shape[-2:]
    padded = functional.pad(x, (0, -columns % 8, 0, -rows % 8), mode="replicate")
    out: Tensor = network(padded)[..., :rows, :columns]
    return out
