"""A training that begins with a model goes on from its weights, says so, and refuses weights of another network."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tests.methods.small_sets import small_sets

from demottle.errors import InputError
from demottle.learning.data.cohort import Sets
from demottle.learning.run import Run
from demottle.methods import Budget, load
from demottle.methods.unpaired import ascon, cut, cyclegan, pdml, perceptual_cyclegan, supervised
from demottle.methods.unpaired.trained_network import TrainedNetwork

DENSE: dict[str, Any] = {"features": 8, "growth": 2, "batch": 2}
FULL_BAND: dict[str, Any] = {"channels": (4, 8), "blocks": 1, "batch": 2}
NO_START: dict[str, Any] = {"warm_up": 0, "simulated": 0.0}
METHODS: list[tuple[ModuleType, dict[str, Any]]] = [
    (pdml, {**DENSE, **NO_START}),
    (pdml, {**DENSE, **NO_START, "spectral": True, "residual": 0.1, "skip": False}),
    (perceptual_cyclegan, {**FULL_BAND, **NO_START, "judge_channels": 4, "share": 0.0}),
    (cyclegan, {**FULL_BAND, "judge_channels": 4}),
    (cut, {**FULL_BAND, "judge_channels": 4, "places": 16, "head_width": 8}),
    (ascon, {"channels": 8, "batch": 2, "warm_up": 0, "share": 0.0}),
    (supervised, {**DENSE, "network": "residual-dense"}),
    (supervised, {**FULL_BAND, "network": "attention-unet"}),
]


@pytest.fixture(scope="module")
def unpaired(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    return small_sets(tmp_path_factory.mktemp("unpaired"))


@pytest.fixture(scope="module")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    return small_sets(tmp_path_factory.mktemp("paired"), paired=True)


def distance(one: TrainedNetwork, other: TrainedNetwork) -> float:
    return max(float(np.abs(value - other.tensors()[name]).max()) for name, value in one.tensors().items())


@pytest.mark.parametrize(("module", "given"), METHODS, ids=lambda v: getattr(v, "NAME", ""))
def test_a_training_begins_with_the_weights_of_a_model(
    module: ModuleType, given: dict[str, Any], unpaired: Sets, paired: Sets, tmp_path: Path
) -> None:
    sets = paired if module is supervised else unpaired

    def trained(seed: int, **more: Any) -> TrainedNetwork:
        settings = module.Settings(
            **{**module.PRESETS["small"], **given, "averaging": 0.0, "rate": more.pop("rate", 1e-7)}
        )
        done: TrainedNetwork = module.train(sets, settings, seed=seed, budget=Budget(steps=1), **more)
        return done

    first = trained(seed=1, rate=3e-3)
    start = load(first.save(tmp_path / "first.safetensors"))
    apart = distance(trained(seed=2), first)  # on its own it begins elsewhere
    again = trained(seed=2, start=start)
    nearly = 0.1 if given.get("spectral") else 1e-3  # spectral norms are estimates
    assert distance(again, first) < nearly * apart and apart > 1e-3
    assert again.fitted["began_with"] == first.model_hash and "began_with" not in first.fitted
    loaded = load(again.save(tmp_path / "again.safetensors"))
    assert loaded.fitted["began_with"] == first.model_hash


def test_weights_of_another_network_are_refused_in_a_sentence(unpaired: Sets, tmp_path: Path) -> None:
    settings = pdml.PdmlSettings(**{**pdml.PRESETS["small"], **DENSE, **NO_START})
    start = pdml.train(unpaired, settings, budget=Budget(steps=1))
    wider = pdml.PdmlSettings(**{**pdml.PRESETS["small"], **DENSE, "features": 16, "levels": 5})
    with pytest.raises(InputError, match=r"other network settings \(levels=6, features=8\); train with the same ones"):
        pdml.train(unpaired, wider, start=start)
    with pytest.raises(InputError, match="is of pdml, but cut is trained"):
        cut.train(unpaired, cut.CutSettings(), start=start)
    # A checkpoint of a training that began otherwise is none to go on from.
    pdml.train(unpaired, settings, budget=Budget(steps=2), run=Run(tmp_path, save_every=1))
    with pytest.raises(InputError, match="belongs to another training"):
        pdml.train(unpaired, settings, budget=Budget(steps=2), run=Run(tmp_path), start=start)


def test_settings_that_are_not_the_networks_may_differ(unpaired: Sets) -> None:
    settings = pdml.PdmlSettings(**{**pdml.PRESETS["small"], **DENSE, **NO_START})
    start = pdml.train(unpaired, settings, budget=Budget(steps=1))
    other = pdml.PdmlSettings(
        **{**pdml.PRESETS["small"], **DENSE, "warm_up": 1, "rate": 1e-3, "patch": 64, "identity": 3.0}
    )
    assert pdml.train(unpaired, other, budget=Budget(steps=1), start=start).fitted["began_with"] == start.model_hash
