"""The training loop, for one network or several players; a method says what they are (`learning.players`), the rest is here.

Learning rate and end follow a schedule (`learning.schedule`). A criterion that needs no pairs may end the training early. A
checkpoint is written now and then, where asked; a killed run goes on from it exactly.
"""

import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from demottle.errors import InputError, UnsuitableError
from demottle.events import Listener, Progress, silent
from demottle.learning import checkpoint, processes
from demottle.learning.device import best_device
from demottle.learning.history import STOPPED_EARLY, History
from demottle.learning.observing import Observer, Report
from demottle.learning.players import Game, Player, Share
from demottle.learning.schedule import Schedule


@dataclass(frozen=True)
class Trained:
    """What comes of a training: the players' networks, averaged where asked, in evaluation mode, and the history."""

    networks: Mapping[str, nn.Module]
    history: History


def train(
    game: Game[Any],
    schedule: Schedule,
    *,
    seed: int = 0,
    device: torch.device | None = None,
    saved: Path | None = None,
    key: str = "",
    listener: Listener = silent,
    observers: Sequence[Observer] = (),
    stop: Callable[[], bool] | None = None,
) -> Trained:
    """Play a game to its end.

    Args:
        game: players, batches, losses; its networks are trained in place.
        schedule: how long and how.
        seed: the same seed gives the same bits on a processor, however often the training was interrupted.
        device: where to compute; None: a GPU where there is one.
        saved: file of the checkpoint; where it exists the training goes on from it. None: no checkpoints.
        key: what a checkpoint must have been written for (method, settings, data).
        listener: told after every step; may raise to stop, the last checkpoint stays.
        observers: told now and then, in process 0 alone.
        stop: asked after every step; where any process answers True, all of them write a checkpoint and stop.

    Raises:
        KeyboardInterrupt: where `stop` said so.
        InputError: for a checkpoint of something else, or a batch that cannot be shared by the processes.
        UnsuitableError: where a loss is no longer finite.
    """
    device = device or best_device()
    processes.join(device)
    with torch.random.fork_rng(enabled=game.reseeded):
        training = _Training(game, schedule, seed, device)
        if saved is not None and saved.exists():
            training.go_on_from(saved, key)
        while not training.over():
            training.step()
            validation = training.examine()
            show = schedule.show_every > 0 and training.due(schedule.show_every)
            save = saved is not None and training.due(schedule.save_every)
            if schedule.report_every and (show or validation is not None or training.due(schedule.report_every)):
                training.report(validation, show, observers)
            if save and saved is not None:
                training.save(saved, key)
            listener(Progress(game.stage, training.history.step, training.expected_steps(), training.note))
            if stop is not None and processes.any_of(stop()):
                if saved is not None and not save:
                    training.save(saved, key)
                raise KeyboardInterrupt
        return training.finished()


