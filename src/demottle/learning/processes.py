"""Several processes that train one model: who they are, and how they agree. Started by `torchrun`; alone it is free.

Each process takes an equal share of every batch. Losses are means over the items, so the mean of the processes' gradients
is the gradient of the whole batch, and all of them take the same step.
"""

import atexit
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn

from demottle.errors import InputError


def join(device: torch.device) -> None:
    """Join the processes that torchrun started, for as long as this one lives; does nothing where there is only one."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        # Long, because the others wait while the first one reads the scans.
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=timedelta(hours=24))
        atexit.register(distributed.destroy_process_group)


@contextmanager
def _all_there() -> Iterator[None]:
    """Where another process is gone: say that, instead of what the wire says."""
    try:
        yield
    except RuntimeError as error:
        raise InputError(
            "Another process of this training ended, so this one cannot go on; see what it said."
        ) from error


def rank() -> int:
    """Number of this process; 0 alone speaks and writes."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def count() -> int:
    """Number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def share_of(batch: int) -> range:
    """Items of a batch that fall to this process.

    Raises:
        InputError: where they cannot be shared out evenly.
    """
    if batch % count():
        raise InputError(f"A batch of {batch} cannot be shared evenly by {count()} processes; choose a multiple of it.")
    each = batch // count()
    return range(rank() * each, (rank() + 1) * each)


def wait() -> None:
    """Wait until every process is here."""
    if count() > 1:
        with _all_there():
            distributed.barrier()


def average_gradients(network: nn.Module) -> None:
    """Replace the gradients of all processes by their mean, in one message."""
    if count() < 2:
        return
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    if not gradients:
        return
    flat = torch.cat([g.flatten() for g in gradients])
    with _all_there():
        distributed.all_reduce(flat)
    flat /= count()
    for gradient, mean in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def mean_of(values: Mapping[str, float], device: torch.device) -> dict[str, float]:
    """Average figures over the processes."""
    if count() < 2 or not values:
        return dict(values)
    flat = torch.tensor(list(values.values()), dtype=torch.float64, device=device)
    with _all_there():
        distributed.all_reduce(flat)
    return dict(zip(values, (flat / count()).tolist(), strict=True))


def any_of(answer: bool) -> bool:
    """True in every process where it is True in one."""
    if count() < 2:
        return answer
    everyone: list[Any] = [None] * count()
    with _all_there():
        distributed.all_gather_object(everyone, answer)
    return any(everyone)


def same_for_all(value: Any) -> Any:
    """Return what process 0 has, in every process."""
    if count() < 2:
        return value
    box = [value]
    with _all_there():
        distributed.broadcast_object_list(box, src=0)
    return box[0]


def gathered(tensors: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Return every process's tensors, on the processor, in every process."""
    mine = {name: value.detach().cpu() for name, value in tensors.items()}
    if count() < 2:
        return [mine]
    everyone: list[Any] = [None] * count()
    with _all_there():
        distributed.all_gather_object(everyone, mine)
    return everyone
