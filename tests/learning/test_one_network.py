"""The training loop: learns, repeats, stops."""

import pytest
import torch
from torch import Tensor, nn

from demottle.errors import InputError
from demottle.events import Progress
from demottle.learning.one_network import learn
from demottle.learning.schedule import CosineSchedule
from demottle.learning.seeding import seeded


def line() -> nn.Linear:
    return seeded(lambda: nn.Linear(1, 1), 0)


def fit_line(schedule: CosineSchedule, **more: object) -> tuple[nn.Linear, object]:
    generator = torch.Generator().manual_seed(1)

    def loss(model: nn.Module) -> Tensor:
        x = torch.rand(64, 1, generator=generator)
        return ((model(x) - (3 * x - 1)) ** 2).mean()

    return learn(line(), loss, schedule, **more)  # type: ignore[arg-type]


def test_it_learns_a_line() -> None:
    model, history = fit_line(CosineSchedule(steps=800), rate=0.05, largest_gradient=1.0)
    assert model.weight.item() == pytest.approx(3, abs=0.05)
    assert history.step == 800 and history.ended == "all steps done"


def test_same_seed_same_weights() -> None:
    first, _ = fit_line(CosineSchedule(steps=30))
    second, _ = fit_line(CosineSchedule(steps=30))
    assert torch.equal(first.weight, second.weight)


def test_it_stops_when_it_no_longer_pays() -> None:
    schedule = CosineSchedule(steps=1000, check_every=10, patience=2, cool_down=0.1)
    _, history = fit_line(schedule, criterion=lambda model: 1.0)
    assert history.ended.startswith("stopped early")
    assert history.step == 30 + 100  # three looks, then the cool-down


def test_time_is_kept() -> None:
    _, history = fit_line(CosineSchedule(steps=10_000_000, minutes=0.02))
    assert history.ended == "time used up"
    assert history.seconds < 3


def test_a_listener_that_raises_stops_it() -> None:
    def stop(event: Progress) -> None:
        if event.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_line(CosineSchedule(steps=50), listener=stop)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"steps": 5, "minutes": 0.0}])
def test_impossible_schedules(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=list(wrong)[-1]):
        CosineSchedule(**wrong)  # type: ignore[arg-type]
