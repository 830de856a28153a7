"""What is installed is told from demottle's own metadata, and nothing is imported for it."""

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from demottle.doctor import packages

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
FOR_DEVELOPERS = {"dev", "docs"}


def test_what_is_needed_comes_from_the_metadata_and_is_all_there() -> None:
    needed = packages.needed_packages()
    assert {"torch", "pydicom", "numpy"} <= {package.name for package in needed}
    assert [package for package in needed if not package.fits] == []
    assert metadata.version("torch") in {package.version for package in needed}


def test_every_extra_for_users_says_what_it_is_for() -> None:
    assert set(packages.EXTRAS) == set(PROJECT["optional-dependencies"]) - FOR_DEVELOPERS
    assert packages.EXTRAS["benchmark"] == (
        "the methods bm3d and bm4d, to compare with; their license does not allow commercial use"
    )


def test_an_extra_is_complete_where_all_its_packages_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ['numpy>=2.0; extra == "onnx"', 'numpy; extra == "training"', 'no-such; extra == "training"', "scipy"]
    monkeypatch.setattr(metadata, "requires", lambda name: lines)
    assert {extra.name: extra.complete for extra in packages.extras()} == {
        "archive": False,
        "benchmark": False,
        "cluster": False,
        "napari": False,
        "node": False,
        "onnx": True,
        "training": False,
    }
    monkeypatch.setattr(metadata, "requires", lambda name: [])
    assert not any(extra.complete for extra in packages.extras())


def test_a_missing_and_an_old_package_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["no-such-package>=1.0", "numpy>=999", "numpy", 'torch>=2.8; extra == "onnx"']
    monkeypatch.setattr(metadata, "requires", lambda name: lines)
    fits = [(package.name, package.fits) for package in packages.needed_packages()]
    assert fits == [("no-such-package", False), ("numpy", False), ("numpy", True)]


def test_nothing_is_imported() -> None:
    code = (
        "import sys; from demottle.doctor import packages as p; p.needed_packages(), p.extras(), p.programs(); "
        "assert not {'torch', 'numpy', 'pydicom', 'onnx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
