"""The suite ct-ascon: the losses grow by one part after another, and each is trained once."""

from pathlib import Path
from types import ModuleType

import pytest

from demottle.benchmark.suites import ct_ascon, ct_doses
from demottle.benchmark.suites.cases import Choices
from demottle.methods.registry import method


def test_each_loss_has_what_the_one_before_it_has_and_one_part_more() -> None:
    module = method("ascon").load()
    weighed = []
    for changes in list(ct_ascon.LOSSES.values())[:4]:
        settings = module.Settings(**{**module.PRESETS["small"], **changes})
        contrast = {"both": 2, "patch": 1}[settings.contrast] if settings.share else 0
        weighed.append((settings.error > 0, settings.structure > 0, contrast))
    assert weighed == [(True, False, 0), (True, True, 0), (True, True, 1), (True, True, 2)]
    assert module.Settings(**{**module.PRESETS["small"], **ct_ascon.LOSSES["pairs-squared-error"]}).means == 0


@pytest.mark.parametrize("suite", [ct_ascon, ct_doses])
def test_with_public_scans_parts_of_them_are_learned_from_and_judged(suite: ModuleType, tmp_path: Path) -> None:
    phantoms = suite.specs(Choices(quick=True))
    cases = suite.specs(Choices(quick=True, real=tmp_path))
    assert not any(case.recipe["real"] or "judged" in case.recipe for case in phantoms)
    assert all(case.recipe["real"] for case in cases)
    assert [case.recipe.get("judged") for case in cases] == [None, "abdomen", "chest"] * len(phantoms)
    assert len({case.key for case in (*phantoms, *cases)}) == 4 * len(phantoms)


@pytest.mark.slow
def test_a_loss_is_trained_once_and_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ct_ascon.specs(Choices(quick=True))[0]
    monkeypatch.setitem(
        ct_ascon.LOSSES, "squared-error", {**ct_ascon.LOSSES["squared-error"], "warm_up": 60, "steps": 20}
    )  # type: ignore[index]
    first = ct_ascon.measure(spec, "squared-error", tmp_path)
    before = ct_ascon.measure(spec, "input", tmp_path)
    assert first.quality["rmse"] is not None and before.quality["rmse"] is not None
    assert first.quality["rmse"] < before.quality["rmse"]
    again = ct_ascon.measure(spec, "squared-error", tmp_path)
    assert again.quality == first.quality and len(list(tmp_path.glob("squared-error-*.safetensors"))) == 1
