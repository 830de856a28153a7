"""A training that begins with the weights of a model instead of random ones: fine-tuning.

Only what a model file holds goes on, the network from low to full dose; discriminators and whatever else plays begin anew.
"""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from torch import nn

from demottle.errors import InputError
from demottle.methods.base import Denoiser
from demottle.methods.unpaired.trained_network import TrainedNetwork

Network = TypeVar("Network", bound=nn.Module)
KEY = "began_with"
"""What a model file calls the hash of the model that its training began with."""


class NetworkSettings(Protocol):
    """Settings that say which network they make."""

    @property
    def of_network(self) -> Mapping[str, Any]:
        """The settings that its weights depend on, by name."""


def refuse_other_start(name: str, settings: NetworkSettings, start: Denoiser | None) -> None:
    """Refuse a model whose weights are not those of the network that is trained; None: there is none.

    Raises:
        InputError: for a model of another method, or of other network settings.
    """
    if start is None:
        return
    if start.method != name or not isinstance(start, TrainedNetwork):
        raise InputError(
            f"The model to begin with is of {start.method}, but {name} is trained; begin with a model of {name}."
        )
    theirs = type(settings)(**start.settings).of_network
    ours = settings.of_network
    other = [f"{key}={theirs.get(key)}" for key in ours if theirs.get(key) != ours[key]]
    if other:
        raise InputError(
            f"The model to begin with has other network settings ({', '.join(other)}); train with the same ones, or begin with "
            "another model."
        )


def begun(network: Network, start: Denoiser | None) -> Network:
    """Give a network (with plain weights) those of a model, where there is one; returns it."""
    if isinstance(start, TrainedNetwork):
        network.load_state_dict(start.network.state_dict())
    return network


def begun_with(start: Denoiser | None) -> Mapping[str, str]:
    """What the model file says of it."""
    return {} if start is None else {KEY: start.model_hash}
