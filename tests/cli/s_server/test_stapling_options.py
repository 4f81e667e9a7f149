"""-status and its kin, through the real program: real responders, silent ones, none at all."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.s_server.responders import Stage, free_port, leaf_responder, make_stage, responder
from cli.s_server.serving import PROGRAM, connect
from handglass.handshake.config import ClientConfig
from handglass.net import blocking
from handglass.verify.ocsp import read_response
from support.peers import ADDRESS, OpenSSLServer, needs, program
from support.processes import run
from support.s_client import ours
from support.web import web_server

pytestmark = needs("openssl")
BOTH = pytest.mark.parametrize("command", [PROGRAM, []], ids=["ours", "openssl"])


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A chain whose leaf names a responder."""
    return make_stage(tmp_path, free_port())


@pytest.fixture
def silent(tmp_path: Path) -> Stage:
    """A chain whose leaf names no responder."""
    return make_stage(tmp_path, None)


def serving(stage: Stage, command: list[str], *options: str | Path, trusting: bool = True) -> OpenSSLServer:
    """Start a server with this chain."""
    return OpenSSLServer(stage.server, *options, trust=stage.trust if trusting else None, command=command)


def ask(port: int, *options: str) -> str:
    """Connect with OpenSSL's client, which wants the status, and return what it says."""
    command: list[str | Path] = [program("openssl"), "s_client", "-connect", f"{ADDRESS}:{port}", "-status"]
    return run([*command, *options], data=b"Q\n").text


STAPLED = "OCSP Response Status: successful (0x0)"
NOTHING = "OCSP response: no response sent"


@BOTH
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_status_verbose(stage: Stage, command: list[str], version: str) -> None:
    with leaf_responder(stage), serving(stage, command, "-status_verbose") as server:
        assert STAPLED in ask(server.port, version)
        said = server.wait_for("cert_status: ocsp response sent:\n.*\n +OCSP Response Status: successful")[0]
        assert "cert_status: callback called" in server.text
        assert f"cert_status: AIA URL: {stage.url}" in server.text
        assert said


def test_the_response_is_asked_for_once_and_ahead(stage: Stage) -> None:
    with leaf_responder(stage, "-nrequest", "1") as responding, serving(stage, PROGRAM, "-status") as server:
        responding.wait()
        for _ in range(2):
            assert STAPLED in ask(server.port)
        assert NOTHING not in ask(server.port)
        assert "cert_status" not in server.text
        plain = run([program("openssl"), "s_client", "-connect", f"{ADDRESS}:{server.port}"], data=b"Q\n")
        assert "OCSP" not in plain.text


def test_a_response_is_renewed_in_the_background(stage: Stage) -> None:
    """`openssl ocsp` gives responses for a minute; for a server whose clock is ahead of it they live ten seconds."""
    ahead = (
        "import runpy, time; now = time.time; time.time = lambda: now() + 50; runpy.run_module('handglass')"
    )
    late = [*PROGRAM[:-2], "-c", ahead.replace("'handglass'", "'handglass', run_name='__main__'")]
    with (
        leaf_responder(stage, "-nmin", "1", "-nrequest", "2", "-text") as responding,
        serving(stage, late, "-status") as server,
    ):
        responding.wait()  # it has been asked twice, and nobody has connected
        first, second = re.findall(" +Produced At: .*", responding.text)
        assert first != second
        deadline = time.monotonic() + 5
        while second not in (told := ask(server.port)) and time.monotonic() < deadline:
            assert first in told, "the old response is good until the new one is there"
        assert second in told
        assert "cert_status" not in server.text


@BOTH
def test_status_without_the_issuer(stage: Stage, command: list[str]) -> None:
    with leaf_responder(stage), serving_bare(stage, command) as server:
        assert NOTHING in ask(server.port)
        server.wait_for("^cert_status: Can't retrieve issuer certificate.$")


def serving_bare(stage: Stage, command: list[str]) -> OpenSSLServer:
    """Serve the leaf alone; what it is told of the chain is not its issuer."""
    stage.server.intermediate.write_bytes(stage.server.root.read_bytes())
    return serving(stage, command, "-status", trusting=False)


@BOTH
def test_status_url(silent: Stage, command: list[str]) -> None:
    with serving(silent, command, "-status_verbose") as server:
        assert NOTHING in ask(server.port)
        server.wait_for("^cert_status: no AIA and no default responder URL$")
    port = free_port()
    named = Stage(silent.directory, silent.root, silent.intermediate, silent.server, port)
    with leaf_responder(named), serving(silent, command, "-status_url", named.url) as server:
        assert STAPLED in ask(server.port)


