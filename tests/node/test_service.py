"""The node as a whole: what a scanner sends is denoised in another process and stands in the PACS, once, with its sources."""

import json
import os
import signal
import time
import urllib.request
from dataclasses import replace

import numpy as np
import pytest
from pydicom.dataset import Dataset
from tests.node.conftest import TOML, Pacs, free_port, noisy_series, send, until

from demottle.errors import InputError, OutputError
from demottle.io.dicom.headers.marks import read_history
from demottle.node.log import quiet_libraries
from demottle.node.queue import actions, shown
from demottle.node.retention import purge
from demottle.node.service import Service, running
from demottle.node.supervisor import worker_environment


def _state(service: Service) -> list[str]:
    return [one["state"] for one in shown.list_series(service.queue)]


CT = "1.2.840.10008.5.1.4.1.1.2"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"
REPORT = "1.2.840.10008.5.1.4.1.1.88.33"
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def _of_class(archive: Pacs, sop_class: str) -> list[Dataset]:
    return [one for one in archive.came if one.SOPClassUID == sop_class]


def _sources(dataset: Dataset) -> str:
    return str(dataset.SourceImageSequence[0].ReferencedSOPInstanceUID)


def test_a_series_comes_back_denoised_beside_the_original(told, pacs) -> None:
    """With a late object, a redo and a PACS that refuses at first: one node, since each start takes seconds."""
    quiet_libraries()
    full = [True]
    archive: Pacs = pacs(answer=lambda dataset: 0xA700 if full[0] else 0)
    configuration, file = told(pacs=archive.port)
    sent = noisy_series(slices=6, NumberOfSeriesRelatedInstances="6")
    with running(configuration, file) as service:
        with pytest.raises(OutputError, match="Another node works in"), running(configuration, file):
            pass
        assert send(service.receiver.port, sent) == [0] * 6
        until(lambda: _state(service) == ["sending"], 60)
        (series,) = shown.list_series(service.queue)
        until(lambda: shown.sends_with_reasons(service.queue, series["round"])[0]["reason"].startswith("it is out of"))
        full[0] = False
        until(lambda: _state(service) == ["done"], 60)
        assert sorted(_sources(one) for one in archive.came) == sorted(one.SOPInstanceUID for one in sent)
        first = {str(one.SOPInstanceUID) for one in archive.came}
        _holds_what_a_derived_object_holds(archive.came, sent)
        page = configuration.folder / "results" / "1" / "report.html"
        assert until(page.is_file, 60) and page.stat().st_size > 100_000  # drawn while the images are sent

        (late,) = noisy_series(slices=7)[6:]
        assert send(service.receiver.port, [late]) == [0]
        until(lambda: _state(service) == ["done"] and len(archive.came) == 13, 60)
        second = {str(one.SOPInstanceUID) for one in archive.came[6:]}
        assert len(second) == 7 and not first & second
        assert len({str(one.SeriesInstanceUID) for one in archive.came}) == 2

        actions.redo(service.queue, series["id"], "anna", {"method": "bilateral"})
        until(lambda: _state(service) == ["done"] and len(archive.came) == 20, 60)
        assert "bilateral" in str(archive.came[-1].SeriesDescription)
    assert len(archive.uids()) == len(set(archive.uids())) == 20
    assert _numbers(archive.came) == [sent[0].SeriesNumber + 9000 + 10000 * again for again in range(3)]


def _numbers(came: list[Dataset]) -> list[int]:
    """SeriesNumbers, one for each series."""
    return sorted({str(one.SeriesInstanceUID): int(one.SeriesNumber) for one in came}.values())


def _holds_what_a_derived_object_holds(came: list[Dataset], sent: list[Dataset]) -> None:
    known = {str(one.SOPInstanceUID): one for one in sent}
    for one in came:
        source = known[_sources(one)]
        assert one.ImageType[0] == "DERIVED" and one.StudyInstanceUID == source.StudyInstanceUID
        assert one.FrameOfReferenceUID == source.FrameOfReferenceUID and one.PatientID == source.PatientID
        assert one.SeriesInstanceUID != source.SeriesInstanceUID
        assert [step.method for step in read_history(one)] == ["gaussian"]
        before = np.frombuffer(source.PixelData, "<u2").astype(float)
        after = np.frombuffer(one.PixelData, "<u2").astype(float)
        assert np.std(after - before) > 5


