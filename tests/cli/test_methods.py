"""`demottle methods`."""

import json

import pytest
from tests.cli.conftest import Demottle

from demottle.methods import card
from demottle.methods.registry import METHODS


def test_every_registered_method_is_listed(demottle: Demottle) -> None:
    result = demottle("methods")
    assert result.exit_code == 0
    assert set(json.loads(demottle("methods", "--json").stdout)) == set(METHODS)
    for name in METHODS:
        assert name in result.stdout


def test_one_method_is_told_more_about(demottle: Demottle) -> None:
    result = demottle("methods", "spectral-wiener", "--settings")
    words = " ".join(result.stdout.split())
    assert METHODS["spectral-wiener"].summary in words
    assert "threshold" in words
    told = json.loads(demottle("methods", "spectral-wiener", "--settings", "--json").stdout)
    assert "threshold" in told["spectral-wiener"]["settings"]


def test_an_unknown_method_is_answered_with_the_known_ones(demottle: Demottle) -> None:
    result = demottle("methods", "magic")
    assert result.exit_code == 2
    assert all(name in result.stderr for name in METHODS)
    assert demottle("methods", "--settings").exit_code == 2


def test_a_method_whose_package_is_missing_says_how_to_get_it(
    demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "find_spec", lambda name: None)
    assert "not installed: pip install bm3d" in " ".join(demottle("methods").stdout.split())
    assert "not installed: pip install bm3d" in demottle("methods", "bm3d").stdout
    told = json.loads(demottle("methods", "--json").stdout)
    assert (told["bm3d"]["needs"], told["bm3d"]["installed"], told["nlm"]["installed"]) == ("bm3d", False, True)
    result = demottle("denoise", "scan", "-o", "out", "--method", "bm3d")
    assert result.exit_code == 2
    assert "pip install bm3d" in result.stderr
