"""The configuration of a node: ten lines are enough, and each mistake is one sentence with the key and what to write."""

from pathlib import Path

import pytest
from tests.node.test_tls import TLS, certificates  # noqa: F401

from demottle.errors import InputError
from demottle.node.configuration import WebDestination
from demottle.node.toml_file import read_configuration
from demottle.quality.limits import Limits

SENDER = '[[sender]]\ntitle = "CT1"\naddress = "10.0.0.5"\n'
PACS = '[[destination]]\nname = "pacs"\ntitle = "ORTHANC"\naddress = "10.0.0.9"\nport = 4242\n'
NODE = '[node]\nfolder = "held"\n'
RULE = '[[rule]]\nto = ["pacs"]\n'
WHOLE = NODE + SENDER + PACS + RULE
WEB = NODE + SENDER + RULE + '[[destination]]\nname = "pacs"\nurl = "https://pacs.example/dicom-web"\n'


def _read(folder: Path, text: str):
    file = folder / "node.toml"
    file.write_text(text)
    return read_configuration(file)


def test_ten_lines_are_enough(tmp_path: Path) -> None:
    found = _read(tmp_path, WHOLE)
    assert len(WHOLE.strip().splitlines()) <= 13
    assert (found.folder, found.address, found.port, found.quiet) == (tmp_path / "held", "127.0.0.1", 11112, 60.0)
    assert found.rules[0].limits == Limits() and found.rules[0].send == ("images",)
    assert found.destination("pacs") == found.destinations[0] and found.destination("other") is None