@BOTH
def test_status_timeout(tmp_path: Path, command: list[str]) -> None:
    with web_server(lambda _: None) as web:
        stage = make_stage(tmp_path, web.port)
        with serving(stage, command, "-status_timeout", "2", "-status_verbose") as server:
            assert NOTHING in ask(server.port)
            server.wait_for("^cert_status: error querying responder")


def test_who_waits_for_a_responder_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    with web_server(lambda _: None) as web, ThreadPoolExecutor(1) as pool:
        stage = make_stage(tmp_path, web.port)
        with serving(stage, PROGRAM, "-status_timeout", "4", "-status", "-msg") as server:
            waiting = pool.submit(ask, server.port)
            server.wait_for("EncryptedExtensions")
            with connect(server.port) as other:
                assert other.version() == "TLSv1.3"
            assert not waiting.done()
            assert NOTHING in waiting.result(20)


@BOTH
def test_status_file(stage: Stage, command: list[str]) -> None:
    answer = stage.directory / "answer.der"
    with leaf_responder(stage):
        asking: list[str | Path] = [program("openssl"), "ocsp", "-url", stage.url, "-respout", answer]
        asking += ["-issuer", stage.server.intermediate, "-cert", stage.server.certificate, "-noverify"]
        run(asking)
    with serving(stage, command, "-status_file", answer, trusting=False) as server:
        assert STAPLED in ask(server.port)
        plain = run([program("openssl"), "s_client", "-connect", f"{ADDRESS}:{server.port}"], data=b"Q\n")
        assert "OCSP" not in plain.text
    with serving(stage, command, "-status_file", stage.directory / "absent") as server:
        for _ in range(2):
            assert "SSL alert number 80" in ask(server.port)
        server.wait_for("cert_status: Cannot open OCSP response file")


@BOTH
def test_proxy(stage: Stage, command: list[str]) -> None:
    refusal = b"HTTP/1.0 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    with web_server(lambda _: refusal) as proxy:
        with serving(stage, command, "-status", "-proxy", proxy.url("")) as server:
            assert NOTHING in ask(server.port)
        assert re.match(rb"POST http://127\.0\.0\.1:\d+/? HTTP/1\.\d\r\n", proxy.requests[0])
        assert b"application/ocsp-request" in proxy.requests[0]
        seen = len(proxy.requests)
        options = ("-status", "-proxy", proxy.url(""), "-no_proxy", "127.0.0.1")
        with leaf_responder(stage), serving(stage, command, *options) as server:
            assert STAPLED in ask(server.port)
        assert len(proxy.requests) == seen


def test_status_all(stage: Stage) -> None:
    upper = free_port()
    both = ("-status_all", "-status_url", f"http://127.0.0.1:{upper}")
    with (
        leaf_responder(stage),
        responder(stage, stage.root, stage.intermediate.certificate, upper),
        serving(stage, PROGRAM, *both) as server,
    ):
        config = ClientConfig(request_status=True)
        with blocking.connect(ADDRESS, server.port, config=config, verify=False) as stream:
            found = stream.negotiated.peer_ocsp_responses
        assert [read_response(each).status for each in found if each is not None] == [0, 0]
        assert len(found) == 2
        assert found[0] != found[1]
        assert STAPLED in ask(server.port), "OpenSSL's client looks at the leaf's"
        assert STAPLED in ask(server.port, "-tls1_2")
        for version in ("-tls1_2", "-tls1_3"):
            trust = ("-CAfile", stage.server.root, version)
            told = ours(server.port, *trust, "-status_all").text
            assert re.findall("^OCSP verification: .*", told, re.MULTILINE) == [
                "OCSP verification: depth=0 good",
                "OCSP verification: depth=1 good",
            ]
            assert "Verify return code: 0 (ok)" in ours(server.port, *trust, "-ocsp_check_all").text
        told = ours(server.port, *trust[:2], "-tls1_2", "-status").text
        assert re.findall("^OCSP verification: .*", told, re.MULTILINE) == ["OCSP verification: depth=0 good"]


def test_all_statuses_are_too_much_for_openssl(stage: Stage) -> None:
    """A server that does not know status_request_v2 answers for the leaf; -ocsp_check_all misses the rest."""
    with leaf_responder(stage), serving(stage, [], "-status") as server:
        told = ours(server.port, "-CAfile", stage.server.root, "-tls1_2", "-ocsp_check_all").text
    assert STAPLED in told
    assert "OCSP verification: depth=0 good" in told
    assert "Verify return code: 73 (OCSP verification needed)" in told
