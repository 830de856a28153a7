"""ASCON: players and their turns, real and simulated pairs, and tiles that do not depend on what else is in view."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.methods.small_sets import small_sets

from demottle.errors import InputError
from demottle.learning.data.cohort import Sets
from demottle.learning.observing import Report
from demottle.learning.players import Share
from demottle.learning.run import Run
from demottle.methods import Budget, load
from demottle.methods.registry import METHODS
from demottle.methods.unpaired import ascon
from demottle.methods.unpaired.ascon import AsconSettings, TileDenoiser
from demottle.methods.unpaired.ascon_game import AsconGame, AsconWeights
from demottle.networks.anatomy_features import AnatomyNetworks

TINY: dict[str, Any] = {
    "channels": 8,
    "batch": 2,
    "warm_up": 4,
    "places": (4, 16),
    "feature_channels": (8, 8, 8, 8, 8),
    "head_width": 8,
    "vector": 8,
}


def tiny(**given: Any) -> AsconSettings:
    return AsconSettings(**{**ascon.PRESETS["small"], **TINY, **given})


@pytest.fixture(scope="module")
def unpaired(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    return small_sets(tmp_path_factory.mktemp("unpaired"))


def random_denoiser() -> TileDenoiser:
    settings = tiny()
    network = settings.generator()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.15, generator=torch.Generator().manual_seed(parameter.numel()))
    denoiser = TileDenoiser(settings, {}, network)
    denoiser.low_precision = False
    return denoiser


def test_the_result_does_not_depend_on_what_else_is_in_view() -> None:
    denoiser, side = random_denoiser(), tiny().patch
    plane = np.random.default_rng(0).normal(40, 30, (230, 221)).astype(np.float32)
    whole = denoiser.plane(plane)
    assert np.abs(whole - plane).max() > 1
    part = denoiser.plane(plane, (slice(90, 130), slice(91, 150)))
    assert part[90:130, 91:150] == pytest.approx(whole[90:130, 91:150], abs=1e-3)
    assert np.array_equal(part[:90], plane[:90])  # nothing outside
    other = plane.copy()
    other[:20, :20] = 3000  # a table, an arm: a tile away all is as it was
    changed = np.abs(denoiser.plane(other) - whole) > 1e-3
    assert changed[:20, :20].any() and not changed[20 + side :].any() and not changed[:, 20 + side :].any()
    wider = np.pad(plane, side, constant_values=-1000)  # a larger field of view, by a whole number of tiles
    inside = (slice(side, -side), slice(side, -side))
    assert denoiser.plane(wider)[side:-side, side:-side][inside] == pytest.approx(whole[inside], abs=1e-3)


def test_tiles_count_as_one_everywhere() -> None:
    side, step = 64, 32
    total = np.zeros((200, 200))
    for row in range(0, 200 - side, step):
        for column in range(0, 200 - side, step):
            total[row : row + side, column : column + side] += ascon.tile_window(side)
    assert total[step:-side, step:-side] == pytest.approx(np.ones((200 - 96, 200 - 96)), abs=1e-6)


def test_an_untrained_network_changes_no_bit() -> None:
    plane = np.random.default_rng(0).normal(40, 300, (61, 50)).astype(np.float32)
    assert np.array_equal(TileDenoiser(tiny(), {}, tiny().generator()).plane(plane), plane)


def test_anatomy_moves_first_and_both_see_what_one_pass_made(unpaired: Sets) -> None:
    settings = tiny()
    made = []
    generator = settings.generator()
    generator.register_forward_hook(lambda *_: made.append(1))
    anatomy = AnatomyNetworks((8, 8, 8, 8, 8), 8, 8)
    game = AsconGame(
        ascon._patches(unpaired, settings),
        generator,
        anatomy,
        AsconWeights(100.0, 100.0, 10.0, 0.1, "both", settings.scale),
        places=(4, 16),
        batch=2,
        rate=1e-3,
        anatomy_rate=1e-3,
    )
    assert list(game.players) == ["anatomy", "generator"]
    turn = game.draw(Share(0, 0, range(2), torch.device("cpu")))
    made.clear()
    generator.requires_grad_(False)  # as the loop does for the first turn
    torch.autograd.backward(list(game.losses("anatomy", turn).values()))
    assert all(parameter.grad is None for parameter in generator.parameters())
    assert all(parameter.grad is None for parameter in anatomy.target.parameters())
    assert all(parameter.grad is not None for parameter in anatomy.online.parameters())
    losses = game.losses("generator", turn)
    torch.autograd.backward(list(losses.values()))
    assert generator.last.weight.grad is not None and len(made) == 1
    contrast = sum(float(losses[name].detach()) for name in ("patch level", "pixel level"))
    assert contrast / sum(float(loss.detach()) for loss in losses.values()) == pytest.approx(0.1, abs=0.02)


def test_a_kill_changes_no_bit(unpaired: Sets, tmp_path: Path) -> None:
    settings, told = tiny(check_every=2, averaging=0.5, steps=4), list[Report]()
    budget = Budget(steps=4)
    whole = ascon.train(unpaired, settings, budget=budget, run=Run(observers=(told.append,), show_every=4))
    seen = 0

    def stop() -> bool:
        nonlocal seen
        seen += 1
        return seen == 7  # the start's four steps, and three of the game

    with pytest.raises(KeyboardInterrupt):
        ascon.train(unpaired, settings, budget=budget, run=Run(tmp_path, stop=stop))
    resumed = ascon.train(unpaired, settings, budget=budget, run=Run(tmp_path))
    assert resumed.model_hash == whole.model_hash
    terms = ("error", "means", "structure", "patch level", "pixel level")
    assert {f"generator/{term}" for term in terms} < set(told[-1].losses)
    assert told[-1].pictures["sample-1"].shape == (96, 3 * 96)


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        ({"share": 0.0, "structure": 0.0, "means": 0.0}, {"generator/error"}),
        (
            {"contrast": "patch", "warm_up": 0},
            {"generator/error", "generator/means", "generator/structure", "generator/patch level"},
        ),
        ({"contrast": "pixel"}, {"generator/error", "generator/means", "generator/structure", "generator/pixel level"}),
    ],
)
def test_every_ablation_can_be_trained_and_saved(
    changes: dict[str, Any], terms: set[str], unpaired: Sets, tmp_path: Path
) -> None:
    trained = ascon.train(unpaired, tiny(**changes), budget=Budget(steps=1))
    assert {name for name in trained.fitted["losses"] if name.startswith("generator")} == terms
    image = unpaired.low_validation.scans[0].image()
    loaded = load(trained.save(tmp_path / "model.safetensors"))
    assert np.array_equal(loaded(image).voxels, trained(image).voxels)


@pytest.mark.slow
def test_pairs_are_learned_from_where_they_are_asked_for(unpaired: Sets, tmp_path: Path) -> None:
    settings = tiny(pairs=True, channels=16, warm_up=40, steps=5, share=0.0)
    assert METHODS["ascon"].needs_pairs(settings) and not METHODS["ascon"].needs_pairs(tiny())
    with pytest.raises(InputError, match="not gathered as pairs"):
        ascon.train(unpaired, settings)
    paired = small_sets(tmp_path, paired=True)
    trained = ascon.train(paired, replace(settings, warm_rate=3e-3))
    low, full = (side.scans[0].image() for side in (paired.low_validation, paired.full_validation))
    body = full.voxels > -900
    before, after = ((x.voxels - full.voxels)[body].std() for x in (low, trained(low)))
    assert after < 0.9 * before


def test_settings_it_cannot_use_are_one_sentence() -> None:
    for bad in (
        {"patch": 48},
        {"patch": 72},
        {"contrast": "none"},
        {"share": 1.0},
        {"heads": (1, 2, 4, 3)},
        {"places": (0, 5)},
        {"feature_channels": (8, 8)},
        {"error": 0.0},
    ):
        with pytest.raises(InputError, match=f"^{next(iter(bad))} is"):
            AsconSettings(**bad)