def test_the_first_rule_that_is_met_decides(tmp_path: Path) -> None:
    rules = (
        '[[rule]]\nname = "scouts"\nleave = true\nwhen = { description = ["*scout*", "*topogram*"] }\n'
        '[[rule]]\nname = "thin"\nto = "pacs"\nmethod = "nl-bayes"\nstrength = 0.5\n'
        'when = { modality = "CT", kernel = "br*", thickness = "0.5..2", dose = "..10" }\n'
        '[[rule]]\nname = "from CT1"\nto = "pacs"\nwhen = { caller = "CT1" }\n'
    )
    found = _read(tmp_path, NODE + SENDER + PACS + rules)
    thin = {"caller": "X", "modality": "CT", "kernel": "Br40", "thickness": 1.0, "dose": 3.0, "description": "Thorax"}
    for changes, name in (
        ({}, "thin"),
        ({"thickness": 2.0}, "thin"),
        ({"thickness": 2.01}, None),
        ({"thickness": None}, None),
        ({"dose": 10.5}, None),
        ({"kernel": "Hr40"}, None),
        ({"kernel": None}, None),
        ({"kernel": None, "caller": "CT1"}, "from CT1"),
        ({"description": "Topogram 0.6"}, "scouts"),
    ):
        met = found.rule_for({**thin, **changes})
        assert (met.name if met else None) == name, changes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", "not valid TOML"),
        ("", "node.toml: 'sender' is missing; write \\[\\[sender\\]\\]"),
        (NODE + SENDER, "node.toml: 'rule' is missing"),
        (WHOLE + "[wbe]\n", "node.toml: 'wbe' is not a key demottle knows; did you mean 'web'\\?$"),
        (WHOLE + "[xyz]\n", "node.toml: 'xyz' .*; known are destination, node, rule, sender, tls, web\\.$"),
        (WHOLE + "when = { modallity = 'CT' }\n", "'modallity' in when of .*did you mean 'modality'\\?$"),
        (WHOLE + "gate = { nix = 1 }\n", "^'nix' in 'gate' in \\[\\[rule\\]\\] number 1 of .*node.toml is not a limit"),
        (WHOLE + "seed = -1\n", "'seed' in .* is -1; write a whole number of 0 or more"),
        (WHOLE.replace('"held"', '"secret"'), "'folder' in \\[node\\] is .*/secret, which is a file; name a folder"),
        (
            WHOLE.replace('"held"', '"secret/a/b"'),
            "'folder' in \\[node\\] is .*/a/b, and .*/secret is a file; name a folder",
        ),
        (
            WHOLE + '[web]\npatients = "doctor"\n',
            "'patients' in .web. is 'doctor'; it can be technologist, physicist, admin, no",
        ),
        (WHOLE + "[web]\nport = 11112\n", "'port' in \\[web\\] is 11112, where \\[node\\] listens; give one"),
        (
            WHOLE.replace(NODE, NODE + 'address = "0.0.0.0"\nport = 80\n') + "[web]\nport = 80\n",
            "'port' in \\[web\\] is 80, where \\[node\\] listens",
        ),
        (
            WHOLE + '[tls]\ncertificate = "secret"\nkey = "secret"\nauthorities = "secret"\n',
            "'authorities' in \\[tls\\] names .*/secret, which holds no certificates in PEM",
        ),
        (SENDER + PACS + RULE, "'folder' in \\[node\\] is missing"),
        (WHOLE.replace("folder", "foldr"), "did you mean|'folder' in \\[node\\] is missing"),
        (WHOLE.replace('title = "CT1"', 'title = "a very long AE title"'), "1 to 16 ASCII characters"),
        (WHOLE.replace('title = "CT1"', 'title = "A\\\\B"'), "no backslash"),
        (WHOLE.replace("10.0.0.5", "10.0.0.500"), "write an address such as"),
        (WHOLE.replace("10.0.0.5", "bad host"), "write an address such as"),
        (WHOLE.replace("4242", "70000"), "'port' in \\[\\[destination\\]\\] number 1 is 70000; .*65535"),
        (WHOLE.replace("port = 4242\n", ""), "'port' .* is missing"),
        (WHOLE + 'metod = "nl-bayes"\n', "'metod' in \\[\\[rule\\]\\] number 1 .*did you mean 'method'"),
        (WHOLE + 'method = "no-such"\n', "no-such"),
        (WHOLE + "strength = 3\n", "strength"),
        (WHOLE + 'settings = { radius = 1 }\nmethod = "nl-bayes"\n', "radius"),
        (WHOLE + 'model = "missing.safetensors"\n', "'model' .*is not a file"),
        (
            WHOLE + 'preset = "small"\n',
            r"'preset' in \[\[rule\]\].* is 'small'; it can be 'fast', 'gentle', .*'strong', or",
        ),
        (
            WHOLE + 'preset = "fast"\nsettings = { look = 0.1 }\n',
            "'settings' .* no sense beside 'preset', which chooses",
        ),
        (WHOLE + 'send = ["pictures"]\n', "may hold images, map, page, report, capture"),
        (WHOLE + "tell = true\ngate = false\n", "'tell' .*by which nothing fails"),
        (WHOLE + "longest = 0\n", "'longest' in \\[\\[rule\\]\\] .*write a number from 0.01"),
        (WHOLE + "tell = 1\n", "'tell' .*write true or false"),
        (WHOLE.replace('["pacs"]', '["pax"]'), "'to' .*'pax', and a destination is one of pacs"),
        (NODE + SENDER + PACS + "[[rule]]\n", "'to' .*is missing"),
        (WHOLE + PACS, "node.toml: two \\[\\[destination\\]\\] have the name 'pacs'; give each"),
        (
            WHOLE + 'name = "x"\n' + RULE + 'name = "x"\n',
            "node.toml: two \\[\\[rule\\]\\] have the name 'x'; give each",
        ),
        (WHOLE + "when = { thickness = '2..1' }\n", "write a range such as"),
        (WHOLE + "when = { thikness = 1 }\n", "'thikness' in when .*did you mean 'thickness'"),
        (WHOLE + "gate = { noize = 1 }\n", "noize"),
        (WHOLE + "gate = 3\n", "'gate' .*write true, false"),
        (WHOLE.replace("port = 4242", "port = 4242\ntls = true"), "'tls' .*needs certificates"),
        (WHOLE.replace("port = 4242", 'port = 4242\nurl = "http://x"'), "'title' .*stands beside 'url'"),
        (WEB.replace("https", "ftp"), "'url' .*write where /studies begins"),
        (WEB.replace("/dicom-web", ":no"), "'url' .*write where /studies begins"),
        (WEB.replace("/dicom-web", "/dicom-web?x=1"), "'url' .*write where /studies begins"),
        (WEB.replace("/dicom-web", "/studies/"), "'url' .*leave out /studies"),
        (WEB.replace("//pacs", "//anna:secret@pacs"), "'url' .*holds a log-in(?!.*secret)"),
        (WEB + "commitment = true\n", "'commitment' .*each answer says what was stored"),
        (WEB + "tls = true\n", "'tls' .*write https://"),
        (WEB + 'user = "anna"\n', "'user' .*and 'password_file' belong together"),
        (WEB + 'password_file = "empty"\n', "'password_file' .*has to hold one line"),
        (WEB + 'password_file = "none"\n', "'password_file' .*is not a file"),
        (WEB + 'user = "a:b"\npassword_file = "secret"\n', "'user' .*colon"),
        (WEB + 'user = "a"\npassword_file = "secret"\ntoken_file = "secret"\n', "'token_file' .*stands beside 'user'"),
        (WEB.replace("https", "http") + 'token_file = "secret"\n', "'url' .*unencrypted; write https"),
        (WEB.replace("https", "http") + 'authorities = "secret"\n', "'url' .*uses no certificates; write https"),
        (WEB + 'authorities = "secret"\n', "'authorities' .*holds no certificates in PEM"),
        (WEB + 'certificate = "secret"\nkey = "secret"\n', "'certificate' .*no certificates in PEM"),
        (WEB + 'certificate = "secret"\n', "'certificate' .*and 'key' belong together"),
        (WHOLE.replace("port = 4242", 'port = 4242\nuser = "anna"'), "'user' .*goes with url"),
        (WHOLE + '[tls]\ncertificate = "a.pem"\nkey = "b"\nauthorities = "c"\n', "'certificate' in \\[tls\\]"),
        (WHOLE.replace(NODE, NODE + "quiet = -1\n"), "'quiet' .*write a number from"),
        (WHOLE.replace(NODE, NODE + "quiet = true\n"), "'quiet' .*write a number from"),
        (WHOLE.replace(SENDER, '[sender]\ntitle = "CT1"\n'), "'sender' .*\\[\\[sender\\]\\] above each"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_key(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(InputError, match=said) as raised:
        _read(tmp_path, text)
    assert str(raised.value).count("\n") == 0


def test_certificate_and_key_of_the_node_are_tried_when_the_configuration_is_read(certificates: Path) -> None:  # noqa: F811
    for name, text in (("node.key", (certificates / "ca.pem").read_text()), ("node.pem", "no certificate")):
        (certificates / name).write_text(text)
        key = "certificate" if name == "node.pem" else "key"
        with pytest.raises(InputError, match=rf"'{key}' in \[tls\] names .*/{name}, which (holds no|does not hold)"):
            _read(certificates, WHOLE + TLS)


def test_page_and_node_may_have_one_port_at_two_addresses(tmp_path: Path) -> None:
    node = NODE + 'address = "10.0.0.2"\n'
    assert _read(tmp_path, WHOLE.replace(NODE, node) + "[web]\nport = 11112\n").port == 11112


def test_the_gate_is_the_house_s_own_a_table_a_file_or_none(tmp_path: Path) -> None:
    (tmp_path / "limits.toml").write_text("noise = 0.5\n")
    made = {
        text: _read(tmp_path, f"{WHOLE}gate = {text}\n").rules[0].limits
        for text in ("true", "false", "{ noise = 0.7 }", '"limits.toml"')
    }
    assert made["true"] == Limits() and made["false"] is None
    assert made["{ noise = 0.7 }"].noise == 0.7 and made['"limits.toml"'].noise == 0.5


def test_a_rule_s_own_time_goes_before_the_node_s(tmp_path: Path) -> None:
    named = RULE + 'name = "a"\nlongest = 5\n' + RULE + 'name = "b"\n'
    found = _read(tmp_path, NODE + "longest = 30\n" + SENDER + PACS + named)
    assert [found.longest_of(name) for name in ("a", "b", "gone")] == [5, 30, 30]
    assert _read(tmp_path, WHOLE).longest_of("rule 1") == 360


def test_a_dicomweb_destination_takes_files_beside_the_configuration(certificates: Path) -> None:  # noqa: F811
    (certificates / "password").write_text("x\n")
    more = 'user = "anna"\npassword_file = "password"\nauthorities = "ca.pem"\ncertificate = "node.pem"\nkey = "node.key"\n'
    found = _read(certificates, WEB.replace("/dicom-web", "/dicom-web/") + more).destinations[0]
    assert isinstance(found, WebDestination) and found.url == "https://pacs.example/dicom-web"
    assert (found.user, found.password_file, found.days) == ("anna", certificates / "password", 7.0)
    assert (found.authorities, found.key) == (certificates / "ca.pem", certificates / "node.key")


def test_a_file_that_cannot_be_read_is_said_in_words_of_our_own(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path / "none.toml", f"There is no configuration {tmp_path}/none.toml; name the TOML file of the node."),
        (tmp_path, f"{tmp_path} is a folder; name the TOML file of the node in it."),
    ):
        with pytest.raises(InputError, match="name the TOML file") as caught:
            read_configuration(path)
        assert str(caught.value) == said
