"""Features for the perceptual loss: learned on the spot, frozen, repeatable."""

import torch
from torch import Tensor

from demottle.events import Progress
from demottle.learning.players import Share
from demottle.learning.schedule import LinearSchedule
from demottle.methods.unpaired.ct_features import learned_features


def patches(share: Share) -> Tensor:
    drawn = [torch.full((1, 16, 16), random.random()) for random in share.random()]
    return torch.stack(drawn)


def test_learned_frozen_and_repeatable() -> None:
    told: list[Progress] = []
    first = learned_features(patches, 2, 2, LinearSchedule(3), seed=1, listener=told.append)
    assert [(event.stage, event.done) for event in told] == [("features", 1), ("features", 2), ("features", 3)]
    assert not any(p.requires_grad for p in first.parameters())
    again, other = (learned_features(patches, 2, 2, LinearSchedule(3), seed=seed) for seed in (1, 2))
    states = [torch.cat([v.flatten() for v in net.state_dict().values()]) for net in (first, again, other)]
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])
