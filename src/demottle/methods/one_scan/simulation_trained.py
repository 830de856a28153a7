"""The network that comes with demottle, as it is: trained on simulations, told the noise measured on the scan.

It is where `matched-neighbors` begins. Nothing is learned from the scan, so it takes a third of the time and works on a single
slice; what it knows of tissue, edges and noise is what `tools/start_network.py` showed it, and no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from demottle.errors import UnsuitableError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods.base import Budget, Tensors
from demottle.methods.one_scan.slice_network import INPUTS, SliceNetwork, load_weights, scale_of, summary
from demottle.networks.half_resolution_unet import HalfResolutionUNet
from demottle.networks.start_network import fill_from_start
from demottle.noise.fingerprint import Fingerprint

NAME = "simulation-trained"


@dataclass(frozen=True)
class Settings:
    """There is nothing to set."""


def fit(
    image: Image,
    settings: Settings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> SliceNetwork:
    """Take level and spectrum of the noise from the fingerprint.

    Raises:
        UnsuitableError: where they could not be measured.
    """
    if fingerprint.spectrum is None or not fingerprint.noise_level > 0:
        raise UnsuitableError(f"{NAME} needs a measurable noise level and spectrum, which this image does not offer.")
    network = HalfResolutionUNet(INPUTS)
    fill_from_start(network)
    fitted = summary(image, fingerprint, scale_of(image, fingerprint))
    return SliceNetwork(NAME, {}, fitted, network, fingerprint.spectrum.density_2d.astype(np.float32))


def restore(settings: Settings, fitted: Mapping[str, Any], tensors: Tensors) -> SliceNetwork:
    """Rebuild a saved network."""
    return SliceNetwork(NAME, {}, fitted, load_weights(HalfResolutionUNet(INPUTS), tensors), tensors["noise.spectrum"])
