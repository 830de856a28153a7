"""perceptual-cyclegan, cyclegan, cut and supervised: trained on two small patients a side. The contract tests cover the rest."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from tests.methods.small_sets import small_sets

from demottle.errors import InputError
from demottle.events import Progress
from demottle.image import Image
from demottle.learning.data.cohort import Sets
from demottle.learning.observing import Report
from demottle.learning.run import Run
from demottle.methods.base import Budget
from demottle.methods.unpaired import cut, cyclegan, full_band, perceptual_cyclegan, supervised
from demottle.methods.unpaired.full_band import FullBandDenoiser, to_network
from demottle.networks.vgg19 import VGG19

TINY: dict[str, Any] = {"channels": (4, 8), "blocks": 1, "batch": 2}
JUDGED: dict[str, Any] = {**TINY, "judge_channels": 4}
GIVEN: list[tuple[ModuleType, dict[str, Any]]] = [
    (perceptual_cyclegan, {**JUDGED, "feature_channels": 4}),
    (cut, {**JUDGED, "places": 16, "head_width": 8}),
    (supervised, {**TINY, "network": "attention-unet"}),
    (supervised, {**TINY, "features": 8, "growth": 4}),
]
unpaired_methods = pytest.mark.parametrize(("module", "given"), GIVEN, ids=lambda v: getattr(v, "NAME", ""))


@pytest.fixture(scope="module")
def unpaired(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    return small_sets(tmp_path_factory.mktemp("unpaired"))


@pytest.fixture(scope="module")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    return small_sets(tmp_path_factory.mktemp("paired"), paired=True)


def small(module: ModuleType, **given: Any) -> Any:
    return module.Settings(**{**module.PRESETS["small"], **given})


@unpaired_methods
def test_judged_shown_and_resumed_to_the_bit(
    module: ModuleType, given: dict[str, Any], unpaired: Sets, paired: Sets, tmp_path: Path
) -> None:
    class Killed(Exception):  # noqa: N818
        pass

    def kill(event: Progress) -> None:
        if (event.stage, event.done) == ("train", 3):
            raise Killed

    sets = paired if module is supervised else unpaired
    settings, told = small(module, **given, check_every=2), list[Report]()
    run = Run(tmp_path, (told.append,), save_every=2, show_every=4)
    whole = module.train(sets, settings, budget=Budget(steps=4), run=replace(run, folder=None))
    assert [report.validation is not None for report in told if report.step in (2, 4) and report.validation] == [
        True,
        True,
    ]
    picture = told[-1].pictures["sample-1"]
    assert picture.shape == (96, 3 * 96) and 0 <= picture.min() < picture.max() <= 1
    with pytest.raises(Killed):
        module.train(sets, settings, budget=Budget(steps=4), run=run, listener=kill)
    assert module.train(sets, settings, budget=Budget(steps=4), run=run).model_hash == whole.model_hash
    assert whole.fitted["noise_range"][0] == pytest.approx(40, rel=0.2)


def test_pairs_teach_to_remove_noise(paired: Sets) -> None:
    settings = small(supervised, **TINY, network="attention-unet", patch=48, rate=3e-3)
    trained = supervised.train(paired, settings, budget=Budget(steps=60))
    low, full = (side.scans[0].image() for side in (paired.low_validation, paired.full_validation))
    body = full.voxels > -900
    before, after = ((x.voxels - full.voxels)[body].std() for x in (low, trained(low)))
    assert after < 0.9 * before


def test_pairs_have_to_be_pairs(unpaired: Sets) -> None:
    with pytest.raises(InputError, match="not gathered as pairs"):
        supervised.train(unpaired, small(supervised))


def identity(channels: tuple[int, ...] = (4, 8)) -> FullBandDenoiser:
    settings = cyclegan.CycleGanSettings(channels=channels, blocks=0)
    return FullBandDenoiser("cyclegan", settings, {}, settings.generator())


def test_an_identity_changes_no_bit() -> None:
    voxels = np.random.default_rng(0).normal(40, 300, (2, 61, 50)).astype(np.float32)
    image = Image(voxels, (3.0, 1.0, 1.0), "CT", "HU")
    assert np.array_equal(identity()(image).voxels, voxels)


def test_any_size_and_a_box_that_begins_anywhere() -> None:
    denoiser = identity((4, 8, 16))
    for parameter in denoiser.network.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(0))
    plane = np.random.default_rng(0).normal(40, 30, (230, 221)).astype(np.float32)
    with torch.inference_mode():
        whole = denoiser.plane(plane)
        parts = [denoiser.plane(plane, (slice(90, 130), slice(first, 130))) for first in (90, 91)]
    assert np.abs(whole - plane).max() > 1
    tolerance = 3.0 if denoiser.low_precision else 0.01
    for part in parts:
        assert part[95:125, 95:125] == pytest.approx(whole[95:125, 95:125], abs=tolerance)
        assert np.array_equal(part[:30], plane[:30])


def test_values_are_scaled_as_the_specification_says() -> None:
    hu = torch.tensor([-1000.0, 0.0, 3000.0])
    assert to_network(hu, 2000.0).tolist() == pytest.approx(((hu + 1000) / 2000).tolist())


def test_the_balance_of_errors_and_verdicts_does_not_depend_on_the_scale() -> None:
    weights = [
        perceptual_cyclegan._weights(perceptual_cyclegan.PerceptualCycleGanSettings(scale=scale))
        for scale in (2000.0, 200.0)
    ]
    error_hu = 30.0
    costs = [w.cycle * error_hu / scale for w, scale in zip(weights, (2000.0, 200.0), strict=True)]
    assert weights[0].cycle == 10 and weights[0].identity == 5
    assert costs[0] == pytest.approx(costs[1])


def test_vgg19_from_a_file_whose_place_is_not_told(unpaired: Sets, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(VGG19().state_dict(), tmp_path / "vgg19.pth")
    settings = small(perceptual_cyclegan, **JUDGED, features="vgg19", vgg19=str(tmp_path / "vgg19.pth"))
    trained = perceptual_cyclegan.train(unpaired, settings, budget=Budget(steps=1))
    assert trained.settings["vgg19"] == "vgg19.pth"
    assert "generators/perceptual" in trained.fitted["losses"]


@pytest.mark.parametrize(
    ("module", "given", "says"),
    [
        (perceptual_cyclegan, {"share": 1.0}, "share"),
        (perceptual_cyclegan, {"features": "resnet"}, "features"),
        (perceptual_cyclegan, {"share": 0.5, "cycle": 0, "identity": 0}, "above 0"),
        (cyclegan, {"judge_norm": "batch"}, "judge_norm"),
        (cyclegan, {"channels": (4,)}, "channels"),
        (cut, {"places": 1}, "places"),
        (supervised, {"network": "vit"}, "network"),
        (supervised, {"loss": "l3"}, "loss"),
    ],
)
def test_settings_that_cannot_work_are_one_sentence(module: ModuleType, given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        module.Settings(**given)


def test_presets_are_settings() -> None:
    for module in (perceptual_cyclegan, cyclegan, cut, supervised):
        assert set(module.PRESETS) == {"full", "small"}
        assert small(module).channels == full_band.SMALL["channels"]
        assert module.Settings().channels == (64, 128, 256, 512)
    assert not {"warm_up", "simulated"} & set(cyclegan.PRESETS["small"])  # the rival is as published
    assert cyclegan.CycleGanSettings().simulated == cyclegan.CycleGanSettings().warm_up == 0


@pytest.mark.parametrize("preset", list(cyclegan.PRESETS))
def test_cyclegan_is_cyclegan_in_every_preset(preset: str) -> None:
    settings = cyclegan.CycleGanSettings(**cyclegan.PRESETS[preset])
    ours = {"share": 0.0, "warm_up": 0, "simulated": 0.0, "adversarial": 1.0, "attention": False}
    assert {name: getattr(settings, name) for name in ours} == ours
    assert (settings.cycle, settings.identity, settings.pool) == (10, 5, 50)


@pytest.mark.parametrize("method", [cyclegan, cut, supervised], ids=lambda v: v.NAME)
def test_a_preset_takes_over_sizes_and_no_losses(method: ModuleType) -> None:
    sizes = {"channels", "blocks", "patch", "batch", "averaging", "judge_channels", "judge_norm", "features", "margin"}
    of_learning = {"steps", "rate", "scale", "places", "head_width"}
    assert set(method.PRESETS["small"]) <= sizes | of_learning
