"""TLS: only certificates that the listed authority has signed, on both sides; a handshake that never ends stops nobody."""

import json
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from tests.node.conftest import associated, noisy_series, send

from demottle.node.network.transport import client_context, server_context
from demottle.node.toml_file import read_configuration

TLS = '\n[tls]\ncertificate = "node.pem"\nkey = "node.key"\nauthorities = "ca.pem"\n'


def signed(folder: Path, name: str, authority: str) -> None:
    """Make NAME.key and NAME.pem, signed by an authority (itself, where it is the authority)."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder / f"{name}.key"]
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    by = [] if name == authority else ["-CA", folder / f"{authority}.pem", "-CAkey", folder / f"{authority}.key"]
    command = [openssl, "req", "-x509", *key, *subject, *by, "-days", "2", "-out", folder / f"{name}.pem"]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    for name, authority in (("ca", "ca"), *((one, "ca") for one in ("node", "scanner", "orthanc")), ("other", "other")):
        signed(tmp_path, name, authority)
    return tmp_path


def client(folder: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    context.load_verify_locations(folder / "ca.pem")
    return context


def test_only_a_signed_certificate_may_send(receiver, certificates: Path) -> None:
    server, _, told = receiver(TLS)
    silent = socket.create_connection(("127.0.0.1", server.port), 5)  # begins no handshake
    good = (client(certificates, "scanner"), "127.0.0.1")
    assert send(server.port, noisy_series(slices=2), tls_args=good) == [0, 0]
    assert not associated(server.port, tls_args=(client(certificates, "other"), "127.0.0.1")).is_established
    assert not associated(server.port).is_established
    assert send(server.port, noisy_series("2", slices=1), tls_args=good) == [0]
    silent.close()
    said = [json.loads(line)["said"] for line in (told.folder / "audit.jsonl").read_text().splitlines()]
    refused = [one for one in said if one.startswith("which") or "TLS" in one]
    assert "which did not speak TLS" in refused and any("TLS failed (" in one for one in refused), refused
    assert len(list((told.folder / "objects").glob("*/*.dcm"))) == 3


def test_a_destination_has_to_show_a_certificate_of_its_address(certificates: Path, told) -> None:
    configuration, _ = told(TLS)
    assert configuration.tls is not None
    context = client_context(configuration.tls)
    assert context.check_hostname and context.verify_mode == ssl.CERT_REQUIRED
    server = server_context(configuration.tls)
    assert server is not None and server.verify_mode == ssl.CERT_REQUIRED and server_context(None) is None
    assert read_configuration(certificates / "node.toml").tls == configuration.tls
