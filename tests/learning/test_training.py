"""The loop for several players: it learns, repeats, goes on after a kill, ends when it no longer pays."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from demottle.errors import InputError, UnsuitableError
from demottle.events import Progress
from demottle.learning.observing import Report
from demottle.learning.players import Game, Player, Share
from demottle.learning.schedule import LinearSchedule
from demottle.learning.seeding import seeded
from demottle.learning.training import Trained, train


@dataclass
class Numbers:
    x: Tensor
    guess: Tensor | None = None


def judge() -> nn.Module:
    return nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(1, 4)), nn.Tanh(), nn.Linear(4, 1))


class LineAndJudge(Game[Numbers]):
    """One player fits 3x - 1, the other how wrong the first is; the second needs what the first made."""

    batch = 8

    def __init__(self, found_at: Mapping[int, float] | None = None, rate: float = 0.05) -> None:
        self.players = {
            "line": Player(seeded(lambda: nn.Linear(1, 1), 0), rate, averaged=True, largest_gradient=10.0),
            "judge": Player(seeded(judge, 1), rate),
        }
        self.seen = torch.zeros(1)
        self.looks = iter((found_at or {}).values())

    def draw(self, share: Share) -> Numbers:
        self.seen = self.seen + 1
        numbers = [random.uniform(-1, 1) for random in share.random()]
        return Numbers(torch.tensor(numbers, dtype=torch.float32)[:, None])

    def losses(self, player: str, batch: Numbers) -> Mapping[str, Tensor]:
        if player == "line":
            batch.guess = self.players["line"].network(batch.x)
            noise = 0.01 * torch.randn(1).item()
            return {"fit": ((batch.guess - 3 * batch.x + 1 + noise) ** 2).mean()}
        assert batch.guess is not None
        error = (batch.guess.detach() - 3 * batch.x + 1).abs()
        return {"judge": ((self.players["judge"].network(batch.x) - error) ** 2).mean()}

    def validation(self, networks: Mapping[str, nn.Module]) -> float | None:
        return next(self.looks, None)

    def state(self) -> Mapping[str, Tensor]:
        return {"seen": self.seen}

    def set_state(self, state: Mapping[str, Tensor]) -> None:
        self.seen = state["seen"]


def weights(trained: Trained) -> list[Tensor]:
    return [value for network in trained.networks.values() for value in network.state_dict().values()]


def same(one: Trained, other: Trained) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


class Killed(Exception):  # noqa: N818
    pass


def kill_at(step: int):  # type: ignore[no-untyped-def]
    def listen(event: Progress) -> None:
        if event.done == step:
            raise Killed

    return listen


def test_it_learns_a_line_and_says_so() -> None:
    told: list[Report] = []
    trained = train(LineAndJudge(), LinearSchedule(400, averaging=0.9), observers=[told.append])
    line = trained.networks["line"]
    assert line.weight.item() == pytest.approx(3, abs=0.1)
    assert trained.history.ended == "all steps done" and trained.history.step == 400
    assert told[-1].step == told[-1].steps == 400 and told[-1].seconds_left == 0
    assert told[-1].losses["line/fit"] < 0.1 * told[0].losses["line/fit"]
    assert set(told[0].losses) == {"line/fit", "judge/judge"}
    assert told[0].rate == 1 and told[30].rate == pytest.approx(1 - (310 - 200) / 200)


def test_a_kill_changes_no_bit(tmp_path: Path) -> None:
    course = LinearSchedule(20, save_every=5)
    whole = train(LineAndJudge(), course, seed=3)
    saved = tmp_path / "checkpoint.safetensors"
    with pytest.raises(Killed):  # after step 17: the last checkpoint is of step 15, between two reports
        train(LineAndJudge(), course, seed=3, saved=saved, listener=kill_at(17))
    game = LineAndJudge()
    resumed = train(game, course, seed=3, saved=saved)
    assert same(whole, resumed)
    assert game.seen.item() == 20
    assert whole.history.summary() == resumed.history.summary()


def test_a_finished_training_is_not_trained_again(tmp_path: Path) -> None:
    saved = tmp_path / "checkpoint.safetensors"
    first = train(LineAndJudge(), LinearSchedule(6), saved=saved)
    second = train(LineAndJudge(), LinearSchedule(6), saved=saved, listener=kill_at(6))
    assert same(first, second)


def test_other_seeds_and_other_trainings_are_told_apart(tmp_path: Path) -> None:
    saved = tmp_path / "checkpoint.safetensors"
    first = train(LineAndJudge(), LinearSchedule(6), saved=saved, key="liver")
    assert not same(first, train(LineAndJudge(), LinearSchedule(6), seed=1))
    for seed, key in ((1, "liver"), (0, "head")):
        with pytest.raises(InputError, match="belongs to another training"):
            train(LineAndJudge(), LinearSchedule(6), seed=seed, saved=saved, key=key)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\xff" * 64])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    saved = tmp_path / "checkpoint.safetensors"
    saved.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        train(LineAndJudge(), LinearSchedule(6), saved=saved)


def test_it_ends_when_the_criterion_no_longer_falls_and_hands_back_the_best(tmp_path: Path) -> None:
    looks = {10: 3.0, 20: 1.0, 30: 2.0, 40: 2.0}
    course = LinearSchedule(1000, check_every=10, patience=2, averaging=0)
    stopped = train(LineAndJudge(looks), course)
    assert (stopped.history.step, stopped.history.best_step) == (40, 20)
    assert stopped.history.ended.startswith("stopped early")
    assert "step 20" in stopped.history.summary()["weights"]
    saved = tmp_path / "checkpoint.safetensors"
    with pytest.raises(Killed):
        course = LinearSchedule(1000, check_every=10, patience=2, averaging=0, save_every=25)
        train(LineAndJudge(looks), course, saved=saved, listener=kill_at(29))
    resumed = train(LineAndJudge({30: 2.0, 40: 2.0}), course, saved=saved)
    assert same(stopped, resumed)


def test_a_limit_in_minutes_ends_it_with_the_rate_at_zero() -> None:
    told: list[Report] = []
    trained = train(LineAndJudge(), LinearSchedule(10**9, minutes=0.01), observers=[told.append])
    assert trained.history.ended == "time used up"
    assert told[-1].rate == 0 and told[-1].steps == trained.history.step


def test_training_that_diverges_is_one_sentence() -> None:
    class Broken(LineAndJudge):
        def losses(self, player: str, batch: Numbers) -> Mapping[str, Tensor]:
            return {name: loss / 0 for name, loss in super().losses(player, batch).items()}

    with pytest.raises(UnsuitableError, match="diverged"):
        train(Broken(), LinearSchedule(20))


@pytest.mark.parametrize("bad", [{"steps": 0}, {"steps": 5, "minutes": 0}])
def test_courses_that_cannot_run_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match=list(bad)[-1]):
        LinearSchedule(**bad)  # type: ignore[arg-type]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    alone = train(LineAndJudge(rate=0.01), LinearSchedule(20), seed=3)
    module = Path(__file__)
    code = (
        f"import sys, torch; sys.path.insert(0, {str(module.parent)!r}); torch.set_num_threads(1)\n"
        f"from {module.stem} import *\n"
        "trained = train(LineAndJudge(rate=0.01), LinearSchedule(20, save_every=10), seed=3, "
        f"saved=Path({str(tmp_path / 'checkpoint.safetensors')!r}))\n"
        f"torch.save(weights(trained), {str(tmp_path)!r} + '/' + os.environ['RANK'])\n"
    )
    common = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    running = [subprocess.Popen([sys.executable, "-c", code], env={**common, "RANK": str(rank)}) for rank in range(2)]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    for rank in range(2):
        for mine, theirs in zip(weights(alone), torch.load(tmp_path / str(rank), weights_only=True), strict=True):
            assert theirs == pytest.approx(mine, abs=1e-5)


def test_a_player_can_have_an_optimizer_of_its_own_and_a_hook_after_its_move() -> None:
    class Bounded(LineAndJudge):
        def __init__(self) -> None:
            super().__init__(rate=0.5)
            self.moves = 0
            first, player = next(iter(self.players.items()))
            self.players = {**self.players, first: replace(player, optimizer=sgd, after=self.bound)}

        def bound(self, network: nn.Module) -> None:
            self.moves += 1
            for weights in network.parameters():
                weights.clamp_(-0.1, 0.1)

    made: list[torch.optim.Optimizer] = []

    def sgd(parameters: object, rate: float, betas: tuple[float, float]) -> torch.optim.Optimizer:
        made.append(torch.optim.SGD(parameters, rate))  # type: ignore[arg-type]
        return made[-1]

    game = Bounded()
    train(game, LinearSchedule(12, averaging=0))
    bounded = next(iter(game.players.values())).network
    assert len(made) == 1 and game.moves == 12
    assert all(float(weights.abs().max()) < 0.101 for weights in bounded.parameters())
