"""Broken files, one by one, through the program: a result or a sentence, never a bug, a crash or a wait without end.

Slow: 500 files, some minutes. `make fuzz` runs it; DEMOTTLE_FUZZ_FIRST=N begins with another number, for other files.
"""

import os
from pathlib import Path

import pytest
from tests.fuzz.apart import Ending, run_apart, warm_up
from tests.fuzz.mutations import break_file
from tests.fuzz.seeds import make_seeds

FILES = 500
FIRST = int(os.environ.get("DEMOTTLE_FUZZ_FIRST", "0"))


def denoise(path: Path, folder: Path) -> Ending:
    method = "frame-average" if "run" in path.name else "gaussian"
    arguments = [
        "denoise",
        str(path),
        "-o",
        str(folder / "out"),
        "--method",
        method,
        "--force",
        "--no-report",
        "--overwrite",
    ]
    if path.suffix in (".npy", ".tif"):
        arguments += ["--spacing", "2.5,0.8,0.7"]
    if path.suffix not in (".dcm", ".zip"):
        arguments += ["--modality", "CT"]
    return run_apart(arguments, folder / "log.txt")


def fault(ending: Ending) -> str:
    """What is wrong with how the program ended; empty where nothing is."""
    if ending.code not in (0, 2):
        return f"ended with {ending.code}"
    if "Traceback" in ending.said:
        return "a traceback"
    if ending.code == 2 and ending.said.count("Error:") != 1:
        return "not one sentence"
    if ending.code == 2 and (ending.seconds > 30 or ending.gib > 1.5):  # 10 s on a machine that does nothing else
        return f"{ending.seconds:.0f} s, {ending.gib:.1f} GiB"
    return ""


@pytest.mark.slow
def test_whatever_a_file_holds_there_is_a_result_or_a_sentence(tmp_path):
    seeds = make_seeds(tmp_path / "seeds")
    warm_up()
    for seed in seeds:
        assert denoise(seed, tmp_path).code == 0, seed.name
    found = []
    for number in range(FIRST, FIRST + FILES):
        seed = seeds[number % len(seeds)]
        broken = tmp_path / f"{number}-{seed.name}"
        break_file(seed, broken, number)
        ending = denoise(broken, tmp_path)
        if fault(ending):
            found.append(f"{broken.name}: {fault(ending)}: {' '.join(ending.said.split())[-200:]}")
        broken.unlink()
    assert not found, "\n".join(found)
