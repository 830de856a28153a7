"""The names of settings that are read from a method's source are those that it has."""

from dataclasses import fields
from pathlib import Path

import pytest

from demottle.methods.registry import OWN, method
from demottle.methods.setting_names import setting_names


@pytest.mark.parametrize("name", [card.name for card in OWN])
def test_the_source_tells_the_names_that_the_class_has(name: str) -> None:
    assert setting_names(name) == {field.name for field in fields(method(name).load().Settings)}


def test_settings_that_are_made_in_another_way_are_left_to_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd_settings.py").write_text("Settings = type('Settings', (), {})\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("demottle.methods.setting_names.method", lambda name: method("gaussian").__class__(**ODD))
    assert setting_names("odd") is None


ODD = {**vars(method("gaussian")), "name": "odd", "module": "odd_settings"}
