"""Two folders of scans become sets to learn from: split by patient, checked, read once, nothing of the patients kept."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from demottle import io
from demottle.errors import InputError
from demottle.image import Image
from demottle.learning.data.cohort import Sets
from demottle.learning.data.dataset import Choices, Reading, entries_of, gather, sets_of
from demottle.learning.data.sampling import PairedPatches, UnpairedPatches
from demottle.learning.players import Share

CT = Reading(modality="CT", spacing=(3.0, 1.5, 1.5))


def scan(seed: int, level: float = 20.0, rows: int = 96, unit: str = "HU") -> Image:
    random = np.random.default_rng(seed)
    voxels = np.full((6, rows, 96), -1000.0)
    voxels[:, 16:-16, 16:-16] = 40
    voxels += random.normal(0, level, voxels.shape)
    return Image(np.rint(voxels).astype(np.float32), (3.0, 1.5, 1.5), "CT", unit)


def write(folder: Path, numbers: range, level: float = 20.0) -> Path:
    folder.mkdir()
    for number in numbers:
        np.save(folder / f"patient{number}.npy", scan(number, level).voxels)
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path / "low", range(4)), write(tmp_path / "full", range(10, 13), 5.0)


def share(step: int = 0, items: range = range(6)) -> Share:
    return Share(3, step, items, torch.device("cpu"))


def test_split_by_patient_and_written_down(folders: tuple[Path, Path], tmp_path: Path) -> None:
    sets = gather(*folders, tmp_path / "cache", reading=CT)
    assert len(sets.low.scans) == 3 and len(sets.low_validation.scans) == 1
    assert len(sets.full.scans) == 2 and len(sets.full_validation.scans) == 1
    assert not (sets.low.patients | sets.full.patients) & (sets.low_validation.patients | sets.full_validation.patients)
    manifest = json.loads(json.dumps(sets.manifest))
    used = {one["patient"]: one["used_for"] for one in manifest["low"]}
    assert used[next(iter(sets.low_validation.patients))] == "validation"
    assert sum(value == "learning" for value in used.values()) == 3
    summary = sets.summary()
    assert summary["noise_range"][0] == pytest.approx(20, rel=0.15) and summary["unit"] == "HU"
    assert "patient1" not in json.dumps(summary)


@pytest.mark.parametrize("share_kept", [0.01, 0.9])
def test_someone_is_always_learned_from_and_someone_checked_on(
    share_kept: float, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    sets = gather(*folders, tmp_path / "cache", Choices(validation_share=share_kept), CT)
    assert sets.low.scans and sets.low_validation.scans and sets.full.scans and sets.full_validation.scans
    assert (len(sets.low.scans) == 1) is (share_kept == 0.9)


def test_scans_are_read_once_and_the_same_seed_splits_alike(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = gather(*folders, tmp_path / "cache", reading=CT)
    monkeypatch.setattr(io, "read", lambda *_, **__: pytest.fail("read again"))
    again = gather(*folders, tmp_path / "cache", reading=CT)
    assert (again.key, again.manifest) == (first.key, first.manifest)
    keys = {gather(*folders, tmp_path / "cache", Choices(seed=seed), CT).key for seed in range(6)}
    assert len(keys) > 1


def test_what_is_kept_is_exactly_what_was_scanned(folders: tuple[Path, Path], tmp_path: Path) -> None:
    sets = gather(*folders, tmp_path / "cache", reading=CT)
    one = sets.low.scans[0]
    assert one.slices.dtype == np.int16
    assert np.array_equal(one.slices, np.load(folders[0] / one.facts.name))
    fractions = [(f"p{i}", Image(scan(i).voxels + 0.25, (3, 1.5, 1.5), "CT", "HU")) for i in range(4)]
    sets = sets_of(entries_of(fractions[:2]), entries_of(fractions[2:]), tmp_path / "other")
    assert sets.low.scans[0].slices.dtype == np.float32


def test_a_small_cache_keeps_some_slices_of_every_scan(folders: tuple[Path, Path], tmp_path: Path) -> None:
    sets = gather(*folders, tmp_path / "cache", Choices(most_gigabytes=1e-6), CT)
    assert {len(one.slices) for one in sets.low.scans} == {4}


def test_patches_lie_in_the_body_and_do_not_depend_on_the_process(folders: tuple[Path, Path], tmp_path: Path) -> None:
    sets = gather(*folders, tmp_path / "cache", reading=CT)
    draw = UnpairedPatches(sets, 32)
    low, full = draw(share())
    assert low.shape == full.shape == (6, 1, 32, 32)
    assert ((low > -500).float().mean((1, 2, 3)) > 0.2).all()
    second_half, _ = draw(share(items=range(3, 6)))
    assert torch.equal(low[3:], second_half)
    assert not torch.equal(low, draw(share(step=1))[0])


def test_pairs_are_cut_at_the_same_places(tmp_path: Path) -> None:
    clean = [(f"p{i}", scan(i, 3.0)) for i in range(3)]
    noisy = [(name, image.with_voxels(image.voxels + 100)) for name, image in clean]
    sets = sets_of(entries_of(noisy), entries_of(clean), tmp_path, Choices(paired=True))
    low, full = PairedPatches(sets, 32)(share())
    assert torch.equal(low - 100, full)


@pytest.mark.parametrize("fractional", ["low", "full"])
def test_pairs_keep_the_same_slices_whichever_way_they_are_stored(fractional: str, tmp_path: Path) -> None:
    """Computed low dose is float32, the scanner's full dose int16: a small cache must not thin them differently."""
    numbers = np.arange(24.0)[:, None, None]  # each slice says which one it is
    whole = [
        (f"p{i}", Image(np.where(scan(i).voxels[:1] > -500, i + numbers, -1000.0), (3, 1.5, 1.5), "CT", "HU"))
        for i in range(3)
    ]
    parts = [(name, image.with_voxels(image.voxels + np.float32(0.25))) for name, image in whole]
    low, full = (parts, whole) if fractional == "low" else (whole, parts)
    room = Choices(paired=True, most_gigabytes=96 * 96 * 2 * 12 * 12 / 1e9)  # 12 slices of int16 each
    sets = sets_of(entries_of(low), entries_of(full), tmp_path, room)
    one, other = sets.low.scans[0], sets.full.scans[0]
    assert 4 <= len(one.slices) < 24 and one.facts.kept == other.facts.kept
    for step in range(4):
        drawn, truth = PairedPatches(sets, 32)(share(step))
        assert torch.equal((drawn - truth).abs(), torch.full_like(truth, 0.25))