class _Training:
    """A game in progress."""

    def __init__(self, game: Game[Any], schedule: Schedule, seed: int, device: torch.device) -> None:
        self.game, self.schedule, self.seed, self.device = game, schedule, seed, device
        self.items = processes.share_of(game.batch)
        for player in game.players.values():
            player.network.to(device).train()
        self.optimizers = {
            name: player.optimizer(player.network.parameters(), player.rate, player.betas)
            for name, player in game.players.items()
        }
        self.averaged = {n: copy.deepcopy(p.network).eval() for n, p in game.players.items() if p.averaged}
        self.best: dict[str, nn.Module] = {}
        self.history = History(each=[] if game.every_loss else None)
        self.pace = schedule.begin(self.history)
        self.sums: dict[str, Tensor] = {}
        self.note = ""
        self.rate = 1.0
        self.started = time.monotonic()

    def step(self) -> None:
        """Let every player move once."""
        if self.game.reseeded:
            torch.manual_seed(self.seed * 1_000_003 + self.history.step)
        batch = self.game.draw(Share(self.seed, self.history.step, self.items, self.device))
        for name, player in self.game.players.items():
            if len(self.game.players) > 1:
                for other in self.game.players.values():
                    other.network.requires_grad_(other is player)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.schedule.low_precision):
                losses = self.game.losses(name, batch)
            loss = torch.stack([loss.float() for loss in losses.values()]).sum()
            self._move(name, player, loss, self.rate)
            self._keep(loss)
            for kind, loss in losses.items():
                label, value = f"{name}/{kind}", loss.detach().float()
                self.sums[label] = self.sums[label] + value if label in self.sums else value
        self.history.step += 1

    def _keep(self, loss: Tensor) -> None:
        if self.history.each is not None:
            self.history.each.append(float(loss.detach()))
            self.note = f"loss {self.history.each[-1]:.4f}"

    def _move(self, name: str, player: Player, loss: Tensor, rate: float) -> None:
        optimizer = self.optimizers[name]
        for group in optimizer.param_groups:
            group["lr"] = player.rate * rate
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        processes.average_gradients(player.network)
        if player.largest_gradient is not None:
            nn.utils.clip_grad_norm_(player.network.parameters(), player.largest_gradient)
        optimizer.step()
        if player.after is not None:
            with torch.no_grad():
                player.after(player.network)
        if player.averaged:
            weight = self.schedule.weight_of_latest(self.history.step + 1)
            _average(self.averaged[name], player.network, weight)

    def examine(self) -> float | None:
        """Look at the criterion where it is time to, and keep the weights if they are the best so far."""
        if not self.schedule.check_every or not self.due(self.schedule.check_every):
            return None
        found = None
        if processes.rank() == 0:
            with torch.no_grad():
                found = self.game.validation(self._networks())
        validation: float | None = processes.same_for_all(found)
        history, schedule = self.history, self.schedule
        if validation is None:
            return None
        if history.note(validation, schedule.least_gain) and schedule.keeps_best:
            self.best = copy.deepcopy(self._networks())
        settled = history.looks_without_gain >= schedule.patience
        if settled and not history.ended and self.pace.settle(history.step):
            history.ended = STOPPED_EARLY
        return validation

    def report(self, validation: float | None, show: bool, observers: Sequence[Observer]) -> None:
        """Tell the observers the mean losses since the last report."""
        history = self.history
        steps = max(1, history.step - history.reported)
        losses = processes.mean_of({name: float(total) / steps for name, total in self.sums.items()}, self.device)
        for name, value in losses.items():
            if not math.isfinite(value):
                raise UnsuitableError(
                    f"The training diverged: the loss {name} is no longer finite after {history.step} steps; use a lower "
                    "learning rate."
                )
        history.losses, history.reported, self.sums = losses, history.step, {}
        self.note = "  ".join(f"{name.split('/')[-1]} {value:.4f}" for name, value in losses.items())
        if processes.rank() or not observers:
            return
        with torch.inference_mode():
            pictures = self.game.pictures(self._networks()) if show else {}
        seconds, rate = self._seconds(), self.pace.rate(history.step, self._seconds()) or 0.0
        left = self.pace.left(history.step, seconds)
        told = Report(history.step, self.expected_steps(), losses, rate, seconds, left, validation, pictures)
        for observer in observers:
            observer(told)

    def save(self, path: Path, key: str) -> None:
        """Write a checkpoint; every process's own state goes into it."""
        self.history.seconds, self.started = self._seconds(), time.monotonic()
        self.history.sums = {name: float(total) for name, total in self.sums.items()}
        tensors = {
            f"network.{n}.{k}": v for n, p in self.game.players.items() for k, v in p.network.state_dict().items()
        }
        tensors |= {f"averaged.{n}.{k}": v for n, net in self.averaged.items() for k, v in net.state_dict().items()}
        tensors |= {f"best.{n}.{k}": v for n, net in self.best.items() for k, v in net.state_dict().items()}
        for name, optimizer in self.optimizers.items():
            tensors |= {f"optimizer.{name}.{k}": v for k, v in checkpoint.optimizer_state(optimizer).items()}
        for rank, state in enumerate(processes.gathered(self.game.state())):
            tensors |= {f"state.{rank}.{k}": v for k, v in state.items()}
        if processes.rank() == 0:
            header = {"key": key, "seed": self.seed, "processes": processes.count(), "history": self.history.to_dict()}
            checkpoint.write(path, tensors, header)
        processes.wait()

    def go_on_from(self, path: Path, key: str) -> None:
        """Take everything back from a checkpoint."""
        tensors, header = checkpoint.read(path)
        if (header.get("key"), header.get("seed")) != (key, self.seed):
            raise InputError(
                f"The checkpoint {path} belongs to another training (method, settings, seed or data differ); train with the same "
                "ones, or remove it to start afresh."
            )
        state = checkpoint.below(tensors, f"state.{processes.rank()}.")
        if checkpoint.below(tensors, "state.") and header.get("processes") != processes.count():
            raise InputError(f"The checkpoint {path} needs {header.get('processes')} processes, as it was written by.")
        try:
            for name, player in self.game.players.items():
                player.network.load_state_dict(checkpoint.below(tensors, f"network.{name}."))
                checkpoint.restore_optimizer(self.optimizers[name], checkpoint.below(tensors, f"optimizer.{name}."))
            for name, network in self.averaged.items():
                network.load_state_dict(checkpoint.below(tensors, f"averaged.{name}."))
            if checkpoint.below(tensors, "best."):
                self.best = copy.deepcopy(self._networks())
                for name, network in self.best.items():
                    network.load_state_dict(checkpoint.below(tensors, f"best.{name}."))
            self.game.set_state({name: value.to(self.device) for name, value in state.items()})
            self.history = History.from_dict(header["history"])
            self.pace = self.schedule.begin(self.history)
            self.sums = {name: torch.tensor(value, device=self.device) for name, value in self.history.sums.items()}
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"The checkpoint {path} does not fit this training; remove it to start afresh.") from error

    def finished(self) -> Trained:
        """Hand back the networks of the best look, or the last ones."""
        self.history.seconds, self.started = self._seconds(), time.monotonic()
        networks = self.best or self._networks()
        for network in networks.values():
            network.eval()
            if len(networks) > 1:  # frozen for the turns of others
                network.requires_grad_(True)
        return Trained(networks, self.history)

    def over(self) -> bool:
        """Say whether the training has ended, and note why; else at which rate the next step is."""
        step, seconds = self.history.step, self._seconds()
        if self.schedule.minutes is not None:  # all processes go by the clock of process 0
            seconds = float(processes.same_for_all(seconds))
        rate = self.pace.rate(step, seconds)
        if rate is not None:
            self.rate = rate
            return False
        self.history.ended = self.pace.reason(step, self.history.ended)
        return True

    def due(self, every: int) -> bool:
        """Whether this step is one of every so many, or the last."""
        return self.history.step % every == 0 or self.over()

    def expected_steps(self) -> int:
        """How many steps there will be, as far as is known now."""
        return self.pace.last_step(self.history.step, self._seconds())

    def _seconds(self) -> float:
        return self.history.seconds + time.monotonic() - self.started

    def _networks(self) -> dict[str, nn.Module]:
        return {name: self.averaged.get(name, player.network) for name, player in self.game.players.items()}


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, weight: float) -> None:
    # All at once: one by one they cost a small network on a GPU as much as its own step.
    torch._foreach_lerp_(list(averaged.parameters()), list(network.parameters()), weight)
    for kept, latest in zip(averaged.buffers(), network.buffers(), strict=True):
        kept.copy_(latest)  # not averages of anything: unit vectors of spectral norms, counters
