"""The training loop for methods with several players; a method says what they are (`learning.players`), the rest is here.

Learning rate: constant, then linear to zero. A criterion that needs no pairs may end the training early, and then the
weights of the best look are handed back. A checkpoint is written now and then; a killed run goes on from it exactly.
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
from demottle.learning.course import Course, Story
from demottle.learning.device import best_device
from demottle.learning.observing import Observer, Report
from demottle.learning.players import Game, Player, Share


@dataclass(frozen=True)
class Trained:
    """What comes of a training: the players' networks, averaged where asked, in evaluation mode, and the story."""

    networks: Mapping[str, nn.Module]
    story: Story


def train(
    game: Game[Any],
    course: Course,
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
        course: how long and how.
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
    with torch.random.fork_rng():
        training = _Training(game, course, seed, device)
        if saved is not None and saved.exists():
            training.go_on_from(saved, key)
        while not training.over():
            training.step()
            exam = training.examine()
            show = course.show_every > 0 and training.due(course.show_every)
            save = saved is not None and training.due(course.save_every)
            if show or exam is not None or training.due(course.report_every):
                training.report(exam, show, observers)
            if save and saved is not None:
                training.save(saved, key)
            listener(Progress("train", training.story.step, training.expected_steps(), training.note))
            if stop is not None and processes.any_of(stop()):
                if saved is not None and not save:
                    training.save(saved, key)
                raise KeyboardInterrupt
        return training.finished()


class _Training:
    """A game in progress."""

    def __init__(self, game: Game[Any], course: Course, seed: int, device: torch.device) -> None:
        self.game, self.course, self.seed, self.device = game, course, seed, device
        self.items = processes.share_of(game.batch)
        for player in game.players.values():
            player.network.to(device).train()
        self.optimizers = {
            name: torch.optim.Adam(player.network.parameters(), player.rate, betas=player.betas)
            for name, player in game.players.items()
        }
        self.averaged = {n: copy.deepcopy(p.network).eval() for n, p in game.players.items() if p.averaged}
        self.best: dict[str, nn.Module] = {}
        self.story = Story()
        self.sums: dict[str, Tensor] = {}
        self.note = ""
        self.started = time.monotonic()

    def step(self) -> None:
        """Let every player move once."""
        torch.manual_seed(self.seed * 1_000_003 + self.story.step)
        rate = self.course.rate(self._progress())
        batch = self.game.draw(Share(self.seed, self.story.step, self.items, self.device))
        for name, player in self.game.players.items():
            for other in self.game.players.values():
                other.network.requires_grad_(other is player)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.course.low_precision):
                losses = self.game.losses(name, batch)
            self._move(name, player, torch.stack([loss.float() for loss in losses.values()]).sum(), rate)
            for kind, loss in losses.items():
                label, value = f"{name}/{kind}", loss.detach().float()
                self.sums[label] = self.sums[label] + value if label in self.sums else value
        self.story.step += 1

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
        if player.averaged:
            _average(self.averaged[name], player.network, self.course.averaging, self.story.step)

    def examine(self) -> float | None:
        """Look at the criterion where it is time to, and keep the weights if they are the best so far."""
        if not self.course.check_every or not self.due(self.course.check_every):
            return None
        found = None
        if processes.rank() == 0:
            with torch.inference_mode():
                found = self.game.exam(self._networks())
        exam: float | None = processes.same_for_all(found)
        if exam is not None and self.story.note(exam, self.course):
            self.best = copy.deepcopy(self._networks())
        return exam

    def report(self, exam: float | None, show: bool, observers: Sequence[Observer]) -> None:
        """Tell the observers the mean losses since the last report."""
        story = self.story
        steps = max(1, story.step - story.reported)
        losses = processes.mean_of({name: float(total) / steps for name, total in self.sums.items()}, self.device)
        for name, value in losses.items():
            if not math.isfinite(value):
                raise UnsuitableError(
                    f"The training went astray: the loss {name} is not finite any more after {story.step} steps; use a lower "
                    "learning rate."
                )
        story.losses, story.reported, self.sums = losses, story.step, {}
        self.note = "  ".join(f"{name.split('/')[-1]} {value:.4f}" for name, value in losses.items())
        if processes.rank() or not observers:
            return
        with torch.inference_mode():
            pictures = self.game.pictures(self._networks()) if show else {}
        progress, steps = self._progress(shared=False), self.expected_steps()
        left = self._seconds() * (1 - progress) / max(progress, 1e-9)
        told = Report(story.step, steps, losses, self.course.rate(progress), self._seconds(), left, exam, pictures)
        for observer in observers:
            observer(told)

    def save(self, path: Path, key: str) -> None:
        """Write a checkpoint; every process's own state goes into it."""
        self.story.seconds, self.started = self._seconds(), time.monotonic()
        self.story.sums = {name: float(total) for name, total in self.sums.items()}
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
            header = {"key": key, "seed": self.seed, "processes": processes.count(), "story": self.story.to_dict()}
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
            self.story = Story.from_dict(header["story"])
            self.sums = {name: torch.tensor(value, device=self.device) for name, value in self.story.sums.items()}
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"The checkpoint {path} does not fit this training; remove it to start afresh.") from error

    def finished(self) -> Trained:
        """Hand back the networks of the best look, or the last ones."""
        networks = self.best or self._networks()
        for network in networks.values():
            network.requires_grad_(True).eval()
        return Trained(networks, self.story)

    def over(self) -> bool:
        """Say whether the training has ended, and note why."""
        if not self.story.ended and self._progress() >= 1:
            self.story.ended = "all steps done" if self.story.step >= self.course.steps else "time used up"
        return bool(self.story.ended)

    def due(self, every: int) -> bool:
        """Whether this step is one of every so many, or the last."""
        return self.story.step % every == 0 or self.over()

    def expected_steps(self) -> int:
        """How many steps there will be, as far as is known now."""
        pace = self.story.step / max(self._progress(shared=False), 1e-9)
        return max(self.story.step, min(self.course.steps, round(pace)))

    def _progress(self, shared: bool = True) -> float:
        """Progress from 0 to 1; where it depends on the clock, all processes go by that of process 0."""
        own = self.course.progress(self.story.step, self._seconds())
        return own if self.course.minutes is None or not shared else float(processes.same_for_all(own))

    def _seconds(self) -> float:
        return self.story.seconds + time.monotonic() - self.started

    def _networks(self) -> dict[str, nn.Module]:
        return {name: self.averaged.get(name, player.network) for name, player in self.game.players.items()}


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    # Early on a long average would still hold the initial weights.
    weight = 1 - min(decay, (step + 1) / (step + 10)) if decay else 1.0
    # All at once: one by one they cost a small network on a GPU as much as its own step.
    torch._foreach_lerp_(list(averaged.parameters()), list(network.parameters()), weight)
    for kept, latest in zip(averaged.buffers(), network.buffers(), strict=True):
        kept.copy_(latest)  # not averages of anything: unit vectors of spectral norms, counters
