"""Series of a group share a network: one fits it, the others wait for it, and each is checked."""

from pathlib import Path

import pytest
from tests.archive.run.small import carried_out, order_of, quickly, results_of, small_archive

from demottle.archive.columns import read_table, write_table
from demottle.archive.layout import PLAN
from demottle.archive.run.entering import enter
from demottle.archive.run.state import State
from demottle.archive.run.tasks.network import request_of
from demottle.pipeline.request import Request

GROUPS = ("a", "a", "b", "a")


def test_others_of_a_group_wait_while_one_fits_and_other_groups_go_on(tmp_path: Path) -> None:
    archive = small_archive(tmp_path, 4, groups=GROUPS)
    state = State(order_of(archive).folder)
    enter(archive, state, "denoise")
    first = state.next()
    assert first is not None and first.key == f"{0:016x}"
    state.fitting(first)
    second = state.next()
    assert second is not None and second.group == "b"
    state.fitting(second)
    assert state.next() is None
    state.ended(first, {"state": "done", "reason": "", "attempts": 1})
    third = state.next()
    assert third is not None and third.key == f"{1:016x}"


def test_a_group_of_a_filter_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demottle.archive.run.tasks.denoise.run", quickly)
    archive = small_archive(tmp_path, 3, groups=("a", "a", "a"))
    order = order_of(archive)
    carried_out(order)
    assert not (archive.fitted / "a.safetensors").exists()
    state = State(order.folder)
    assert state.counts()["done"] == 3 and not state._db.execute("SELECT * FROM groups").fetchall()
    assert {row[0] for row in state._db.execute("SELECT grp FROM series WHERE number > 1")} == {""}


def test_what_a_rule_asks_is_asked_of_denoising_and_its_seed_goes_before_that_of_the_run(tmp_path: Path) -> None:
    archive = small_archive(tmp_path, 2)
    more = ['{"preset": "standard", "seed": 7, "steps": 40}', ""]
    rows = [{**row, "more": said} for row, said in zip(read_table(archive.plan), more, strict=True)]
    write_table(archive.plan, PLAN, rows)
    order = order_of(archive, seed=3)
    state = State(order.folder)
    enter(archive, state, "denoise")
    first, second = state.next(), state.next()
    assert first is not None and second is not None
    asked = request_of(order, first)
    assert (asked.preset, asked.texture, asked.seed, asked.steps) == ("standard", "auto", 7, 40)
    assert request_of(order, second) == Request("gaussian", seed=3)


@pytest.mark.slow
def test_one_network_serves_a_group_and_one_that_does_not_fit_is_replaced(tmp_path: Path) -> None:
    archive = small_archive(tmp_path, 3, size=96, slices=4, method="zs-n2n", groups=("a", "a", "a"))
    order = order_of(archive)
    carried_out(order)
    rows = results_of(order)
    assert (archive.fitted / "a.safetensors").is_file()
    assert [row["shared"] for row in rows.values()] == [False, True, True]
    assert len({row["model_hash"] for row in rows.values()}) == 1 and not rows[f"{1:016x}"]["network"]
    (archive.fitted / "a.safetensors").write_bytes(b"broken")
    other = order_of(archive, "again", output=tmp_path / "out2")
    carried_out(other)
    for row in results_of(other).values():
        assert not row["shared"] and row["network"] and row["state"] == "done"
