"""Results that go to a DICOMweb server: all objects of a series, and what was refused says so and is sent later."""

from collections.abc import Callable
from pathlib import Path

import pydicom
from tests.archive.run.small import carried_out, order_of, results_of, small_archive
from tests.node.test_web_sending import Server, own_dicomweb, server, told_of  # noqa: F401

TO = '[[destination]]\nname = "web"\nurl = "{}"\n'
Start = Callable[..., Server]


def test_images_go_to_a_dicomweb_server_and_only_what_it_refused_is_sent_again(
    tmp_path: Path,
    server: Start,  # noqa: F811
) -> None:
    full = [True]

    def answer(objects: list[pydicom.Dataset]) -> tuple[int, object]:
        uids = {str(one.SOPInstanceUID): 0xA700 for one in objects} if full[0] else {}
        return (409, told_of([], uids)) if uids else (200, told_of(objects, {}))

    web = server(answer)
    archive = small_archive(tmp_path, 2)
    (tmp_path / "to.toml").write_text(TO.format(web.url))
    order = order_of(archive, destination=("web", tmp_path / "to.toml"))
    told = carried_out(order)
    for row in results_of(order).values():
        assert row["state"] == "failed" and "not sent to web: it refused an object (0xA700)" in row["reason"]
    assert len(list((order.folder / "outbox").iterdir())) == 2 and not (tmp_path / "out").exists()
    full[0] = False
    web.came.clear()
    told.state.retry_failed()
    told.state.close()
    carried_out(order)
    rows = results_of(order).values()
    assert [(row["state"], row["sent"], row["reason"]) for row in rows] == [("done", 2, "")] * 2
    assert sorted(map(len, web.came)) == [2, 2] and not list((order.folder / "outbox").iterdir())


def test_a_node_s_own_dicomweb_takes_what_an_archive_sends(tmp_path: Path) -> None:
    with own_dicomweb(tmp_path / "other") as (url, taken):
        archive = small_archive(tmp_path, 2)
        (tmp_path / "to.toml").write_text(TO.format(url))
        order = order_of(archive, destination=("web", tmp_path / "to.toml"))
        carried_out(order)
        assert {(row["state"], row["sent"]) for row in results_of(order).values()} == {("done", 2)}
        assert taken.rows("SELECT COUNT(*) AS count FROM instance")[0]["count"] == 4


def test_a_server_that_is_not_there_is_a_reason(tmp_path: Path) -> None:
    archive = small_archive(tmp_path, 1)
    (tmp_path / "to.toml").write_text(TO.format("http://127.0.0.1:1/dicomweb"))
    carried_out(order := order_of(archive, destination=("web", tmp_path / "to.toml")))
    (row,) = results_of(order).values()
    assert row["state"] == "failed" and "not sent to web" in row["reason"]
