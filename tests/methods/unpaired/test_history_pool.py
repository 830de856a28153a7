"""The pool of earlier pictures: fills, then gives old ones back; the same for any number of processes; survives a kill."""

import numpy as np
import torch
from torch import Tensor

from demottle.methods.unpaired.history_pool import HistoryPool


def pictures(step: int, items: range) -> Tensor:
    return torch.tensor([float(100 * step + item) for item in items])[:, None, None, None].expand(-1, 1, 2, 2)


def random(step: int, items: range) -> list[np.random.Generator]:
    return [np.random.default_rng([step, item]) for item in items]


def played(pool: HistoryPool, steps: range, items: range) -> Tensor:
    return torch.stack([pool.swap(pictures(step, items), random(step, items))[:, 0, 0, 0] for step in steps])


def test_new_ones_at_first_then_half_of_them_old() -> None:
    out = played(HistoryPool(8, 4), range(400), range(4))
    steps = torch.arange(400)[:, None]
    assert torch.equal(out[:2], 100 * steps[:2] + torch.arange(4))  # two for each item
    new = out == 100 * steps + torch.arange(4)
    assert 0.4 < new[2:].float().mean() < 0.6
    assert torch.equal(out % 100, torch.arange(4).expand(400, 4).float())  # an item's own
    age = steps - out // 100
    assert age.min() == 0 and age.max() > 3


def test_no_pool_hands_back_what_comes_in() -> None:
    new = pictures(3, range(4))
    pool = HistoryPool(0, 4)
    assert torch.equal(pool.swap(new, random(3, range(4))), new)
    assert not pool.state()


def test_shared_by_processes_it_gives_the_same() -> None:
    whole = played(HistoryPool(8, 4), range(30), range(4))
    halves = [played(HistoryPool(8, 4), range(30), items) for items in (range(2), range(2, 4))]
    assert torch.equal(whole, torch.cat(halves, dim=1))


def test_it_goes_on_where_it_was() -> None:
    whole = played(HistoryPool(8, 4), range(30), range(4))
    first = HistoryPool(8, 4)
    played(first, range(12), range(4))
    second = HistoryPool(8, 4)
    second.set_state({name: value.clone() for name, value in first.state().items()})
    assert torch.equal(played(second, range(12, 30), range(4)), whole[12:])
