"""A node with Orthanc as its archive, over C-STORE with storage commitment and over DICOMweb at once.

    python -m tests.node.orthanc FOLDER ORTHANC SEND GATE

Run in a network namespace of its own, since Orthanc listens on all addresses. A series of CT goes into the node; prints JSON:
what Orthanc holds, what the queue says, and Orthanc's log of storage commitment. Where FOLDER holds certificates (as
`tests.node.test_tls` makes them), all of it is encrypted: DICOM over TLS in both directions with certificates of both, and
HTTPS by a front that ends it, as a hospital's does (Orthanc 1.10.1 of Debian 12 falls over with HTTPS of its own).
"""

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.node.conftest import noisy_series, send, until
from tests.node.test_tls import client

from demottle.node.log import begin_log
from demottle.node.queue import shown
from demottle.node.service import running
from demottle.node.toml_file import read_configuration

PLUGINS = Path("/usr/share/orthanc/plugins")
WEB = PLUGINS / "libOrthancDicomWeb.so"
DICOM, HTTP, HTTPS, NODE = 4242, 8042, 8443, 11112
TOML = """
[node]
folder = "held"
port = {node}
quiet = 1
reserve = 0
[[sender]]
title = "CT1"
address = "127.0.0.1"
[[destination]]
name = "web"
url = "http://127.0.0.1:{http}/dicom-web"
user = "anna"
password_file = "password"
[[destination]]
name = "committed"
title = "ORTHANC"
address = "127.0.0.1"
port = {dicom}
commitment = true
[[rule]]
method = "gaussian"
send = {send}
to = ["web", "committed"]
{more}
"""


def ask(path: str) -> Any:
    return json.loads(fetch(path))


AUTHORITY = Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "ca.pem"


def encrypted() -> bool:
    return AUTHORITY.is_file()


def fetch(path: str) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{HTTP}{path}", headers={"Authorization": "Basic YW5uYTpzZWNyZXQ="}
    )
    with urllib.request.urlopen(request, timeout=20) as reply:
        return bytes(reply.read())


def front(folder: Path) -> None:
    """End TLS at the port HTTPS, and hand what is said on to Orthanc."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "orthanc.pem", folder / "orthanc.key")
    door = context.wrap_socket(socket.create_server(("127.0.0.1", HTTPS)), server_side=True)

    def hand_on(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        while True:
            with contextlib.suppress(OSError):
                guest, _ = door.accept()
                inside = socket.create_connection(("127.0.0.1", HTTP))
                for pair in ((guest, inside), (inside, guest)):
                    threading.Thread(target=hand_on, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


def certified(folder: Path) -> dict[str, Any]:
    """What Orthanc is told so that it takes nothing in the open."""
    return {
        "DicomTlsEnabled": True,
        **{"DicomTlsPrivateKey": str(folder / "orthanc.key"), "DicomTlsCertificate": str(folder / "orthanc.pem")},
        **{"DicomTlsTrustedCertificates": str(folder / "ca.pem"), "DicomTlsRemoteCertificateRequired": True},
    }


def toml(folder: Path, kinds: str, more: str) -> str:
    text = TOML.format(node=NODE, http=HTTP, dicom=DICOM, send=kinds, more=more)
    if not encrypted():
        return text
    text = text.replace(f'url = "http://127.0.0.1:{HTTP}', f'authorities = "ca.pem"\nurl = "https://127.0.0.1:{HTTPS}')
    text = text.replace("commitment =", "tls = true\ncommitment =")
    return text + '[tls]\ncertificate = "node.pem"\nkey = "node.key"\nauthorities = "ca.pem"\n'


def start(folder: Path, orthanc: str) -> "subprocess.Popen[bytes]":
    """Start Orthanc, which wants to be logged in to, and knows the node."""
    told = {
        **{"Name": "archive", "DicomAet": "ORTHANC", "HttpPort": HTTP, "DicomPort": DICOM, "Plugins": [str(WEB)]},
        **{"StorageDirectory": str(folder / "archive"), "IndexDirectory": str(folder / "archive")},
        **{"RemoteAccessAllowed": False, "AuthenticationEnabled": True, "RegisteredUsers": {"anna": "secret"}},
        **{"DicomAlwaysAllowStore": True, "OverwriteInstances": False, "StorageCommitmentReportsSize": 100},
        "DicomModalities": {
            "demottle": {"AET": "DEMOTTLE", "Host": "127.0.0.1", "Port": NODE, "UseDicomTls": encrypted()}
        },
        **(certified(folder) if encrypted() else {}),
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "archive").mkdir()
    (folder / "orthanc.json").write_text(json.dumps(told))
    with (folder / "orthanc.log").open("wb") as log:
        made = subprocess.Popen([orthanc, "--verbose", str(folder / "orthanc.json")], stdout=log, stderr=log)
    why = ""
    for _ in range(600):
        try:
            ask("/system")
            return made
        except OSError as error:
            why = str(error)
            time.sleep(0.1)
    raise AssertionError(f"{(folder / 'orthanc.log').read_text()} {why}")


def main(folder: Path, orthanc: str, kinds: str, more: str) -> None:
    begin_log()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    archive = start(folder, orthanc)
    (folder / "password").write_text("secret\n")
    file = folder / "node.toml"
    file.write_text(toml(folder, kinds, more))
    sent = noisy_series(slices=6, size=64, NumberOfSeriesRelatedInstances="6")
    told = read_configuration(file)
    if encrypted():
        front(folder)
    try:
        with running(told, file) as service:
            by = {"tls_args": (client(folder, "scanner"), "127.0.0.1")} if encrypted() else {}
            assert send(service.receiver.port, sent, **by) == [0] * 6

            def ended() -> Any:
                (one,) = shown.list_series(service.queue)
                over = one["state"] in ("done", "failed", "refused")
                open_ = [row for counts in one["sends"].values() for row in counts if row in ("waiting", "sent")]
                return one if over and not open_ else None

            series = until(ended, 600)
        found = [ask(f"/series/{one}") for one in ask("/series")]
        tags = [ask(f"/instances/{one}/simplified-tags") for one in ask("/instances")]
        papers = [one for one in ask("/instances") if ask(f"/instances/{one}/simplified-tags")["Modality"] == "DOC"]
        pdf = [fetch(f"/instances/{one}/pdf")[:5].decode() for one in papers]
        log = (folder / "orthanc.log").read_text(errors="replace")
        said = [line for line in log.splitlines() if "ommitment" in line]
        print(json.dumps({"queue": series, "series": found, "tags": tags, "pdf": pdf, "commitment": said}))
    finally:
        archive.terminate()
        archive.wait(20)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4])
