"""A plan says for each series what is done with it, what it shares, and how long that takes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.archive.conftest import Indexer, series_in
from tests.io.conftest import ct_slice, save

from demottle.archive.columns import read_table
from demottle.archive.layout import PLAN
from demottle.archive.plan.costs import COSTS
from demottle.archive.plan.groups import group_of
from demottle.archive.plan.planning import Planned, plan
from demottle.archive.plan.rules import read_rules, rule_for, usual_rules
from demottle.archive.plan.sampling import Sampled, unlike
from demottle.errors import InputError, OutputError
from demottle.node.configuration import Rule

ROW: dict[str, Any] = {
    **dict.fromkeys(("wrong", "model", "station", "body_part", "protocol", "description", "folder"), ""),
    **{"modality": "CT", "manufacturer": "Siemens", "kernel": "Br40", "own": False, "kvp": 120.0, "thickness": 1.0},
    **{"spacing_slices": 1.0, "spacing_rows": 0.7, "dose": 3.0, "mas": 50.0, "slices": 100},
}


def _planned(indexed: Indexer, rules: tuple[Rule, ...] | None = None, **options: Any) -> tuple[Planned, dict[str, Any]]:
    made = plan(indexed.archive, rules or usual_rules(), **{"sample": 0, **options})
    folders = {row["key"]: row["folder"] for row in indexed.series}
    return made, {folders[row["key"]]: row for row in read_table(indexed.archive.plan, PLAN)}


def _rules(tmp_path: Path, text: str) -> tuple[Rule, ...]:
    (tmp_path / "rules.toml").write_text(text)
    return read_rules(tmp_path / "rules.toml")


def test_series_of_one_protocol_share_a_network_and_others_do_not(root: Path, indexed: Indexer) -> None:
    for number in range(3):
        series_in(root / f"p{number}", f"{number}", ConvolutionKernel="Br40")
    series_in(root / "sharp", "3", ConvolutionKernel="Br64")
    indexed()
    made, rows = _planned(indexed)
    assert len({rows[f"p{number}"]["group"] for number in range(3)}) == 1 and rows["p0"]["group"].startswith(
        "ct-test-br40-120kv-"
    )
    assert rows["sharp"]["group"] == "" and {row["verb"] for row in rows.values()} == {"denoise"}
    learn = COSTS["guided-bayes"].learn
    taken = [rows[name]["seconds"] for name in ("p0", "p1", "p2", "sharp")]
    assert [round((seconds - min(taken)) / learn, 3) for seconds in taken] == [1, 0, 0, 1]
    (total,) = made.totals
    assert (made.series, total.networks, total.slices, total.method) == (4, 2, 16, "guided-bayes")
    assert made.seconds == pytest.approx(sum(row["seconds"] for row in rows.values()))


def test_what_is_not_to_be_denoised_is_left_with_the_reason(root: Path, indexed: Indexer, tmp_path: Path) -> None:
    series_in(root / "ct")
    series_in(root / "pet", "2", Modality="PT", SOPClassUID="1.2.840.10008.5.1.4.1.1.128")
    series_in(root / "uneven", "3", slices=5)[2].unlink()
    series_in(root / "scout", "4", SeriesDescription="Scout")
    indexed()
    rules = _rules(
        tmp_path,
        '[[rule]]\nname = "scouts"\nwhen = { description = "scout*" }\nleave = true\n'
        '[[rule]]\nname = "few"\nmethod = "gaussian"\nstrength = 0.5\nwhen = { slices = "..10" }\n',
    )
    made, rows = _planned(indexed, rules)
    assert {name: row["verb"] for name, row in rows.items()} == {
        "ct": "denoise",
        "pet": "leave",
        "uneven": "leave",
        "scout": "leave",
    }
    assert "modality is PT" in rows["pet"]["reason"] and "'scouts' leaves it alone" in rows["scout"]["reason"]
    assert rows["uneven"]["reason"] == next(row["wrong"] for row in indexed.series if row["folder"] == "uneven") != ""
    assert (rows["ct"]["method"], rows["ct"]["strength"], rows["ct"]["group"]) == ("gaussian", 0.5, "")
    assert sum(count for _, count in made.left) == 3


def test_the_rules_of_a_node_are_those_of_an_archive(tmp_path: Path) -> None:
    node = '[node]\nfolder = "held"\n[[sender]]\ntitle = "CT1"\naddress = "127.0.0.1"\n'
    text = '[[rule]]\nwhen = {{ modality = "CT", kernel = "Br*", thickness = "0.5..2" }}\nto = ["pacs"]\n{}'
    rules = _rules(tmp_path, node + text.format("urgent = true"))
    assert rule_for(ROW, rules) == (rules[0], "") and rules[0].share
    assert rule_for({**ROW, "thickness": 3.0}, rules) == (None, "It meets no rule.")
    assert rule_for({**ROW, "own": True}, rules)[1] == "It is a result of demottle."
    for more, said in (
        ("minutes = 0", "minutes; it has to be positive"),
        ('preset = "faster"', "'preset' in .*it can be 'fast'"),
        ("strenght = 1", "did you mean 'strength'"),
        ('model = "gone.safetensors"', "is not a file"),
    ):
        with pytest.raises(InputError, match=said):
            _rules(tmp_path, text.format(more))
    with pytest.raises(InputError, match=r"'caller' in when .*is not a key"):
        _rules(tmp_path, '[[rule]]\nwhen = { caller = "CT1" }\n')
    with pytest.raises(InputError, match="'rule' is missing"):
        _rules(tmp_path, node)
    with pytest.raises(InputError, match="cannot be read"):
        read_rules(tmp_path / "nowhere.toml")


def test_everything_that_a_rule_asks_of_denoising_is_in_the_plan(root: Path, indexed: Indexer, tmp_path: Path) -> None:
    series_in(root / "ct", ConvolutionKernel="Br40")
    series_in(root / "mr", "2", Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4")
    series_in(root / "fast", "3")
    indexed()
    rules = _rules(
        tmp_path,
        '[[rule]]\nname = "gentle"\nwhen = { kernel = "Br*" }\npreset = "gentle"\nseed = 7\nsteps = 40\n'
        '[[rule]]\nwhen = { modality = "MR" }\npreset = "gentle"\n[[rule]]\npreset = "fast"\nminutes = 0.01\n',
    )
    _, rows = _planned(indexed, rules)
    assert json.loads(rows["ct"]["more"]) == {"preset": "gentle", "seed": 7, "steps": 40}
    assert (rows["mr"]["verb"], rows["fast"]["expected"]) == ("leave", "matched-neighbors")
    assert "no CT, and the preset gentle" in rows["mr"]["reason"]
    assert json.loads(rows["fast"]["more"]) == {"preset": "fast", "minutes": 0.01}
    assert rows["fast"]["seconds"] == pytest.approx(0.8 + 0.6, abs=0.1)  # it learns for 0.6 s and no longer


@pytest.mark.parametrize(
    "change", [{"kernel": "Br64"}, {"kvp": 100.0}, {"thickness": 3.0}, {"spacing_rows": 0.95}, {"model": "Force"}]
)
def test_another_protocol_is_another_group(change: dict[str, Any]) -> None:
    rule = usual_rules()[0]
    assert group_of({**ROW, **change}, rule) != group_of(ROW, rule) == group_of({**ROW, "spacing_rows": 0.72}, rule)


def test_a_series_with_other_noise_than_its_group_is_fitted_for_itself() -> None:
    usual = [Sampled("a", "m", 20.0, 0.3, 0.2), Sampled("b", "m", 22.0, 0.31, 0.22), Sampled("c", "m", 21.0, 0.3, 0.2)]
    assert unlike(usual[0], usual) == "" == unlike(Sampled("d", failed="why"), usual)
    assert "noise is 40, that of its group 21" in unlike(Sampled("d", "m", 40.0, 0.3, 0.2), usual)
    assert "0.50/mm" in unlike(Sampled("d", "m", 21.0, 0.5, 0.2), usual)
    assert "share 0.60 of their noise" in unlike(Sampled("d", "m", 21.0, 0.3, 0.6), usual)


def test_what_is_measured_on_a_sample_decides(root: Path, indexed: Indexer) -> None:
    for number, sigma in enumerate((20, 20, 80)):
        for place in range(14):
            stored = 1064 + np.random.default_rng([number, place]).normal(0, sigma, (48, 48))
            made = ct_slice(place, series=f"{number}", rows=48, columns=48, stored=np.clip(stored, 0, 4095))
            save(made, root / f"{number}" / f"{place}.dcm")
    indexed()
    made, rows = _planned(indexed, sample=3, workers=1)
    assert (made.measured, made.failed) == (3, 0)
    assert [round(rows[str(number)]["noise"] / 20) for number in range(3)] == [1, 1, 4]
    assert {row["expected"] for row in rows.values()} == {"spectral-wiener"}  # slices too small to learn from
    assert {row["group"] for row in rows.values()} == {""} and "it was measured" in rows["0"]["reason"]


def test_a_method_for_runs_leaves_volumes_alone(root: Path, indexed: Indexer) -> None:
    series_in(root / "a")
    indexed()
    made, rows = _planned(indexed, usual_rules("nvca"))
    assert (made.series, rows["a"]["verb"]) == (0, "leave") and "nvca is for runs of frames" in rows["a"]["reason"]


def test_there_is_no_plan_without_an_index(indexed: Indexer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no data set of an archive; make one"):
        plan(indexed.archive, usual_rules())
    with pytest.raises(InputError, match="no method"):
        usual_rules("gausian")
    with pytest.raises(OutputError, match="cannot be written"):
        series_in(indexed.root)
        indexed()
        indexed.archive.plan.mkdir()
        plan(indexed.archive, usual_rules(), sample=0)
