"""Results that go to an archive over the network: all objects of a series, and again only what did not arrive."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pynetdicom import AE, AllStoragePresentationContexts, evt
from tests.archive.run.small import carried_out, order_of, results_of, small_archive

TOML = '[[destination]]\nname = "pacs"\ntitle = "PACS"\naddress = "127.0.0.1"\nport = {}\n'


class Pacs:
    """Takes objects, or refuses them."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.status = 0x0000
        entity = AE("PACS")
        entity.require_called_aet = True
        entity.supported_contexts = AllStoragePresentationContexts
        self._server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self._store)])
        self.port = self._server.server_address[1]

    def _store(self, event: evt.Event) -> int:
        if self.status == 0:
            self.taken.append(str(event.dataset.SOPInstanceUID))
        return self.status

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture
def pacs() -> Iterator[Pacs]:
    made = Pacs()
    yield made
    made.close()


def test_images_are_sent_and_what_was_refused_is_sent_later_without_being_made_again(
    tmp_path: Path, pacs: Pacs
) -> None:
    archive = small_archive(tmp_path, 1)
    (tmp_path / "to.toml").write_text(TOML.format(pacs.port))
    order = order_of(archive, destination=("pacs", tmp_path / "to.toml"), pages=True)
    pacs.status = 0xA700
    told = carried_out(order)
    (row,) = results_of(order).values()
    assert row["state"] == "failed" and "not sent to pacs: it refused an object (0xA700)" in row["reason"]
    (box,) = (order.folder / "outbox").iterdir()
    made = {path.name: path.stat().st_mtime_ns for path in (box / "images").iterdir()}
    assert len(made) == 2 and not pacs.taken and not (tmp_path / "out").exists()
    pacs.status = 0x0000
    told.state.retry_failed()
    told.state.close()
    carried_out(order)
    (row,) = results_of(order).values()
    assert row["state"] == "done" and row["sent"] == 2 and not row["reason"] and Path(row["page"]).is_file()
    assert len(set(pacs.taken)) == 2 and not list((order.folder / "outbox").iterdir())


def test_a_destination_that_refuses_the_connection_is_a_reason(tmp_path: Path, pacs: Pacs) -> None:
    archive = small_archive(tmp_path, 1)
    (tmp_path / "to.toml").write_text(TOML.format(pacs.port).replace('"PACS"', '"OTHER"'))
    carried_out(order := order_of(archive, destination=("pacs", tmp_path / "to.toml")))
    (row,) = results_of(order).values()
    assert "not sent to pacs: no connection" in row["reason"]