def test_what_is_derived_is_made_of_whole_slices_once(folders: tuple[Path, Path], tmp_path: Path) -> None:
    sets = gather(*folders, tmp_path / "cache", reading=CT)
    shapes = []

    def halved(plane: np.ndarray) -> np.ndarray:
        shapes.append(plane.shape)
        return plane / 2

    low, _ = UnpairedPatches(sets, 32, derive=("half", halved))(share())
    assert set(shapes) == {(96, 96)}
    count = len(shapes)
    again, _ = UnpairedPatches(sets, 32, derive=("half", halved))(share())
    assert len(shapes) == count and torch.equal(low, again)
    assert low * 2 == pytest.approx(UnpairedPatches(sets, 32)(share())[0].numpy(), abs=1)


def some(numbers: range, **more: object) -> list[tuple[str, Image]]:
    return [(f"p{i}", scan(i, **more)) for i in numbers]  # type: ignore[arg-type]


def test_what_cannot_be_learned_from_is_one_sentence(tmp_path: Path) -> None:
    def sets(low: list[tuple[str, Image]], full: list[tuple[str, Image]], paired: bool = False) -> Sets:
        return sets_of(entries_of(low), entries_of(full), tmp_path / "cache", Choices(paired=paired))

    with pytest.raises(InputError, match="one patient only"):
        sets(some(range(1)), some(range(5, 8)))
    with pytest.raises(InputError, match="2 scans with the same PatientID"):
        sets([("anonymous", scan(0)), ("anonymous", scan(1))], some(range(5, 8)))
    with pytest.raises(InputError, match="on both sides"):
        sets(some(range(3)), some(range(2, 5)))
    with pytest.raises(InputError, match="different units"):
        sets(some(range(3)), some(range(5, 8), unit="a.u."))
    with pytest.raises(InputError, match="need one for each"):
        sets(some(range(3)), some(range(5, 9)), paired=True)
    with pytest.raises(InputError, match="same names"):
        sets(some(range(3)), some(range(5, 8)), paired=True)
    with pytest.raises(InputError, match=r"geometry .*6 slices of 96 x 96.*6 slices of 80 x 96"):
        sets(some(range(3)), [(f"p{i}", scan(i + 9, rows=80)) for i in range(3)], paired=True)
    with pytest.raises(InputError, match=r"geometry .*6 slices of .*4 slices of"):
        sets(some(range(3)), [(f"p{i}", scan(i + 9).part(0, 4)) for i in range(3)], paired=True)
    unsaid = [(name, Image(image.voxels, image.spacing)) for name, image in some(range(5, 8))]
    with pytest.raises(InputError, match=r"different units .*say what those are") as refused:
        sets(some(range(3)), unsaid)
    assert refused.value.remedy == "modality"
    with pytest.raises(InputError, match="no body in"):
        nothing = Image(np.full((4, 64, 64), -1000, np.float32), (1, 1, 1), "CT", "HU")
        sets([("p0", nothing)], some(range(3)))


def test_folders_that_cannot_be_learned_from_are_one_sentence(folders: tuple[Path, Path], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(InputError, match="both sides"):
        gather(folders[0], folders[0], cache, reading=CT)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no scans"):
        gather(tmp_path / "empty", folders[1], cache, reading=CT)
    with pytest.raises(InputError, match="no folder"):
        gather(tmp_path / "missing", folders[1], cache, reading=CT)
    (folders[0] / "broken.npy").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"broken.npy cannot be learned from"):
        gather(*folders, cache, reading=CT)


def test_dicom_patients_are_hashed_and_kernels_are_not_mixed(tmp_path: Path) -> None:
    import pydicom

    for side, numbers in (("low", range(2)), ("full", range(5, 7))):
        for number in numbers:
            folder = tmp_path / side / f"Miller^Anna{number}"
            io.write(scan(number), folder)
            for file in folder.iterdir():
                header = pydicom.dcmread(file)
                header.PatientID, header.ConvolutionKernel = f"MRN-{number}", "B40f"
                header.save_as(file)
    sides = tmp_path / "low", tmp_path / "full"
    sets = gather(*sides, tmp_path / "cache")
    assert len(sets.low.patients | sets.low_validation.patients) == 2
    text = json.dumps(sets.manifest)
    assert "MRN" not in text and "Miller" not in text
    for file in (tmp_path / "full" / "Miller^Anna6").iterdir():
        header = pydicom.dcmread(file)
        header.ConvolutionKernel = "B70f"
        header.save_as(file)
    with pytest.raises(InputError, match="kernels") as raised:
        gather(*sides, tmp_path / "cache")
    assert raised.value.remedy == "allow_mixed"
    gather(*sides, tmp_path / "cache", Choices(allow_mixed=True))
