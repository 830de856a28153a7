"""PDML keeps CT numbers, removes noise once trained, and its files can be trusted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.methods.small_sets import small_sets

from demottle.errors import InputError, UnsuitableError
from demottle.events import Progress
from demottle.image import Image
from demottle.learning.data.dataset import entries_of, sets_of
from demottle.learning.observing import Report
from demottle.learning.run import Run
from demottle.learning.seeding import seeded
from demottle.methods import Budget, load
from demottle.methods.unpaired import pdml
from demottle.methods.unpaired.pdml import MetricDenoiser, PdmlSettings
from demottle.methods.unpaired.wavelet_band import high_band

TINY = replace(PdmlSettings(**pdml.PRESETS["small"]), features=8, growth=2, batch=2)


def untrained(settings: PdmlSettings, bias: float = 0.0) -> MetricDenoiser:
    network = seeded(lambda: pdml.network_of(settings, normalized=False), 0)
    with torch.no_grad():
        network.last.weight.zero_()
        network.last.bias.fill_(bias / settings.scale)  # type: ignore[union-attr]
    return MetricDenoiser(settings, {}, network)


def organ(size: int = 192) -> np.ndarray:
    y, x = np.ogrid[-size // 2 : size // 2, -size // 2 : size // 2]
    return np.where(np.hypot(y, x) < 70, 60.0, 0.0).astype(np.float32)


def test_the_high_band_has_no_constant_and_leaves_nothing_out() -> None:
    plane = organ() + np.random.default_rng(0).normal(0, 20, (192, 192)).astype(np.float32)
    band = high_band(plane, 4)
    assert np.abs(high_band(np.full((192, 192), 1234.0), 4)).max() < 1e-3
    assert band == pytest.approx(high_band(plane + 500, 4), abs=2e-3)
    inside = (slice(48, -48), slice(48, -48))  # a projection, but for the border
    assert band[inside] == pytest.approx(high_band(band, 4)[inside], abs=0.2)
    assert high_band(plane, 0) is plane or np.array_equal(high_band(plane, 0), plane)
    assert high_band(plane[:20, :20], 6).shape == (20, 20)


@pytest.mark.parametrize("size", [96, 128, 256])
def test_the_band_is_that_of_six_levels_whatever_the_size_of_the_slice(size: int) -> None:
    noise = np.random.default_rng(0).normal(0, 1, (4, size, size))
    left = np.mean([(plane - high_band(plane, 6)).std() for plane in noise])
    assert left < 0.03  # six levels leave about 1 / 64 of white noise to the approximation, four 1 / 16, five 1 / 32
    large = [high_band(np.pad(plane, 160, mode="symmetric"), 6)[160:-160, 160:-160] for plane in noise]
    assert np.mean([(one - high_band(plane, 6)).std() for one, plane in zip(large, noise, strict=True)]) < 0.02


def test_a_model_says_its_levels_and_one_that_does_not_is_not_applied_to_small_slices(tmp_path: Path) -> None:
    sets = small_sets(tmp_path / "cache")
    trained = pdml.train(sets, TINY, budget=Budget(steps=1))
    assert trained.fitted["wavelet_levels"] == 6
    image = sets.low_validation.scans[0].image()
    silent = MetricDenoiser(TINY, {k: v for k, v in trained.fitted.items() if k != "wavelet_levels"}, trained.network)
    with pytest.raises(UnsuitableError, match=r"does not state .* 96 x 96 pixels .* train it again, or .* 320 x 320"):
        silent(image)
    wide = Image(np.pad(image.voxels, ((0, 0), (112, 112), (112, 112)), mode="edge")[:1], image.spacing, "CT", "HU")
    assert silent(wide).shape == wide.shape
    other = MetricDenoiser(TINY, {**trained.fitted, "wavelet_levels": 4}, trained.network)
    with pytest.raises(UnsuitableError, match="trained with 4 wavelet levels, but these slices have 6"):
        other(image)


def test_an_offset_of_the_network_is_not_passed_on_but_would_be_without_reprojection() -> None:
    plane = organ()
    middle = (slice(80, 112), slice(80, 112))

    def shift(settings: PdmlSettings) -> float:
        nothing, offset = (untrained(settings, bias).plane(plane)[middle].mean() for bias in (0.0, 10.0))
        return float(offset - nothing)

    assert shift(replace(TINY, reproject=False)) == pytest.approx(10, abs=0.1)
    assert abs(shift(TINY)) < 0.05


def test_only_the_box_and_its_surroundings_are_computed_and_the_rest_stays() -> None:
    plane = organ() + np.random.default_rng(0).normal(0, 20, (192, 192)).astype(np.float32)
    settings = replace(TINY, reproject=False)
    box = (slice(60, 120), slice(60, 120))
    whole, part = untrained(settings).plane(plane), untrained(settings).plane(plane, box)
    assert part[box] == pytest.approx(whole[box], abs=0.01)
    assert np.array_equal(part[:30], plane[:30])


def test_ct_numbers_cannot_follow_full_dose_scans_that_are_off_by_20_hu(tmp_path: Path) -> None:
    outputs = []
    for shift in (0.0, 20.0):
        sets = small_sets(tmp_path / f"{shift}", shift=shift)
        image = sets.low_validation.scans[0].image()
        outputs.append(pdml.train(sets, TINY, budget=Budget(steps=3))(image).voxels)
    assert outputs[1] == pytest.approx(outputs[0], abs=0.01)


def test_a_kill_changes_no_bit_and_reports_come(tmp_path: Path) -> None:
    sets = small_sets(tmp_path / "cache")
    settings = replace(TINY, check_every=2, averaging=0.5)
    reports: list[Report] = []
    whole = pdml.train(sets, settings, budget=Budget(steps=6), run=Run(observers=(reports.append,), show_every=3))

    class Killed(Exception):  # noqa: N818
        pass

    def kill(event: Progress) -> None:
        if event.done == 5:
            raise Killed

    folder = tmp_path / "run"
    folder.mkdir()
    with pytest.raises(Killed):
        pdml.train(sets, settings, budget=Budget(steps=6), run=Run(folder, save_every=2), listener=kill)
    resumed = pdml.train(sets, settings, budget=Budget(steps=6), run=Run(folder, save_every=2))
    assert resumed.model_hash == whole.model_hash
    assert {f"generator/{loss}" for loss in ("adversarial", "identity", "metric", "simulated noise")} < set(
        reports[-1].losses
    )
    assert [report.step for report in reports if report.validation is not None] == [2, 4, 6]
    parts = [report.part for report in reports]
    assert parts == sorted(parts, reverse=True) and set(parts) == {"warm-up", ""}  # each counts its own steps
    pictures = next(report.pictures for report in reports if report.pictures)
    assert all(picture.min() >= 0 and picture.max() <= 1 for picture in pictures.values())
    with pytest.raises(InputError, match="another training"):
        pdml.train(sets, replace(settings, metric=0.2), budget=Budget(steps=6), run=Run(folder))


@pytest.mark.parametrize(
    "changes",
    [
        {"levels": 0},
        {"metric": 0.0},
        {"contrast": "nce"},
        {"shared": True},
        {"spectral": True, "residual": 0.1, "skip": False},
        {"warm_up": 0, "simulated": 0.0},
    ],
)
def test_every_ablation_can_be_trained_and_saved(changes: dict[str, object], tmp_path: Path) -> None:
    sets = small_sets(tmp_path / "cache")
    trained = pdml.train(sets, replace(TINY, **changes), budget=Budget(steps=1))  # type: ignore[arg-type]
    image = sets.low_validation.scans[0].image()
    loaded = load(trained.save(tmp_path / "model.safetensors"))
    assert np.array_equal(loaded(image).voxels, trained(image).voxels)


def test_the_paper_alone_can_be_asked_for(tmp_path: Path) -> None:
    paper = PdmlSettings(**pdml.PRESETS["paper"])
    assert (paper.adversarial, paper.identity, paper.metric, paper.scale) == (1, 5, 0.1, 2000)
    assert pdml.network_of(paper, normalized=False).count == 3
    assert sum(p.numel() for p in pdml.network_of(paper, normalized=False).parameters()) == 32_833
    settings = replace(paper, features=8, growth=2, width=8, batch=2, patch=48, margin=8)
    reports: list[Report] = []
    run = Run(observers=(reports.append,))
    pdml.train(small_sets(tmp_path / "cache"), settings, budget=Budget(steps=1), run=run)
    assert set(reports[-1].losses) == {
        "generator/adversarial",
        "generator/identity",
        "generator/metric",
        "discriminator/discriminator",
    }


def test_what_it_was_made_for_is_in_the_file_and_patients_are_not(tmp_path: Path) -> None:
    from demottle.methods.models import read_header

    trained = pdml.train(small_sets(tmp_path / "cache"), TINY, budget=Budget(steps=1))
    fitted = read_header(trained.save(tmp_path / "model.safetensors"))["fitted"]
    assert fitted["noise_range"] == pytest.approx([40, 40], rel=0.2)
    assert fitted["pixel_range_mm"] == [2.2, 2.2]
    assert fitted["patients"] == {"low": 1, "full": 1}
    assert "p0" not in str(fitted) and "p1" not in str(fitted)


def test_settings_and_images_it_cannot_use_are_one_sentence(tmp_path: Path) -> None:
    for bad in (
        {"patch": 20},
        {"contrast": "none"},
        {"rate": 0.0},
        {"levels": -1},
        {"levels": 9},
        {"averaging": 1.0},
        {"blocks": 999},
    ):
        with pytest.raises(InputError, match=next(iter(bad))):
            PdmlSettings(**bad)  # type: ignore[arg-type]
    mr = [(f"p{n}", Image(np.random.default_rng(n).random((3, 64, 64)) + 1, (1, 1, 1), "MR")) for n in range(4)]
    sets = sets_of(entries_of(mr[:2]), entries_of(mr[2:]), tmp_path)
    with pytest.raises(UnsuitableError, match="HU"):
        pdml.train(sets, TINY)


def test_a_hostile_model_file_is_one_sentence(tmp_path: Path) -> None:
    import json

    from safetensors.numpy import save_file

    good = pdml.train(small_sets(tmp_path / "cache"), TINY, budget=Budget(steps=1))
    header = {"version": "1", "method": "pdml", "settings": dict(good.settings), "fitted": {}}
    tensors = {name: np.ascontiguousarray(value) for name, value in good.tensors().items()}
    path = tmp_path / "model.safetensors"

    def refused(said: str, change: dict[str, object], missing: str = "") -> None:
        kept = {name: value for name, value in tensors.items() if name != missing}
        save_file(kept, path, metadata={"demottle": json.dumps({**header, **change})})
        with pytest.raises(InputError, match=rf"^{path} {said}.*\.$"):
            load(path)

    other = "does not fit the method it names; fit the model again"
    refused(other, {}, missing="head.weight")
    refused(other, {"settings": {**header["settings"], "features": 10**7}})  # type: ignore[dict-item]
    refused(other, {"settings": {**header["settings"], "blocks": 10**9}})  # type: ignore[dict-item]
    refused(other, {"settings": {**header["settings"], "features": -1}})  # type: ignore[dict-item]
    refused(other, {"method": "matched-neighbors", "settings": {"patch": 48}})
    refused("is a safetensors file, but not a model of demottle", {"settings": "nothing"})
    refused("is a safetensors file, but not a model of demottle", {"fitted": [1]})
    refused('is of the method "os.system", which demottle .* does not have', {"method": "os.system"})
    tensors["head.weight"] = np.full_like(tensors["head.weight"], np.nan)
    refused("holds numbers that are NaN", {})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=f"^{path} is damaged or not a model file; fit the model again"):
        load(path)
