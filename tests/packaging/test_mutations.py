"""The tool that looks for tests that cannot fail: what it changes, and which tests it asks."""

import random
from pathlib import Path

import pytest
from tools.mutations import ROOT, Mutation, mutations_of, relevant_tests, tried

SOURCE = '''"""A docstring of five words or more stays as it is."""

LIMIT = 0.25  # a comment of five words or more too
if LIMIT > 1:
    raise ValueError(f"The file {LIMIT} cannot be opened; give another.")
'''


def mutations() -> list[Mutation]:
    return list(mutations_of("src/demottle/x.py", SOURCE, random.Random(0)))


def test_sentences_and_numbers_change_and_nothing_else() -> None:
    number, sentence = mutations()
    assert (number.before, number.after) == ("0.25", "(0.25 * 1.5)")
    assert "{LIMIT}" in sentence.after and sentence.after.count("WORD") == 1
    changed = number.applied(SOURCE)
    assert changed == SOURCE.replace("0.25", "(0.25 * 1.5)")


def test_the_tests_of_a_module_are_those_that_import_it() -> None:
    assert "tests/quality/test_similarity.py" in relevant_tests("src/demottle/quality/truth/similarity.py")
    assert "tests/noise/test_rician.py" in relevant_tests("src/demottle/noise/mr/rician.py")


@pytest.mark.slow
def test_what_a_test_sees_is_told_from_what_it_does_not(tmp_path: Path) -> None:
    (tmp_path / "src/demottle/room").mkdir(parents=True)
    (tmp_path / "src/demottle/__init__.py").touch()
    (tmp_path / "src/demottle/room/__init__.py").touch()
    (tmp_path / "src/demottle/room/x.py").write_text("SEEN = 7\nUNSEEN = 5\n")
    (tmp_path / "tests/room").mkdir(parents=True)
    test = "from demottle.room.x import SEEN\n\n\ndef test_seen():\n    assert SEEN == 7\n"
    (tmp_path / "tests/room/test_x.py").write_text(test)
    seen, unseen = mutations_of("src/demottle/room/x.py", "SEEN = 7\nUNSEEN = 5\n", random.Random(0))
    assert tried(seen, tmp_path, 60) == "noticed by room/test_x.py::test_seen"
    assert tried(unseen, tmp_path, 60) == "not noticed"
    assert (tmp_path / "src/demottle/room/x.py").read_text() == "SEEN = 7\nUNSEEN = 5\n"
    assert ROOT.joinpath("pyproject.toml").exists()
