"""dose-diffusion: any dose in, the dose that is asked for out, and nothing done where there is nothing to do."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.methods.small_sets import scan_of, small_sets

from demottle import denoise
from demottle.errors import ContradictionError, InputError, UnsuitableError
from demottle.image import Image
from demottle.learning.data.cohort import Sets
from demottle.learning.data.dataset import Choices, entries_of, sets_of
from demottle.learning.players import Share
from demottle.learning.run import Run
from demottle.methods import Budget, load
from demottle.methods.unpaired.diffusion import dose_diffusion
from demottle.methods.unpaired.diffusion.dose_diffusion import DoseDenoiser, DoseDiffusionSettings
from demottle.methods.unpaired.diffusion.dose_diffusion_game import Doses
from demottle.methods.unpaired.diffusion.exposure import Exposure
from demottle.networks.timed_unet import TimedUNet
from demottle.noise.level import noise_level
from demottle.physics.low_dose.dose_time import added_noise, dose_at

FULL = 10.0
# Of white noise the fine grain is 0.87.
FITTED = {"full_dose_noise": FULL, "least_dose": 0.05, "grain": 0.8726, "modality": "CT", "unit": "HU"}


def tiny(**given: Any) -> DoseDiffusionSettings:
    return DoseDiffusionSettings(**{**dose_diffusion.PRESETS["small"], "channels": 4, "batch": 2, "patch": 32, **given})


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    full = [(f"p{n}", scan_of(n, FULL)) for n in range(3)]
    return sets_of(None, entries_of(full), tmp_path_factory.mktemp("full"), Choices())


@pytest.fixture(scope="module")
def trained(sets: Sets) -> DoseDenoiser:
    made = dose_diffusion.train(sets, tiny(), budget=Budget(steps=2))
    assert isinstance(made, DoseDenoiser)
    return made


def random_denoiser(**given: Any) -> DoseDenoiser:
    settings = tiny(**given)
    network = TimedUNet(settings.channels)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2, generator=torch.Generator().manual_seed(parameter.numel()))
    denoiser = DoseDenoiser(settings, FITTED, network)
    denoiser.low_precision = False
    return denoiser


class Ideal(torch.nn.Module):
    """What a perfect network gives of noise around a known constant: full dose's share of it."""

    def __init__(self, mean: float) -> None:
        super().__init__()
        self.mean = mean

    def forward(self, x: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        full = FULL / 50
        return self.mean + (x - self.mean) * full**2 / (full**2 + s.mean() ** 2)


def water(level: float, seed: int = 0) -> Image:
    z, y, x = np.ogrid[0:3, -64:64, -64:64]
    voxels = np.where(np.hypot(y, x) < 60, 40.0, -1000.0) + 0.0 * z
    noise = np.random.default_rng(seed).normal(0, level, voxels.shape)
    return Image((voxels + noise).astype(np.float32), (3.0, 1.0, 1.0), "CT", "HU")


@pytest.mark.parametrize(("target", "passes"), [(0.5, 3), (1.0, 1), (1.0, 3), (1.0, 10), (4.0, 3)])
@pytest.mark.parametrize("calibrate", [True, False])
def test_the_result_has_the_noise_of_the_dose_that_is_asked_for(target: float, passes: int, calibrate: bool) -> None:
    denoiser = random_denoiser(target=target, passes=passes, coarse=0.0, calibrate=calibrate)
    denoiser.network = Ideal(40 / 50)  # type: ignore[assignment]
    scan = water(FULL / np.sqrt(0.1))
    made = denoiser(scan)
    wanted = FULL / np.sqrt(target)
    inside = np.s_[:, 34:94, 34:94]
    assert made.voxels[inside].std() == pytest.approx(wanted, rel=0.05)
    assert noise_level(made) == pytest.approx(wanted, rel=0.08)
    assert made.voxels[inside].mean() == pytest.approx(40, abs=1)


def test_a_scan_at_full_dose_comes_back_as_it_is() -> None:
    for level in (FULL, 0.6 * FULL):
        scan = water(level)
        assert random_denoiser(noise=level)(scan) is scan
    half = water(FULL * np.sqrt(2))
    assert random_denoiser(target=0.5, noise=1.4 * FULL)(half) is half
    assert random_denoiser(target=1.0, noise=1.4 * FULL)(half) is not half


def test_the_result_does_not_depend_on_what_else_is_in_view() -> None:
    denoiser, exposure = random_denoiser(passes=2, calibrate=False, coarse=4.0), Exposure.even(0.1)
    plane = np.random.default_rng(0).normal(40, 30, (100, 350)).astype(np.float32)

    def made(plane: np.ndarray, box: Any = None) -> np.ndarray:
        return denoiser.taken(plane, box, exposure, 0)[0]

    whole = made(plane)
    assert np.abs(whole - plane).max() > 1
    part = (slice(40, 60), slice(150, 171))
    assert made(plane, part)[part] == pytest.approx(whole[part], abs=1e-3)
    other = plane.copy()
    other[:, :20] = 3000  # an arm: beyond two passes and the Gaussians before and after them all is as it was
    far = 20 + 2 * TimedUNet.reach + 2 * 16 + 2
    changed = np.abs(made(other) - whole) > 1e-3
    assert changed[:, :40].any() and not changed[:, far:].any()
    wider = np.pad(
        plane, ((0, 0), (100, 0)), constant_values=-1000
    )  # a larger field of view, by whole steps of the network
    assert made(wider)[:, 100 + far :] == pytest.approx(whole[:, far:], abs=1e-3)


def test_how_much_is_computed_at_a_time_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    denoiser, scan = random_denoiser(passes=2), water(30.0)
    whole = denoiser(scan)
    monkeypatch.setattr(dose_diffusion, "_STRIP", 128 * 36)
    assert denoiser(scan).voxels == pytest.approx(whole.voxels, abs=1e-3)
    assert np.array_equal(random_denoiser(passes=2)(scan).voxels, denoiser(scan).voxels)  # no random numbers


def test_full_dose_alone_is_learned_from(sets: Sets, trained: DoseDenoiser, tmp_path: Path) -> None:
    assert trained.fitted["patients"] == {"full": 2}
    assert "low" not in sets.manifest
    full, strongest = trained.fitted["noise_range"]
    assert full == trained.fitted["full_dose_noise"] == pytest.approx(FULL, rel=0.1)
    assert strongest == pytest.approx(full / np.sqrt(0.05))
    both = small_sets(tmp_path)  # low-dose scans that are there are not looked at
    alone = replace(both, low=both.full, low_validation=both.full_validation)
    one, other = (dose_diffusion.train(part, tiny(), budget=Budget(steps=2)) for part in (both, alone))
    assert one.model_hash == other.model_hash and one.fitted["noise_level"] == other.fitted["noise_level"]


def test_a_kill_changes_no_bit_and_a_model_can_be_begun_with(sets: Sets, trained: DoseDenoiser, tmp_path: Path) -> None:
    told: list[Any] = []
    settings, budget = tiny(check_every=2, averaging=0.5, second=0.5), Budget(steps=4)
    whole = dose_diffusion.train(sets, settings, budget=budget, run=Run(observers=(told.append,), show_every=4))
    seen = iter(range(1, 100))
    with pytest.raises(KeyboardInterrupt):
        dose_diffusion.train(sets, settings, budget=budget, run=Run(tmp_path, stop=lambda: next(seen) == 3))
    resumed = dose_diffusion.train(sets, settings, budget=budget, run=Run(tmp_path))
    assert resumed.model_hash == whole.model_hash
    assert set(told[-1].losses) == {"network/first pass", "network/second pass"}
    assert told[-1].pictures["sample-1"].shape[1] == 3 * told[-1].pictures["sample-1"].shape[0]
    tuned = dose_diffusion.train(sets, tiny(target=0.5), budget=Budget(steps=1), start=trained)
    assert tuned.fitted["began_with"] == trained.model_hash
    with pytest.raises(InputError, match=r"other network settings \(channels=4\)"):
        dose_diffusion.train(sets, tiny(channels=8), start=trained)


def test_what_says_how_it_is_applied_can_be_given_with_a_model(trained: DoseDenoiser, tmp_path: Path) -> None:
    model, scan = trained.save(tmp_path / "m.safetensors"), scan_of(7, 40.0)
    half = denoise(scan, model=model, settings={"target": 0.5, "passes": 2}, spread=True)
    assert half.record["settings"]["target"] == 0.5 and half.record["settings"]["passes"] == 2
    assert half.record["model_hash"] == load(model).model_hash == trained.model_hash  # the same weights
    assert half.spread is not None and half.spread.image.shape == scan.shape
    assert (half.spread.image.voxels[half.image.voxels == scan.voxels] == 0).all() and half.spread.image.voxels.any()
    with pytest.raises(InputError, match=r"channels cannot be given with a model of dose-diffusion; what can: target"):
        denoise(scan, model=model, settings={"channels": 8})
    with pytest.raises(InputError, match=r"target is 0\.0; it has to be above 0"):
        denoise(scan, model=trained, settings={"target": 0.0})
    with pytest.raises(ContradictionError, match="brings its own method"):
        denoise(scan, model=model, method="dose-diffusion")
    with pytest.raises(InputError, match="use 2 passes or more"):
        denoise(scan, model=model, settings={"passes": 1}, spread=True)


@pytest.mark.parametrize(
    ("level", "said"),
    [(80.0, "of the model's full dose, but it was trained from 5%"), (5.0, "at full dose already"), (25.0, "")],
)
def test_a_scan_outside_of_the_models_doses_is_told(trained: DoseDenoiser, level: float, said: str) -> None:
    told = [one for one in denoise(scan_of(7, level), model=trained).record["warnings"] if "noise level is" in one]
    assert len(told) == bool(said) and all(said in one for one in told)


def test_noise_that_cannot_be_measured_is_asked_for(trained: DoseDenoiser, monkeypatch: pytest.MonkeyPatch) -> None:
    from demottle.methods.unpaired.diffusion import exposure

    monkeypatch.setattr(exposure, "noise_level", lambda *_: float("nan"))
    with pytest.raises(UnsuitableError, match="give it in HU"):
        trained(scan_of(7, 40.0))


def test_doses_are_drawn_evenly_in_time_and_none_where_none_is_wanted() -> None:
    random, doses = np.random.default_rng(0), Doses(0.2, 0.05, (0.08, 0.125))
    drawn = np.array([dose_at(doses.drawn(random), 0.05) for _ in range(4000)])
    assert drawn.max() <= 1 and added_noise(drawn.min()) == pytest.approx(1.5 * added_noise(0.05), rel=0.01)
    assert not ((drawn > 0.0801) & (drawn < 0.1249)).any()
    between = [np.mean((drawn > low) & (drawn < low * 1.4)) for low in (0.04, 0.2, 0.6)]
    assert np.ptp(between) < 0.04
    earlier = [doses.drawn(random, 0.5) for _ in range(200)]
    assert min(earlier) >= 0 and max(earlier) <= 0.5


def test_items_are_the_same_whichever_process_draws_them(sets: Sets) -> None:
    game = game_of(sets)
    both, one = (game.draw(Share(0, 3, items, torch.device("cpu"))) for items in (range(2), range(1, 2)))
    for name in ("full", "noise", "dose", "later"):
        assert torch.equal(getattr(both, name)[1:], getattr(one, name))
    assert (both.later >= both.dose).all()


def game_of(sets: Sets) -> Any:
    made: list[Any] = []
    played: Callable[..., Any] = dose_diffusion.played
    try:
        dose_diffusion.played = lambda game, *_, **__: made.append(game)  # type: ignore[assignment]
        dose_diffusion.train(sets, tiny())
    finally:
        dose_diffusion.played = played
    return made[0]


def test_settings_it_cannot_use_are_one_sentence() -> None:
    for bad in (
        {"patch": 18},
        {"passes": 0},
        {"target": 2000.0},
        {"least_dose": 1.0},
        {"left_out": (0.2, 0.1)},
        {"noise": -1.0},
        {"averaging": 1.0},
    ):
        with pytest.raises(InputError, match=f"^{next(iter(bad))} is"):
            DoseDiffusionSettings(**bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="positive"):
        DoseDenoiser(tiny(), {**FITTED, "grain": 0.0}, TimedUNet(4))
