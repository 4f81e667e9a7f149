"""`handglass verify` beside `openssl verify`: the same words on the same streams, the same exit status."""

from __future__ import annotations

import json
import random
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from handglass.__main__ import main
from handglass.verify import Certificate
from handglass.verify.name_hash import name_hash
from verify.support import build, openssl, scenes, scenes_extensions, scenes_revocation
from verify.support.openssl import Scene

PKITS = Path(__file__).parents[2] / "vectors" / "pkits"
NOWHERE = ["-no-CAfile", "-no-CApath", "-no-CAstore"]

needs_program = pytest.mark.skipif(
    not openssl.version().startswith("3.0."), reason="no openssl 3.0 is installed"
)


def both(words: Sequence[str], capfd: pytest.CaptureFixture[str], stdin: str = "") -> None:
    """Run the two programs and compare all that they say; the lines of OpenSSL's error queue are its own."""
    theirs = subprocess.run(
        ["openssl", "verify", *words], input=stdin, capture_output=True, text=True, check=False, timeout=60
    )
    capfd.readouterr()
    status = main(["verify", *words])
    out, err = capfd.readouterr()
    assert out == theirs.stdout, words
    assert err.splitlines() == [line for line in theirs.stderr.splitlines() if ":error:" not in line], words
    assert status == theirs.returncode


def files_of(scene: Scene, folder: Path) -> list[str]:
    words = [*NOWHERE, *openssl.arguments(scene.params)]
    for option, data, label in (
        ("-CAfile", scene.anchors, "CERTIFICATE"),
        ("-untrusted", scene.untrusted, "CERTIFICATE"),
        ("-CRLfile", scene.crls, "X509 CRL"),
    ):
        if data:
            path = folder / f"{option[1:]}.pem"
            path.write_text("".join(build.pem(der, label) for der in data))
            words += [option, str(path)]
    leaf = folder / "leaf.pem"
    leaf.write_text(build.pem(scene.leaf))
    return [*words, str(leaf)]


def chosen() -> Iterator[tuple[str, Scene]]:
    draw = random.Random(11)
    for generator in (
        scenes.single_faults,
        scenes.building,
        scenes.names,
        scenes.strength,
        scenes_extensions.name_constraints,
        scenes_extensions.policies,
        scenes_extensions.proxies,
        scenes_revocation.simple,
    ):
        yield from draw.sample(list(generator()), 12)


