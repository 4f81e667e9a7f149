"""Missing issuers and revocation lists, fetched where certificates say; stapled responses kept fresh."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from handglass.net.errors import NetCode, NetError
from handglass.net.http_fetch import FetchOptions
from handglass.net.ocsp_fetch import Stapler, StaplingError, ask_responder, responder_url
from handglass.net.pki_fetch import Fetcher, complete_chain, crl_downloader
from handglass.records import dataclass
from handglass.verify import Certificate, TrustStore, VerifyCode, VerifyParams, verify_chain
from handglass.verify.access import crl_urls, delta_crl_urls, issuer_urls, ocsp_urls
from handglass.verify.ocsp_judge import OcspOutcome, judge_response
from support.peers import needs, program
from support.processes import Process, closed_port, free_port
from support.web import ok, web_server

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
LIMITS = FetchOptions(seconds=60, proxy="")


@dataclass()
class Holder:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def ours(self) -> Certificate:
        return Certificate(self.der)


def make(
    name: str,
    issuer: Holder | None = None,
    *,
    aia: str = "",
    responder: str = "",
    crl: str = "",
    delta: str = "",
    serial: int | None = None,
) -> Holder:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .serial_number(serial or x509.random_serial_number())
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=not name.startswith("leaf"), path_length=None), critical=True)
    )
    ways = [(AuthorityInformationAccessOID.CA_ISSUERS, aia), (AuthorityInformationAccessOID.OCSP, responder)]
    described = [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in ways if url
    ]
    if described:
        builder = builder.add_extension(x509.AuthorityInformationAccess(described), critical=False)
    for kind, url in ((x509.CRLDistributionPoints, crl), (x509.FreshestCRL, delta)):
        if url:
            point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
            builder = builder.add_extension(kind([point]), critical=False)
    return Holder(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def served(contents: dict[str, bytes]) -> Callable[[bytes], bytes]:
    """Answer with what is in `contents` at the time of the request."""

    def answer(request: bytes) -> bytes:
        body = contents.get(request.split(b" ")[1].decode())
        return b"HTTP/1.0 404 Not Found\r\n\r\n" if body is None else ok(body)

    return answer


def test_missing_issuers_are_fetched() -> None:
    contents: dict[str, bytes] = {}
    with web_server(served(contents)) as server:
        root = make("root")
        upper = make("upper", root)
        middle = make("middle", upper, aia=server.url("/upper.p7c"))
        leaf = make("leaf", middle, aia=server.url("/middle.der"))
        contents["/middle.der"] = middle.der
        contents["/upper.p7c"] = pkcs7.serialize_certificates(
            [root.certificate, upper.certificate], Encoding.DER
        )
        store = TrustStore([root.ours])
        told: list[str] = []
        chain = complete_chain([leaf.ours], store, Fetcher(LIMITS, tell=told.append))
    assert chain == [leaf.ours, middle.ours, upper.ours]
    assert server.paths == ["/middle.der", "/upper.p7c"]
    assert told == []
    result = verify_chain(chain[0], chain[1:], store, VerifyParams(), int(NOW.timestamp()))
    assert result.code == VerifyCode.OK


def test_nothing_is_fetched_without_need_or_beyond_the_limits() -> None:
    with web_server(lambda _: ok(b"no certificate")) as server:
        root = make("root")
        leaf = make("leaf", root, aia=server.url("/x"))
        assert complete_chain([leaf.ours], TrustStore([root.ours]), Fetcher(LIMITS)) == [leaf.ours]
        assert complete_chain([leaf.ours, root.ours], TrustStore(), Fetcher(LIMITS)) == [leaf.ours, root.ours]
        assert complete_chain([], TrustStore(), Fetcher(LIMITS)) == []
        assert server.requests == []
        told: list[str] = []
        assert complete_chain([leaf.ours], TrustStore(), Fetcher(LIMITS, 0, told.append)) == [leaf.ours]
        assert told == [f"{server.url('/x')} was not fetched: the limit of time or number is reached"]
        assert complete_chain([leaf.ours], TrustStore(), Fetcher(LIMITS, tell=told.append)) == [leaf.ours]
        assert told[-1].startswith(f"cannot use {server.url('/x')}: there is no certificate in it")
    with web_server(lambda _: ok(make("stranger").der)) as server:
        misled = make("leaf", root, aia=server.url("/x"))
        assert complete_chain([misled.ours], TrustStore(), Fetcher(LIMITS, tell=told.append)) == [misled.ours]
        assert told[-1] == "none of the fetched certificates is that of CN = root"
    elsewhere = make("leaf", root, aia="http://127.0.0.1:1/gone")
    assert complete_chain([elsewhere.ours], TrustStore(), Fetcher(LIMITS, tell=told.append)) == [
        elsewhere.ours
    ]
    assert "cannot fetch" in told[-1]


def test_an_endless_chain_ends() -> None:
    contents: dict[str, bytes] = {}
    with web_server(served(contents)) as server:
        holders = [make("top")]
        for number in range(30):
            holders.append(make(f"ca {number}", holders[-1], aia=server.url(f"/{number}")))
            contents[f"/{number}"] = holders[-2].der
        assert len(complete_chain([holders[-1].ours], TrustStore(), Fetcher(LIMITS, 100))) == 12
        assert len(complete_chain([holders[-1].ours], TrustStore(), Fetcher(LIMITS, 3))) == 4


def revocation_list(issuer: Holder, *serials: int, number: int = 1, base: int | None = None) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(NOW - DAY)
        .next_update(NOW + DAY)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    if base is not None:
        builder = builder.add_extension(x509.DeltaCRLIndicator(base), critical=True)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - DAY).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_revocation_lists_are_downloaded() -> None:
    contents: dict[str, bytes] = {}
    with web_server(served(contents)) as server:
        root = make("root")
        leaf = make("leaf", root, crl=server.url("/crl"), delta=server.url("/delta"))
        good = make("leaf good", root, crl=server.url("/crl"))
        contents["/crl"] = revocation_list(root, leaf.certificate.serial_number)
        contents["/delta"] = revocation_list(root, base=1, number=2)
        download = crl_downloader(Fetcher(LIMITS))
        assert [crl.base_number for crl in download(leaf.ours)] == [None, 1]
        assert server.paths == ["/crl", "/delta"]
        for holder, code in ((leaf, VerifyCode.CERT_REVOKED), (good, VerifyCode.OK)):
            store = TrustStore([root.ours], download=crl_downloader(Fetcher(LIMITS)))
            result = verify_chain(holder.ours, [], store, VerifyParams(crl_check=True), int(NOW.timestamp()))
            assert result.code == code


def test_where_certificates_point() -> None:
    leaf = make("leaf", aia="http://a/", responder="http://o/", crl="http://c/", delta="http://d/").ours
    assert (issuer_urls(leaf), ocsp_urls(leaf), crl_urls(leaf)) == (
        ["http://a/"],
        ["http://o/"],
        ["http://c/"],
    )
    assert delta_crl_urls(leaf.extensions) == ["http://d/"]
    nothing = make("leaf").ours
    assert (issuer_urls(nothing), ocsp_urls(nothing), crl_urls(nothing)) == ([], [], [])
    assert responder_url(leaf, "http://default/") == "http://o/"
    assert responder_url(nothing, "http://default/") == "http://default/"
    with pytest.raises(StaplingError, match="no AIA and no default responder URL"):
        responder_url(nothing)


@needs("openssl")
def test_a_real_responder(tmp_path: Path) -> None:
    root = make("root")
    good, revoked, stranger = (make("leaf", root, serial=serial) for serial in (0x1001, 0x1002, 0x1003))
    expiry = "300101000000Z"
    (tmp_path / "index.txt").write_text(
        f"V\t{expiry}\t\t1001\tunknown\t/CN=leaf\nR\t{expiry}\t250101000000Z,keyCompromise\t1002\tunknown\t/CN=leaf\n"
    )
    (tmp_path / "ca.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "ca.key").write_bytes(
        root.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    port = free_port()
    command = [program("openssl"), "ocsp", "-port", str(port), "-index", "index.txt", "-CA", "ca.pem"]
    with Process(
        [*command, "-rsigner", "ca.pem", "-rkey", "ca.key", "-nmin", "5"], cwd=tmp_path
    ) as responder:
        responder.wait_until_listening(port)
        url = f"http://127.0.0.1:{port}/"
        now = int(time.time())
        for holder, outcome in (
            (good, OcspOutcome.GOOD),
            (revoked, OcspOutcome.REVOKED),
            (stranger, OcspOutcome.UNKNOWN),
        ):
            response = ask_responder(holder.ours, root.ours, url, LIMITS, nonce=b"0123456789abcdef")
            verdict = judge_response(response, holder.ours, root.ours, now, nonce=b"0123456789abcdef")
            assert (verdict.outcome, verdict.notes) == (outcome, ())
        stapler = Stapler(good.ours, root.ours, url, LIMITS)
        data = stapler.get()
        assert data is not None
        assert judge_response(data, good.ours, root.ours, now).outcome is OcspOutcome.GOOD
        stapler.close()


def answer_of(holder: Holder, issuer: Holder, minutes: int = 60) -> bytes:
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            holder.certificate,
            issuer.certificate,
            hashes.SHA1(),
            ocsp.OCSPCertStatus.GOOD,
            NOW,
            NOW + timedelta(minutes=minutes),
            None,
            None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    )
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_a_stapled_response_is_asked_for_once_and_kept() -> None:
    root = make("root")
    leaf = make("leaf", root)
    response = answer_of(leaf, root)
    with web_server(lambda _: ok(response)) as server:
        stapler = Stapler(leaf.ours, root.ours, server.url(), LIMITS)
        answers: list[bytes | None] = []
        threads = [threading.Thread(target=lambda: answers.append(stapler.get())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [response] * 8
        assert stapler.current() == response
        assert len(server.requests) == 1
        stapler.close()


def test_a_failed_question_is_asked_again_and_an_old_answer_is_not_used() -> None:
    root = make("root")
    leaf = make("leaf", root)
    working = threading.Event()
    told: list[str] = []
    clock = [NOW.timestamp()]

    def answer(_: bytes) -> bytes:
        return ok(answer_of(leaf, root)) if working.is_set() else b"HTTP/1.0 503 Busy\r\n\r\n"

    with web_server(answer) as server:
        stapler = Stapler(
            leaf.ours, root.ours, server.url(), LIMITS, tell=told.append, clock=lambda: clock[0], retry=0.02
        )
        assert stapler.get() is None
        assert told[0] == f"error querying responder: {server.url()} was answered with 503 Busy"
        working.set()
        until(lambda: stapler.current() is not None)
        clock[0] += 3601
        assert stapler.current() is None
        stapler.close()


def test_a_silent_responder_costs_a_limited_time() -> None:
    root = make("root")
    leaf = make("leaf", root)
    with web_server(lambda _: None) as server:
        begun = time.monotonic()
        stapler = Stapler(leaf.ours, root.ours, server.url(), FetchOptions(seconds=0.3, proxy=""))
        assert stapler.get() is None
        assert time.monotonic() - begun < 60
        stapler.close()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"garbage", "no OCSP response"),
        (bytes.fromhex("30030a0106"), "answered unauthorized"),
        (bytes.fromhex("30030a0100"), "it holds nothing"),
    ],
)
def test_answers_that_are_not_stapled(body: bytes, sentence: str) -> None:
    root = make("root")
    told: list[str] = []
    with web_server(lambda _: ok(body)) as server:
        stapler = Stapler(make("leaf", root).ours, root.ours, server.url(), LIMITS, tell=told.append)
        assert stapler.get() is None
        stapler.close()
    assert sentence in told[0]


def test_a_question_to_nobody() -> None:
    root = make("root")
    with closed_port() as port, pytest.raises(NetError) as caught:
        ask_responder(make("leaf", root).ours, root.ours, f"http://127.0.0.1:{port}/", LIMITS)
    assert caught.value.code is NetCode.CONNECT_FAILED
