"""What is measured on a phantom is what was painted: CT numbers, sharpness, slice thickness, noise, contrast, bars."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.quality.qa.scans import examined, f_at, scan_of

from demottle.errors import InputError
from demottle.physics.phantoms.qa.layouts import LAYOUTS
from demottle.quality.phantoms.figures import figures_of
from demottle.quality.phantoms.found import in_slice
from demottle.quality.phantoms.line_pairs import Group, level_at
from demottle.quality.phantoms.measured import examine, measure

STRONG = 150.0  # HU of contrast, of rods whose sharpness noise does not blur
TILTED = ("catphan-504", -4.6, (3.4, -3.4), False)


def check(found, pose, strong=STRONG, thickness=None):
    """What holds for every phantom with rods."""
    module = found.found.layout.module("rods")
    assert {rod.rod.name for rod in found.before.rods} >= {rod.name for rod in module.rods if not rod.optional}
    for rod in found.before.rods:
        assert rod.hu == pytest.approx(rod.rod.hu, abs=1), rod.rod.name
        assert rod.within
        if abs(rod.rod.hu - module.hu) > strong:
            assert rod.edge is not None, rod.why
            assert rod.edge.f50 == pytest.approx(f_at(0.5), rel=0.03), rod.rod.name
            if f_at(0.1) < 0.9 * rod.edge.frequency[-1]:  # near the Nyquist frequency noise decides where a curve ends
                assert rod.edge.f10 == pytest.approx(f_at(0.1), rel=0.05), rod.rod.name
    for ramp in found.before.ramps:
        assert ramp.thickness == pytest.approx(thickness or 3.0, rel=0.05), ramp.name
    assert len(found.before.ramps) == len(module.ramps)


def test_a_tilted_catphan_reads_as_it_was_painted():
    found, pose = examined(*TILTED)
    check(found, pose)
    uniform = found.before.uniformity
    assert uniform.center == pytest.approx(12, abs=0.3) and abs(uniform.worst) < 0.6
    assert uniform.noise == pytest.approx(6, rel=0.03)
    assert uniform.nps.sigma == pytest.approx(6, rel=0.03)
    targets = {target.rod.name: target for target in found.before.targets}
    assert targets["1.0 %, 15 mm"].found == pytest.approx(10, abs=1)
    assert targets["1.0 %, 15 mm"].cnr == pytest.approx(10 / 6, rel=0.12)
    assert targets["1.0 %, 15 mm"].npwe > 1.4 * targets["1.0 %, 5 mm"].npwe > 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in LAYOUTS if "catphan" in kind or "acr" in kind])
@pytest.mark.parametrize("pose", [(0.0, (0.0, 0.0), False), (4.0, (-3.0, 3.0), True)])
def test_every_phantom_reads_as_it_was_painted(kind, pose):
    found, painted = examined(kind, *pose, spacing=(3.0, 0.7, 0.7))
    assert found.found.layout.kind == kind
    check(found, painted)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("thickness", "distance", "within"),
    [(0.625, 0.625, 0.12), (1.25, 1.25, 0.05), (2.0, 1.0, 0.05), (5.0, 5.0, 0.05), (4.0, 2.0, 0.05)],
)
@pytest.mark.parametrize("tilt", [(0.0, 0.0), (4.0, -2.0)])
def test_the_slice_thickness_is_that_of_thin_thick_and_overlapping_slices(thickness, distance, within, tilt):
    found, _ = examined(
        "catphan-504", 2.0, tilt, spacing=(distance, 0.6, 0.6), blur=0.5, thickness=thickness, part=(-70.0, 55.0)
    )
    measured = [ramp.thickness for ramp in found.before.ramps]
    assert np.mean(measured) == pytest.approx(thickness, rel=within)


def test_the_bars_fade_as_their_blur_says():
    found, _ = examined("catphan-504", 1.0)
    groups = list(found.before.line_pairs)
    assert [group.per_cm for group in groups] == [1, 2, 3, 4, 5, 6, 7, 8]
    transfer = [_square_wave(group.per_cm / 10) for group in groups]
    for group, wanted in list(zip(groups, transfer, strict=True))[:5]:
        assert group.modulation == pytest.approx(wanted, abs=0.08), group.per_cm
    assert level_at(groups, 0.5) == pytest.approx(_frequency_of(0.5), rel=0.06)


def _square_wave(f, blur=0.7):
    """Modulation of a blurred square wave, bars and gaps read over the middle half of each."""
    x = (np.arange(4000) + 0.5) / 4000
    terms = [
        4 / np.pi * (-1) ** k / n * np.exp(-2 * (np.pi * blur * n * f) ** 2) * np.cos(2 * np.pi * n * x)
        for k, n in enumerate(range(1, 40, 2))
    ]
    wave = np.sum(terms, axis=0)
    bar, gap = (x < 0.125) | (x > 0.875), abs(x - 0.5) < 0.125
    return float(wave[bar].mean() - wave[gap].mean()) / 2


def _frequency_of(level):
    f = np.linspace(0.5, 8, 200)
    return float(np.interp(-level, [-_square_wave(v / 10) for v in f], f))


def test_a_level_is_not_told_across_a_group_that_is_missing():
    assert np.isnan(level_at([Group(1, 0.9), Group(2, float("nan")), Group(3, 0.1)], 0.5))
    assert level_at([Group(1, 0.9), Group(2, 0.1)], 0.5) == pytest.approx(1.5)


def test_what_a_denoiser_blurred_is_told_at_the_same_places():
    scan, _ = scan_of(*TILTED)
    soft = scan.with_voxels(gaussian_filter(scan.voxels, (0, 1, 1)).astype(np.float32))
    found = examine(scan, soft)
    figures = {(f.group, f.name): f for f in figures_of(found, scan)}
    f50 = figures["sharpness", "f50 of Teflon"]
    assert f50.after == pytest.approx(f_at(0.5, float(np.hypot(0.7, 1.0))), rel=0.04) and f50.before > 1.5 * f50.after
    noise = figures["noise", "standard deviation"]
    assert noise.after < 0.4 * noise.before
    number = figures["CT number", "acrylic"]
    assert number.after == pytest.approx(number.before, abs=2) and number.within(number.after)
    moved = scan.with_voxels(scan.voxels + np.float32(30))
    shifted = replace(found, after=measure(moved, found.found))
    worse = {(f.group, f.name): f for f in figures_of(shifted, scan)}
    assert worse["CT number", "acrylic"].within(worse["CT number", "acrylic"].after) is False
    with pytest.raises(InputError, match="compare images of one shape"):
        examine(scan, scan.part(0, 20))


def test_a_target_that_was_erased_is_not_seen_however_quiet_its_place_is():
    scan, pose = scan_of(*TILTED)
    quiet = scan.with_voxels(np.where(abs(scan.voxels - 12) < 40, 12 + 0.05 * (scan.voxels - 12), scan.voxels))
    rod = next(rod for rod in LAYOUTS["catphan-504"].module("low contrast").rods if rod.diameter == 9)
    rows, columns = np.indices(scan.shape[1:])
    voxels = quiet.voxels.copy()
    for index in range(scan.shape[0]):
        row, column = in_slice(scan, pose, rod.place, index)
        at = np.hypot(rows - row, columns - column) < 9
        voxels[index][at & (abs(voxels[index] - 12) < 40)] = 12
    targets = {target.rod.name: target for target in examine(scan, quiet.with_voxels(voxels)).after.targets}
    assert targets["1.0 %, 9 mm"].npwe < 0.1 * targets["1.0 %, 8 mm"].npwe


def test_padding_around_the_reconstruction_circle_is_taken_for_air():
    scan, _ = scan_of(*TILTED)
    y, x = np.indices(scan.shape[1:]) - (np.array(scan.shape[1:]) / 2)[:, None, None]
    valid = np.broadcast_to(np.hypot(y, x) < scan.shape[1] / 2 - 1, scan.shape)
    padded = replace(scan, voxels=np.where(valid, scan.voxels, np.nan).astype(np.float32), valid=valid)
    found = examine(padded)
    assert found.before.refused == examined(*TILTED)[0].before.refused
    assert found.before.uniformity.nps is not None


@pytest.mark.slow
def test_a_vial_counts_only_where_it_holds_water():
    scan, pose = scan_of("catphan-600", 1.0, part=(-80.0, 25.0))
    figures = figures_of(examine(scan), scan)
    assert any(f.name == "water (vial)" and f.within(f.before) for f in figures)
    x, y = pose.at((0.0, -58.7), 0.0)[:2]
    rows, columns = np.indices(scan.shape[1:])
    voxels = scan.voxels.copy()
    voxels[:, np.hypot(rows * scan.spacing[1] - y, columns * scan.spacing[2] - x) < 6] = -1000
    empty = examine(scan.with_voxels(voxels))
    assert empty.found.layout.kind == "catphan-600"
    assert any("water (vial): it is not filled" in sentence for sentence in empty.before.refused)


def test_what_lies_outside_of_the_scan_is_said():
    scan, _ = scan_of("catphan-504", part=(-12.0, 50.0))
    found = examine(scan, kind="catphan-504")
    told = " ".join(found.before.refused)
    assert "the module CTP486 is not in the scan" in told and "CTP515 is not in the scan" in told
    assert len(found.before.rods) == 8
    acr = examined("acr-464", 5.0, (0.0, 4.9), True)[0]
    assert any("no wire ramps whose place is known" in sentence for sentence in acr.before.refused)


@pytest.mark.slow
def test_a_hotelling_observer_looks_at_thin_slices_of_the_low_contrast_phantom():
    scan, _ = scan_of("cct189", 3.0, noise=6.0, spacing=(0.5, 0.7, 0.7))
    found = examine(scan)
    assert [target.rod.name for target in found.before.targets] == [rod.name for rod in LAYOUTS["cct189"].key.rods]
    for target in found.before.targets:
        assert target.hotelling is not None
        # white noise: d' of a matched filter is contrast x sqrt(area) / (noise x pixel), and channels see most of it
        ideal = target.contrast * np.sqrt(np.pi) * target.rod.diameter / 2 / (6.0 * 0.7)
        assert 0.5 * ideal < target.hotelling.dprime < 1.15 * ideal, target.rod.name
    assert any(f.name == "d' of 10 mm, 3 HU (Hotelling)" for f in figures_of(found, scan))