@needs_program
def test_the_same_words(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for _, scene in chosen():
        words = files_of(scene, tmp_path)
        both([*words[:-1], "-show_chain", "-policy_print", words[-1]], capfd)


@needs_program
@pytest.mark.parametrize("nameopt", ["RFC2253", "multiline", "oneline,-space_eq", "lname,sep_multiline"])
def test_names(nameopt: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = files_of(scenes.scene(scenes.make(scenes.layers(4))), tmp_path)
    both([*words[:-1], "-nameopt", nameopt, "-show_chain", words[-1]], capfd)
    both([*words[:-1], "-nameopt", nameopt, "-verify_hostname", "x.test", words[-1]], capfd)


@needs_program
def test_policies_of_pkits(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cases = json.loads((PKITS / "cases.json").read_text())
    with tarfile.open(PKITS / "pkits.tar.xz") as archive:
        found = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        data = {name: handle.read() for name, handle in found.items() if handle is not None}
    for case in cases:
        if not case["id"].startswith(("4.8.", "4.9.", "4.10.", "4.11.", "4.12.")):
            continue
        scene = Scene(
            data[f"certs/{case['leaf']}"],
            [data[f"certs/{name}"] for name in case["sent"]],
            [data["certs/TrustAnchorRootCertificate.crt"]],
        )
        policies = case.get("params", {}).get("user_initial_policy_set", ["2.5.29.32.0"])
        words = files_of(scene, tmp_path)
        options = [word for policy in policies for word in ("-policy", policy)]
        both([*words[:-1], *options, "-policy_print", "-attime", "1651363200", words[-1]], capfd)


@needs_program
def test_several_certificates(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = files_of(scenes.scene(scenes.make(scenes.layers(3))), tmp_path)
    stranger = tmp_path / "stranger.pem"
    stranger.write_text(build.pem(build.certificate(build.name("CN=x"), build.ec_key("x")).der))
    both([*words, str(stranger), words[-1]], capfd)
    anchors, sent = str(tmp_path / "CAfile.pem"), str(tmp_path / "untrusted.pem")
    both([*NOWHERE, "-attime", str(build.NOW), "-trusted", anchors, "-untrusted", sent, words[-1]], capfd)
    both([*NOWHERE, "-attime", str(build.NOW), "-trusted", sent, words[-1]], capfd)


@needs_program
@pytest.mark.parametrize(
    "words",
    [
        ["-verify_name", "bogus"],
        ["-purpose", "bogus"],
        ["-policy", "1.x"],
        ["-attime", "soon"],
        ["-CApath", "/nowhere"],
    ],
)
def test_wrong_words_end_with_1(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    theirs = subprocess.run(["openssl", "verify", *words], capture_output=True, text=True, check=False)
    assert theirs.returncode == 1
    assert main(["verify", *words]) == 1
    assert capfd.readouterr().err.splitlines()[0] == theirs.stderr.splitlines()[0]


@needs_program
def test_trusted_stands_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = files_of(scenes.scene(scenes.make(scenes.layers(3))), tmp_path)
    both([*words[:-1], "-trusted", str(tmp_path / "CAfile.pem"), words[-1]], capfd)


@needs_program
@pytest.mark.parametrize("without", [[], ["-no-CApath"], ["-no-CAstore"], ["-no-CApath", "-no-CAstore"]])
def test_a_named_place_leaves_the_defaults_of_the_other_kinds(
    without: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = scenes.scene(scenes.make(scenes.layers(3)))
    words = [word for word in files_of(scene, tmp_path) if word not in NOWHERE]
    hashed, stranger = tmp_path / "hashed", tmp_path / "stranger.pem"
    hashed.mkdir()
    for anchor in scene.anchors:
        subject = Certificate(anchor).subject.encoding
        (hashed / f"{name_hash(subject)}.0").write_text(build.pem(anchor))
    stranger.write_text(build.pem(build.certificate(build.name("CN=x"), build.ec_key("x")).der))
    words[words.index("-CAfile") + 1] = str(stranger)
    monkeypatch.setenv("SSL_CERT_DIR", str(hashed))
    both([*without, *words], capfd)


@pytest.mark.parametrize(
    ("option", "value", "outcome"),
    [
        ("-verify_hostname", "", "error 62 at 0 depth lookup: hostname mismatch"),
        ("-attime", "253402300800", "error 10 at 0 depth lookup: certificate has expired"),
    ],
)
def test_values_beyond_openssl(
    option: str, value: str, outcome: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = files_of(scenes.scene(scenes.make(scenes.layers(3))), tmp_path)
    assert main(["verify", *words[:-1], option, value, words[-1]]) == 2
    assert outcome in capsys.readouterr().err.splitlines()


def test_trusted_certificates_in_any_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = scenes.scene(scenes.make(scenes.layers(3)))
    words = files_of(scene, tmp_path)
    bundle = Path(words[words.index("-CAfile") + 1])
    text = bundle.read_text()
    assert len(scene.anchors) == 1
    for data in (scene.anchors[0], text.replace("\n", "\r\n").encode(), f"text\n{text}".encode()):
        bundle.write_bytes(data)
        assert main(["verify", *words]) == 0, capsys.readouterr().err


def test_files_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", *NOWHERE, str(tmp_path / "nowhere.pem")]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("Could not open file or uri for loading certificate file from ")
    assert second == "Unable to load certificate file"
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    assert main(["verify", *NOWHERE, str(empty)]) == 2
    assert capsys.readouterr().err.startswith("Could not read certificate file from ")
    assert main(["verify", "-CRLfile", str(empty), str(empty)]) == 1
    assert main(["verify", "-untrusted", str(empty), str(empty)]) == 1
    assert main(["verify", "-verify_ip", "1.2.3", str(empty)]) == 1
    assert "Invalid IP address 1.2.3" in capsys.readouterr().err


def test_revocation_lists_are_downloaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    lists: dict[str, bytes] = {}

    class Lists(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = lists[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with HTTPServer(("127.0.0.1", 0), Lists) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        place = build.uri(f"http://127.0.0.1:{server.server_port}/one.crl")
        layers = scenes.layers(3)
        layers[2].extensions["cdp"] = build.distribution_points(build.distribution_point([place]))
        built = scenes.make(layers)
        words = files_of(scenes.scene(built), tmp_path)
        check = ["verify", *words[:-1], "-crl_check", "-crl_download", words[-1]]
        lists["/one.crl"] = build.crl(built[1])
        assert main(check) == 0
        lists["/one.crl"] = build.crl(built[1], [build.revoked(built[2].serial)])
        assert main(check) == 2
        lists["/one.crl"] = b"damaged"
        assert main(["verify", "-verbose", *check[1:]]) == 2
        server.shutdown()
        thread.join()
    assert asked == ["/one.crl"] * 3
    said = capsys.readouterr().err
    assert "error 23 at 0 depth lookup: certificate revoked" in said
    assert "/one.crl: there is no certificate revocation list in it" in said


def test_verbose_says_what_exactly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = files_of(scenes.scene(scenes.make(scenes.layers(3))), tmp_path)
    assert main(["verify", *words[:-1], "-verbose", "-verify_hostname", "x.test", words[-1]]) == 2
    assert "    x.test is not in it; it names " in capsys.readouterr().err
