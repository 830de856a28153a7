"""Readers of known behavior, who answer through the program's own interface as the page does."""

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from demottle.study import Study
from demottle.study.design import Key

Post = Callable[[str, dict[str, Any]], Any]


class Reader:
    """Sees a latent quality of each case, what an arm adds to it, adds a habit of their own, and errs.

    Attributes:
        effect: points that every arm but the first gains, by item.
        habit: points that this reader gives more than others to everything.
        error: standard deviation of a single answer, in points.
    """

    def __init__(self, name: str, effect: Mapping[str, float], habit: float = 0.0, error: float = 0.4) -> None:
        self.name, self.effect, self.habit, self.error = name, effect, habit, error

    def read(self, study: Study, key: Key, post: Post, most: int | None = None) -> int:
        """Answer in the order given, beginning with what is not answered; return how many were."""
        quality = np.random.default_rng(5).normal(0, 0.5, len(study.cases))
        page = post("api/reader", {"reader": self.name})
        waiting = [trial["name"] for trial in page["trials"] if trial["name"] not in page["given"]]
        for name in waiting[:most]:
            trial = study.trial(name)
            gains = [key.images[image].arm != key.arms[0] for image in trial.images]
            errors = np.random.default_rng(zlib.crc32(f"{self.name}/{name}".encode()))
            answers = self._answers(study, quality[trial.case], gains, errors)
            told = post("api/answers", {"reader": self.name, "trial": name, "answers": answers, "seconds": 20.0})
            assert told["complete"]
        return len(waiting[:most])

    def _answers(
        self, study: Study, quality: float, gains: list[bool], errors: np.random.Generator
    ) -> dict[str, int | bool]:
        answers: dict[str, int | bool] = {}
        for question in study.questions:
            error = errors.normal(0, self.error)
            if question.kind == "yes-no":
                gain = gains[question.name.endswith("right")]
                answers[question.name] = bool(quality + self.habit + gain + error > -0.2)
                continue
            effect = self.effect[question.name]
            single = quality + self.habit + effect * gains[0]
            latent = 3 + (single if len(gains) == 1 else effect * (gains[1] - gains[0]))
            answers[question.name] = int(np.clip(round(latent + error), 1, 5))
        return answers
