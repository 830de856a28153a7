"""Only the pictures tell an arm: an adversary with everything else a browser is given guesses no better than chance."""

import gzip
import http.client
import json
import shutil
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from tests.study.conftest import Arms, asked, key_of, read, scan, served

from demottle import io
from demottle.errors import InputError
from demottle.study import Plan, create
from demottle.study.application import Application, Response
from demottle.study.design import Study, draw_images
from demottle.study.files import StudyFolder, key_file, read_study
from demottle.study.pictures import draw_stacks
from demottle.study.store import Store

NOISE = {"original": 60.0, "clean": 20.0, "smooth": 4.0}
CASES, SLICES = 14, 3
SIZES = (24, 40)  # of the scans in turn: two geometries, as in a real study
Features = NDArray[np.float64]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Arms:
    folder = tmp_path_factory.mktemp("three")
    for number in range(CASES):
        for arm, noise in NOISE.items():
            image = scan(number, SLICES, SIZES[number % 2], noise)
            io.write(image, folder / arm / f"scan{number:02d}.nii.gz")
    return {arm: folder / arm for arm in NOISE}


@pytest.fixture(scope="module")
def blinded(three: Arms, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blinded") / "study"
    create(three, folder, read, Plan(slices=SLICES, repeats=0, seed=11))
    return folder


@pytest.fixture
def earlier(blinded: Path, tmp_path: Path) -> Path:
    """The same study as it was written before files had one size and the key a place of its own."""
    files, made = StudyFolder(blinded), StudyFolder(tmp_path / "earlier")
    study = read_study(blinded)
    for trial in study.trials:
        for number in range(SLICES):
            target = made.slice_file(trial.images[0], number)
            target.parent.mkdir(parents=True, exist_ok=True)
            codes = gzip.decompress(files.slice_file(trial.images[0], number).read_bytes())
            target.write_bytes(gzip.compress(codes, 6, mtime=0))
    shutil.copy(blinded / "study.json", made.path)
    shutil.copy(key_file(blinded), made.path / "key.json")  # where it was
    return made.path


class Packed(Application):
    """Sends images compressed, as the program once did."""

    def get(self, path: str) -> Response:
        if not path.startswith("/api/image/"):
            return super().get(path)
        name, _, number = path.removeprefix("/api/image/").split("/")
        data = self._files.slice_file(self.study.trial(name).images[0], int(number)).read_bytes()
        return Response(200, "application/octet-stream", data, {"Content-Encoding": "gzip"})


class Unpacking(Application):
    """Answers at one length, but unpacks each image when it is asked for."""

    def get(self, path: str) -> Response:
        name, _, number = path.removeprefix("/api/image/").split("/")
        data = gzip.decompress(self._files.slice_file(self.study.trial(name).images[0], int(number)).read_bytes())
        return Response(200, "application/octet-stream", data.ljust(self._images.size, b"\0"))


def truth(folder: Path) -> tuple[Study, dict[str, tuple[int, int]]]:
    """Case and number of the arm of each trial."""
    study = read_study(folder)
    key = key_of(folder, study)
    told = {trial.name: key.images[trial.images[0]] for trial in study.trials}
    return study, {name: (what.case, key.arms.index(what.arm)) for name, what in told.items()}


def seen_by_a_browser(app: Application, reader: str) -> dict[str, list[float]]:
    """Numbers about each trial: its name, its place, all fields of its description, and all of its answers but the codes."""
    seen: dict[str, list[float]] = {}
    with served(app) as address:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
        page = asked(address, "api/reader", {"reader": reader})
        for place, trial in enumerate(page["trials"]):
            digits = [int(digit, 16) for digit in trial["name"]]
            numbers = [float(place), float(int(trial["name"], 16)), float(sum(digits)), float(digits[-1])]
            numbers += [
                len(json.dumps(value)) + (value if isinstance(value, int | float) else 0) for value in trial.values()
            ]
            for number in range(trial["slices"]):
                connection.request("GET", f"/api/image/{trial['name']}/0/{number}", headers={"Accept-Encoding": "gzip"})
                response = connection.getresponse()
                headers = [(name, value) for name, value in response.getheaders() if name != "Date"]
                told = (
                    len(headers),
                    sum(len(name) + len(value) for name, value in headers),
                    int(response.headers["Content-Length"]),
                )
                numbers += [float(response.status), *map(float, told), float(len(response.read()))]
            seen[trial["name"]] = numbers
        connection.close()
    return seen


def table(seen: dict[str, list[float]], told: dict[str, tuple[int, int]]) -> Features:
    """Shape (cases, arms, features), as ranks within its case, which an adversary may know from its anatomy."""
    found = np.zeros((CASES, len(NOISE), len(next(iter(seen.values())))))
    for name, numbers in seen.items():
        found[told[name]] = numbers
    return np.asarray(stats.rankdata(found, axis=1)) - (len(NOISE) + 1) / 2


def guessed(features: Features) -> float:
    """Share of arms guessed right by the nearest mean of each arm in the other cases; chance where there is nothing to see."""
    spread = (features - features.mean(axis=0)).std(axis=(0, 1))  # within arms: what tells them apart weighs most
    told = features[..., features.std(axis=(0, 1)) > 1e-9]
    if told.shape[-1] == 0:
        return 1 / features.shape[1]
    told = told / np.maximum(spread[features.std(axis=(0, 1)) > 1e-9], 1e-9)
    means = (told.sum(axis=0) - told) / (len(told) - 1)  # for each case those of all others
    away = ((told[:, :, None, :] - means[:, None, :, :]) ** 2).sum(axis=-1)
    return float((away.argmin(axis=2) == np.arange(features.shape[1])).mean())


def chance(features: Features, measure: Callable[[Features], float], draws: int = 1000) -> float:
    """How often `measure` gets as high with the arms of each case exchanged by chance: a p-value."""
    rng = np.random.default_rng(0)
    found, higher = measure(features), 0
    for _ in range(draws):
        order = rng.random(features.shape[:2]).argsort(axis=1)
        higher += measure(np.take_along_axis(features, order[..., None], axis=1)) >= found - 1e-12
    return (1 + higher) / (1 + draws)


def differing(features: Features) -> float:
    """The largest difference between arms that any one feature shows, in standard errors."""
    spread = np.maximum(features.std(axis=(0, 1)), 1e-9)
    return float(np.abs(features.mean(axis=0) / spread).max())


def test_an_adversary_with_everything_the_browser_sees_is_at_chance(blinded: Path) -> None:
    _, told = truth(blinded)
    app = Application(blinded)
    for reader in ("r1", "r2", "r3"):
        features = table(seen_by_a_browser(app, reader), told)
        assert chance(features, guessed) > 0.01
        assert chance(features, differing) > 0.01


def test_the_adversary_knows_arms_from_the_lengths_of_compressed_images(earlier: Path) -> None:
    """As the program sent them before: what the test above would have found."""
    _, told = truth(earlier)
    features = table(seen_by_a_browser(Packed(earlier), "r1"), told)
    assert guessed(features) > 0.9
    assert chance(features, guessed) < 0.01
    assert chance(features, differing) < 0.01


def test_all_answers_with_images_are_alike_but_for_the_codes(blinded: Path, earlier: Path) -> None:
    """Also those of a study that was made when files still differed in size, and of scans of another matrix."""
    for folder in (blinded, earlier):
        app = Application(folder)
        key = key_of(folder, app.study)
        answers = set()
        with served(app) as address:
            connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
            for trial in app.study.trials:
                what, case = key.images[trial.images[0]], app.study.cases[trial.case]
                values = read(Path(str(key.sources[what.case][what.arm]))).voxels
                for number in range(SLICES):
                    connection.request("GET", f"/api/image/{trial.name}/0/{number}")
                    response = connection.getresponse()
                    body = response.read()
                    answers.add((response.status, len(body), *[h for h in response.getheaders() if h[0] != "Date"]))
                    codes, rest = body[: 2 * case.rows * case.columns], body[2 * case.rows * case.columns :]
                    assert np.array_equal(np.frombuffer(codes, "<i2").reshape(case.rows, case.columns), values[number])
                    assert not any(rest)
            connection.close()
        assert len(answers) == 1
        assert next(iter(answers))[:2] == (200, 2 * max(SIZES) ** 2)
        told = {name for name, _ in list(next(iter(answers)))[2:]}
        assert not told & {"Content-Encoding", "ETag", "Last-Modified", "Transfer-Encoding"}


def seconds_of(app: Application, told: dict[str, tuple[int, int]]) -> Features:
    """Shortest of some times that each image took, as a table."""
    times: dict[str, list[float]] = {name: [] for name in told}
    rng = np.random.default_rng(3)
    for _ in range(15):
        for name in rng.permutation(sorted(told)):
            start = time.perf_counter()
            app.get(f"/api/image/{name}/0/1")
            times[str(name)].append(time.perf_counter() - start)
    return table({name: [min(values)] for name, values in times.items()}, told)


def test_the_time_of_an_answer_does_not_tell_its_arm(blinded: Path) -> None:
    """Without the network between, so with less to hide it. By chance it fails once in a million: three rounds, each p < 0.01."""
    _, told = truth(blinded)
    app = Application(blinded)
    assert max(chance(seconds_of(app, told), differing) for _ in range(3)) > 0.01
    # That one would see it: the same answers, each unpacked when it is asked for. Other work on the machine hides it at times.
    assert any(chance(seconds_of(Unpacking(blinded), told), differing) < 0.01 for _ in range(8))


def test_files_on_the_disk_do_not_tell_either(blinded: Path) -> None:
    files = sorted((blinded / "images").rglob("*.gz"))
    assert len({(path.stat().st_size, path.stat().st_mtime) for path in files}) == 1
    order = [path.parent.name for path in sorted(files, key=lambda path: path.stat().st_ino)]
    key = key_of(blinded, read_study(blinded))
    arms = [key.arms.index(key.images[name].arm) for name in dict.fromkeys(order)]
    turns = sum(first != other for first, other in pairwise(arms))
    assert turns < 0.9 * len(arms)  # written arm by arm they would turn at each


def test_a_reader_who_knows_scans_and_program_cannot_draw_the_names(three: Arms, tmp_path: Path) -> None:
    """Neither with the seed that every study once had, nor with the right one, if they lack the images."""
    drawn = []
    for name, seed in (("a", None), ("b", None), ("c", 0)):
        create(three, tmp_path / name, read, Plan(slices=SLICES, repeats=0, seed=seed))
        drawn.append(key_of(tmp_path / name, read_study(tmp_path / name)))
    assert drawn[0].seed != drawn[1].seed
    assert not set(drawn[0].images) & set(drawn[1].images)
    for key in drawn:
        rng = np.random.default_rng(key.seed)
        for _ in range(CASES):
            draw_stacks(SLICES, SLICES, 1, rng, "It")
        assert not set(draw_images(CASES, tuple(NOISE), rng)) & set(key.images)


def test_what_was_drawn_can_be_made_again(three: Arms, tmp_path: Path) -> None:
    create(three, tmp_path / "a", read, Plan(slices=1))
    seed = key_of(tmp_path / "a", read_study(tmp_path / "a")).seed
    create(three, tmp_path / "b", read, Plan(slices=1, seed=seed))
    assert read_study(tmp_path / "a") == read_study(tmp_path / "b")


@pytest.mark.parametrize("damage", ["missing", "cut", "empty", "another size"])
def test_a_damaged_image_is_said_before_a_reader_begins(damage: str, earlier: Path) -> None:
    study = read_study(earlier)
    path = StudyFolder(earlier).slice_file(study.trials[0].images[0], 0)
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[:-20], "empty": b""}.get(damage, gzip.compress(bytes(8))))
    if damage == "missing":
        path.unlink()
    with pytest.raises(InputError, match=r"copy the study again\.$"):
        Store(StudyFolder(earlier), study)
