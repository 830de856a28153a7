"""How an entrant gets from a case to an image: nothing, fit and apply, train and apply, or taught with the truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demottle.benchmark.cases import Case
from demottle.benchmark.cost import Spent, spending
from demottle.benchmark.entrants import BOUND, INPUT, Entrant
from demottle.image import Image
from demottle.methods import Budget
from demottle.methods.base import Denoiser
from demottle.settings import make_settings


@dataclass(frozen=True, eq=False)
class Ran:
    """A result and what it took.

    Attributes:
        image: the result.
        learning: measuring the scan and learning; applying: making the image.
        settings: all of them, as plain values.
        fitted: what the method says of its learning.
    """

    image: Image
    learning: Spent
    applying: Spent
    settings: Mapping[str, Any]
    fitted: Mapping[str, Any]


def run_entrant(entrant: Entrant, case: Case, minutes: float | None) -> Ran:
    """Denoise a case as a user would: from the scan alone, unless the entrant is one of the bounds.

    Raises:
        InputError: where the method refuses the scan.
    """
    if entrant.name == INPUT:
        return Ran(case.noisy, Spent(), Spent(), {}, {})
    budget = Budget(minutes=minutes)
    with spending() as learning:
        denoiser = _fitted(entrant, case, budget)
    with spending() as applying:
        image = denoiser(case.noisy)
    return Ran(image, learning, applying, denoiser.settings, denoiser.fitted)


def _fitted(entrant: Entrant, case: Case, budget: Budget) -> Denoiser:
    if entrant.name == BOUND:
        from demottle.benchmark.upper_bound import fit_on_truth

        return fit_on_truth(case.noisy, case.truth, budget, case.spec.seed)
    info = entrant.info
    assert info is not None
    module = info.load()
    if info.is_trained:
        assert case.sets is not None
        trained: Denoiser = module.train(
            case.sets(info.learns_from == "pairs"),
            module.Settings(**{**module.PRESETS["small"], **entrant.settings}),
            seed=case.spec.seed,
            budget=budget,
        )
        return trained
    settings = make_settings(entrant.method, entrant.settings)
    fitted: Denoiser = module.fit(case.noisy, settings, _measured(case.noisy), seed=case.spec.seed, budget=budget)
    return fitted


def _measured(image: Image) -> Any:
    if image.sequence:
        from demottle.noise.sequence import measure_sequence

        return measure_sequence(image)
    from demottle.noise.fingerprint import measure

    return measure(image)