@pytest.mark.slow
def test_a_worker_that_dies_is_started_again(told, pacs) -> None:
    quiet_libraries()
    archive: Pacs = pacs()
    configuration, file = told(pacs=archive.port)
    with running(configuration, file) as service:
        os.kill(until(lambda: service.worker), signal.SIGKILL)
        send(service.receiver.port, noisy_series(NumberOfSeriesRelatedInstances="5"))
        until(lambda: _state(service) == ["done"], 60)
    assert len(archive.uids()) == 5


@pytest.mark.slow
def test_a_series_at_which_the_worker_hangs_costs_the_others_nothing(told, pacs) -> None:
    """A worker that is stopped (SIGSTOP) answers nothing and takes no signal but SIGKILL."""
    quiet_libraries()
    archive: Pacs = pacs()
    brief = '[[rule]]\nname = "brief"\nwhen = {{ description = "hangs" }}\nlongest = 0.05\nto = ["pacs"]\n'
    configuration, file = told(text=TOML.replace("[[rule]]\n", f"{brief}[[rule]]\n"), pacs=archive.port)
    hanging = noisy_series("1", SeriesDescription="hangs", NumberOfSeriesRelatedInstances="5")
    with running(configuration, file) as service:
        hung = until(lambda: service.worker)
        send(service.receiver.port, hanging)
        until(lambda: _state(service) == ["working"], 60)
        os.kill(hung, signal.SIGSTOP)
        until(lambda: _state(service) == ["failed"], 30)
        assert shown.list_series(service.queue)[0]["reason"] == "it took longer than 0.05 minutes (longest)"
        until(lambda: service.worker not in (None, hung), 30)
        with pytest.raises(ProcessLookupError):
            os.kill(hung, 0)
        send(service.receiver.port, noisy_series("2", NumberOfSeriesRelatedInstances="5"))
        until(lambda: _state(service) == ["done", "failed"], 60)
    assert len(archive.uids()) == 5


@pytest.mark.slow
def test_what_fails_the_gate_or_meets_no_rule_is_not_sent(told, pacs) -> None:
    quiet_libraries()
    archive: Pacs = pacs()
    strict = TOML.replace('name = "all"\n', 'name = "all"\nwhen = {{ modality = "CT" }}\ngate = {{ noise = 0.0001 }}\n')
    configuration, file = told(text=strict, pacs=archive.port)
    with running(configuration, file) as service:
        send(service.receiver.port, noisy_series("1", NumberOfSeriesRelatedInstances="5"))
        send(service.receiver.port, noisy_series("2", 1, Modality="OT", NumberOfSeriesRelatedInstances="1"))
        until(lambda: _state(service) == ["left", "refused"], 60)
        left, refused = shown.list_series(service.queue)
        assert left["reason"] == "meets no rule" and refused["reason"].startswith(
            "the result fails the gate: the noise"
        )
        assert until((configuration.folder / "results" / str(refused["round"]) / "report.html").is_file, 60)
    assert archive.came == []


@pytest.mark.slow
def test_of_what_fails_the_gate_a_report_is_sent_where_the_rule_says_so(told, pacs) -> None:
    quiet_libraries()
    archive: Pacs = pacs(answer=lambda dataset: 0xA700 if full else 0)
    full = [True]
    strict = TOML.replace('name = "all"\n', 'name = "all"\ntell = true\ngate = {{ noise = 0.0001 }}\n')
    configuration, file = told(text=strict, pacs=archive.port)
    sent = noisy_series("1", NumberOfSeriesRelatedInstances="5")
    with running(configuration, file) as service:
        send(service.receiver.port, sent)
        until(lambda: _state(service) == ["refused"], 60)
        assert purge(configuration, service.queue, time.time() + 100 * 86400) == 0  # the report is still on its way
        full.clear()
        until(lambda: archive.came, 30)
        (series,) = until(lambda: _with_sends(service, {"pacs": {"arrived": 1}}))
        assert series["state"] == "refused" and series["reason"].startswith("the result fails the gate: the noise")
        actions.resend(service.queue, series["round"], "anna")
        until(lambda: len(archive.came) == 2, 30)
        assert _state(service) == ["refused"]
    (report, again) = _of_class(archive, REPORT)
    assert report.SOPInstanceUID == again.SOPInstanceUID and "NOT denoised" in report.SeriesDescription
    (evidence,) = report.CurrentRequestedProcedureEvidenceSequence
    (listed,) = evidence.ReferencedSeriesSequence  # the source's alone: the result is nowhere to be found
    assert [one.ReferencedSOPInstanceUID for one in listed.ReferencedSOPSequence] == [
        one.SOPInstanceUID for one in sent
    ]


