"""Suite ldct on simulated pairs, laid out and named like the data of the AAPM grand challenge and of other collections."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import structural_similarity
from tests.methods.small_sets import scan_of

from demottle import io
from demottle.benchmark.suites.cases import Choices
from demottle.benchmark.suites.catalog import SUITES
from demottle.benchmark.suites.ldct.files import patients_in, split_of
from demottle.benchmark.suites.ldct.measures import WINDOWS, ldct_figures
from demottle.benchmark.suites.ldct.suite import pair_of
from demottle.errors import InputError

LDCT = SUITES["ldct"]
NAMES = ("L067", "L096", "L109", "L143", "L192", "C004")


def write_ima(folder: Path, number: int, level: float, name: str) -> None:
    """A DICOM series whose files are called as in the challenge."""
    io.write(scan_of(number, level), folder)
    for place, file in enumerate(sorted(folder.iterdir()), start=1):
        file.rename(folder / f"{name}_3_1.CT.0004.{place:04d}.2015.12.22.18.12.07.5968.358074219.IMA")


@pytest.fixture(scope="module")
def challenge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mayo") / "Training_Image_Data"
    for number, name in enumerate(NAMES):
        for dose, level in (("full", 10.0), ("quarter", 30.0)):
            place = folder / name / f"{dose}_3mm"
            place.parent.mkdir(parents=True, exist_ok=True)
            write_ima(place, number, level, f"{name}_{dose[0].upper()}D")
    write_ima(folder / NAMES[0] / "quarter_1mm", 0, 50.0, f"{NAMES[0]}_QD")
    return folder


@pytest.fixture
def split(tmp_path: Path) -> Path:
    file = tmp_path / "split.json"
    file.write_text(json.dumps({"train": list(NAMES[:3]), "validation": [NAMES[3]], "test": list(NAMES[4:])}))
    return file


def test_pairs_of_the_challenge_are_found_and_judged_by_region(challenge: Path, split: Path, tmp_path: Path) -> None:
    specs = LDCT.specs(Choices(data=challenge, split=split))
    assert [(spec.group, spec.recipe["patient"]) for spec in specs] == [("abdomen", 1), ("chest", 2)]
    assert len({spec.seed for spec in specs}) == len({spec.key for spec in specs}) == 2
    assert len(LDCT.specs(Choices(quick=True, data=challenge, split=split))) == 1
    assert len(LDCT.specs(Choices(data=challenge))) == len(NAMES)
    told = json.dumps([spec.told for spec in specs])
    assert not any(name in told for name in (*NAMES, "mayo", "Training"))
    case = LDCT.build(specs[0], tmp_path)
    assert case.noisy.voxels == pytest.approx(scan_of(4, 30.0).voxels)
    assert case.truth.voxels == pytest.approx(scan_of(4, 10.0).voxels)
    before, perfect = LDCT.judge(case, case.noisy), LDCT.judge(case, case.truth)
    assert perfect["ldct_ssim"] == pytest.approx(1) and perfect["ldct_rmse"] == 0 and perfect["ldct_psnr"] is None
    assert before["rmse"] == pytest.approx(np.hypot(30, 10), rel=0.05)


def test_learned_from_are_patients_of_the_split_and_none_who_is_judged(
    challenge: Path, split: Path, tmp_path: Path
) -> None:
    spec = LDCT.specs(Choices(data=challenge, split=split))[0]
    case = LDCT.build(spec, tmp_path)
    assert case.sets is not None
    pairs, apart = case.sets(True), case.sets(False)
    assert len(pairs.low.scans) + len(pairs.low_validation.scans) == 4
    assert [
        len(side.scans) + len(held.scans)
        for side, held in ((apart.low, apart.low_validation), (apart.full, apart.full_validation))
    ] == [2, 2]
    first = pairs.low.scans[0]
    number = int(first.facts.name.split()[1].split("-")[0]) - 1
    assert np.array_equal(first.slices, scan_of(number, 30.0).voxels)  # of the scans of 3 mm, not of 1 mm
    assert np.array_equal(pairs.full.scans[0].slices, scan_of(number, 10.0).voxels)
    nobody = LDCT.build(LDCT.specs(Choices(data=challenge))[0], tmp_path)
    assert nobody.sets is not None
    with pytest.raises(InputError, match=r"0 patients to learn from, and 4 are needed; name them as train in a split"):
        nobody.sets(False)


def layout(folder: Path, place: Callable[[str, str], str]) -> Path:
    for number, name in enumerate(("p1", "p2")):
        for dose, level in (("low", 30.0), ("full", 10.0)):
            file = folder / place(name, dose)
            file.parent.mkdir(parents=True, exist_ok=True)
            io.write(scan_of(number, level), file)
    return folder


@pytest.mark.parametrize(
    "place",
    [
        lambda name, dose: f"{dose}/{name}.nii.gz",
        lambda name, dose: f"data/{'quarter' if dose == 'low' else dose}_3mm/{name}/{dose}_3mm/scan.nii.gz",
        lambda name, dose: f"{name}/12-23-2021/1.000000-{dose.title()} Dose Images-0{len(dose)}/scan.nii.gz",
    ],
    ids=["low and full", "dose before patient", "with dates"],
)
def test_other_layouts(place: Callable[[str, str], str], tmp_path: Path) -> None:
    found = patients_in(layout(tmp_path, place))
    assert list(found) == ["p1", "p2"]
    low, full = pair_of(found["p2"])
    assert np.array_equal(low.voxels, scan_of(1, 30.0).voxels) and np.array_equal(full.voxels, scan_of(1, 10.0).voxels)


def test_what_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pairs of scans of your own; name the folder"):
        LDCT.specs(Choices())
    found = patients_in(layout(tmp_path / "data", lambda name, dose: f"{dose}/{name}.nii.gz"))
    file = tmp_path / "split.json"
    for text, said in (
        ("[", "not a readable split"),
        ('{"test": "p1"}', "not a split; it has to be JSON with lists"),
        ('{"train": ["p1"]}', "names nobody to judge"),
        ('{"train": ["p1"], "test": ["p1"]}', "names p1 twice"),
        ('{"test": ["p1", "p3"]}', r"names 1 patient of whom there is no pair \(p3\)"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=said):
            split_of(file, found)
    io.write(scan_of(1, 10.0).part(0, 2), tmp_path / "data" / "full" / "p2.nii.gz", overwrite=True)
    with pytest.raises(InputError, match=r"3 slices of 96 x 96 at low dose, 2 slices of 96 x 96 at full dose"):
        pair_of(found["p2"])
    (tmp_path / "data" / "low" / "p1.nii.gz").unlink()
    (tmp_path / "data" / "low" / "p2.nii.gz").unlink()
    with pytest.raises(InputError, match="holds no pair of scans"):
        patients_in(tmp_path / "data")


@pytest.mark.parametrize("region", WINDOWS)
def test_the_figures_are_those_of_ldct_benchmark(region: str) -> None:
    """As that program has them: stored values, HU + 1024, float32; piecewise window; each slice by itself."""
    random = np.random.default_rng(7)
    truth = np.round(random.normal(0, 1, (3, 64, 64)).cumsum(1).cumsum(2) * 12 - 100).astype(np.float32)
    image = (truth + random.normal(0, 25, truth.shape)).astype(np.float32)
    center, width = WINDOWS[region][0] + 1024, WINDOWS[region][1]
    low, high = center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2

    def seen(hu: np.ndarray) -> np.ndarray:
        x = hu + np.float32(1024)
        inside = ((x - (center - 0.5)) / (width - 1) + 0.5).astype(np.float32)
        return np.where(x <= low, np.float32(0), np.where(x > high, np.float32(1), inside))

    def errors(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.mean((one.astype(float) - other.astype(float)) ** 2))

    pairs = list(zip(image, truth, strict=True))
    psnr = np.mean([10 * np.log10(1 / errors(seen(a), seen(b))) for a, b in pairs])
    ssim = np.mean([structural_similarity(seen(b), seen(a), data_range=1.0) for a, b in pairs])  # type: ignore[no-untyped-call]
    cut = [(np.clip(a + 1024, 0, 2924), np.clip(b + 1024, 0, 2924)) for a, b in pairs]
    got = ldct_figures(image, truth, WINDOWS[region])
    assert got["ldct_psnr"] == pytest.approx(psnr, abs=0.005)
    assert got["ldct_ssim"] == pytest.approx(ssim, abs=1e-4)
    assert got["ldct_rmse"] == pytest.approx(np.mean([np.sqrt(errors(a, b)) for a, b in cut]), rel=1e-4)
    assert got["psnr_2000"] == pytest.approx(np.mean([20 * np.log10(2000 / np.sqrt(errors(a, b))) for a, b in pairs]))
