"""Checkpoints: safetensors with a JSON header, like model files. Reading one executes nothing."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from demottle.errors import InputError
from demottle.io.output import staged

_KEY = "demottle-checkpoint"


def write(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write a checkpoint; the one before it is replaced only when this one is complete.

    Raises:
        OutputError: where it cannot be written.
    """
    # A copy of each, because tensors that share memory cannot be saved.
    data = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    with staged(path, overwrite=True) as temporary:
        save_file(data, temporary, metadata={_KEY: json.dumps(dict(header))})


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint: its tensors and its header.

    Raises:
        InputError: where it is damaged or something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            header = json.loads(text) if text else None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, ValueError, OSError) as error:
        raise InputError(f"The checkpoint {path} is damaged; remove it and train from the start.") from error
    if not isinstance(header, dict):
        raise InputError(f"{path} is not a checkpoint of demottle; remove it or choose another place.")
    return tensors, header


def below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with `prefix`, by the rest of their names."""
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


def optimizer_state(optimizer: Optimizer) -> dict[str, Tensor]:
    """Return what an optimizer remembers of each parameter, as "number.kind"."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{kind}": value for index, values in state.items() for kind, value in values.items()}


def restore_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Take back what `optimizer_state` gave.

    Raises:
        ValueError: for names that are none of its own.
    """
    state: dict[int, dict[str, Tensor]] = {}
    for label, value in tensors.items():
        index, kind = label.split(".")
        state.setdefault(int(index), {})[kind] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