def _with_sends(service: Service, wanted: dict[str, dict[str, int]]) -> list[dict[str, object]]:
    return [one for one in shown.list_series(service.queue) if one["sends"] == wanted]


@pytest.mark.slow
def test_map_and_documents_go_along_where_the_rule_says_so(told, pacs) -> None:
    quiet_libraries()
    sent = noisy_series(slices=4, NumberOfSeriesRelatedInstances="4")
    archive: Pacs = pacs()
    kinds = '["images", "map", "page", "report", "capture"]'
    whole = TOML.replace('to = ["pacs"]', f'to = ["pacs"]\nsend = {kinds}\nshare = true\ngate = false')
    configuration, file = told(text=whole.replace("gaussian", "nl-bayes"), pacs=archive.port)
    with running(configuration, file) as service:
        send(service.receiver.port, sent)
        until(lambda: _state(service) in (["done"], ["failed"]), 90)
        assert _state(service) == ["done"], shown.list_series(service.queue)
        first = list(archive.came)
        actions.redo(service.queue, 1, "anna")
        until(lambda: len(archive.came) == 2 * len(first) and _state(service) == ["done"], 90)
    assert len(set(archive.uids())) == len(archive.came)  # also those of the map
    offsets = [0, *([4000] if len(first) == 11 else []), 1000, 2000, 3000]
    again = [number + 10000 for number in offsets]
    assert _numbers(archive.came) == sorted(sent[0].SeriesNumber + 9000 + number for number in (*offsets, *again))
    archive.came = first
    (page,), (report,), (picture,) = (_of_class(archive, one) for one in (PDF, REPORT, CAPTURE))
    assert len(archive.came) - 3 in (4, 8) and len({str(one.StudyInstanceUID) for one in archive.came}) == 1
    assert page.EncapsulatedDocument.startswith(b"%PDF-") and picture.pixel_array.shape == (900, 1200, 3)
    (evidence,) = report.CurrentRequestedProcedureEvidenceSequence
    named = {
        one.ReferencedSOPInstanceUID for part in evidence.ReferencedSeriesSequence for one in part.ReferencedSOPSequence
    }
    images = {one.SOPInstanceUID for one in archive.came if one.SOPClassUID == CT}
    assert {str(one.SOPInstanceUID) for one in sent} < named and len(named & images) == 4
    assert len({str(one.SeriesInstanceUID) for one in archive.came}) in (4, 5)


@pytest.mark.slow
def test_a_dead_destination_gets_everything_once_it_lives(told) -> None:
    quiet_libraries()
    port = free_port()
    configuration, file = told(pacs=port)
    with running(configuration, file) as service:
        send(service.receiver.port, noisy_series(NumberOfSeriesRelatedInstances="5"))
        until(lambda: _state(service) == ["sending"], 60)
        until(lambda: [one for one in shown.sends_with_reasons(service.queue, 1) if one["reason"] == "no connection"])
    archive = Pacs(port)  # the node starts again, and the archive is there
    try:
        with running(configuration, file) as service:
            until(lambda: _state(service) == ["done"], 60)
        assert len(archive.uids()) == len(set(archive.uids())) == 5
    finally:
        archive.stop()


def test_threads_of_the_worker_do_not_spin_unless_somebody_wants_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert worker_environment()["OMP_WAIT_POLICY"] == "PASSIVE" and worker_environment()["PATH"] == os.environ["PATH"]
    assert worker_environment()["MALLOC_ARENA_MAX"] == "2"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert worker_environment()["OMP_WAIT_POLICY"] == "ACTIVE"


def test_dashboard_and_receiver_are_one_service_and_a_port_that_is_taken_is_said(told) -> None:
    quiet_libraries()
    configuration, file = told("[web]\nport = 0\n")
    with running(configuration, file) as service:
        assert service.web is not None and service.lives()
        page = service.web.port
        with urllib.request.urlopen(f"http://127.0.0.1:{page}/readyz", timeout=20) as answer:
            assert json.load(answer) == {"ready": True, "wrong": []}
        for table, extra, port in (
            ("node", "", service.receiver.port),
            ("web", f"[web]\nport = {page}\n", page),
        ):
            other, file = told(extra, **({"port": port} if table == "node" else {}))
            with (
                pytest.raises(InputError, match="taken by another program") as caught,
                running(replace(other, folder=other.folder / "other"), file),
            ):
                pass
            assert f"Port {port} of 127.0.0.1" in str(caught.value) and f"[{table}] another port" in str(caught.value)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{page}/readyz", timeout=5)
