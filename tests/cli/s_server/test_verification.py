"""How s_server judges client certificates: each option beside OpenSSL's s_server, lines and alerts alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.s_server.client_chains import Client, hash_directory, knock, openssl, ours, write_client
from cli.s_server.serving import PROGRAM, connect
from support.peers import ADDRESS, OpenSSLServer, needs, program
from support.pki import Pki
from support.processes import run
from support.web import ok, web_server
from verify.support import build
from verify.support.build import DAY, NOW, Built
from verify.support.scenes import (
    OTHER_POLICY,
    POLICY,
    UNKNOWN,
    Layer,
    all_of,
    drop,
    layers,
    make,
    option,
    put,
)

pytestmark = needs("openssl")

Words = Sequence[str | Path]
Change = Callable[[list[Layer]], None]
Files = Callable[[Path, list[Built]], list[str | Path]]
"""Writes further files, and gives the options that name them; the chain is root first."""

AT = ("-attime", str(NOW))
MAPPED = "1.3.6.1.4.1.99999.5"


def client_layers() -> list[Layer]:
    """Give a right chain for a client: root, intermediate, leaf with a mail and an IP address."""
    chain = layers(3)
    names = [build.dns("client.test"), build.email("me@client.test"), build.ip(b"\x7f\0\0\1")]
    put("eku", build.extended_key_usage(build.CLIENT))(chain[2])
    put("san", build.alternative_names(*names))(chain[2])
    return chain


def at(place: int, *faults: Callable[[Layer], None]) -> Change:
    """Give a change of the certificate at a place, the root being 0 and the leaf 2."""
    return lambda chain: all_of(*faults)(chain[place])


def policies(ca: str, leaf: str, *more: bytes) -> Change:
    """Give the intermediate and the leaf a policy each."""

    def change(chain: list[Layer]) -> None:
        chain[1].extensions["cp"] = build.policies(ca)
        chain[2].extensions["cp"] = build.policies(leaf)
        for number, extension in enumerate(more):
            chain[1].extensions[f"more {number}"] = extension

    return change


def crl(*numbers: int, der: bool = False) -> Files:
    """Write the intermediate's CRL, in which these serial numbers are revoked."""

    def write(folder: Path, chain: list[Built]) -> list[str | Path]:
        data = build.crl(chain[1], [build.revoked(number) for number in numbers])
        path = folder / "crl"
        path.write_bytes(data if der else build.pem(data, "X509 CRL").encode())
        return ["-CRL", path, *(["-CRLform", "DER"] if der else [])]

    return write


def beside_the_root(*make_each: Callable[[list[Built]], tuple[str, bytes]]) -> Files:
    """Write further things into the file of the root: (label, DER) each."""

    def write(folder: Path, chain: list[Built]) -> list[str | Path]:
        path = folder / "trust.pem"
        more = (build.pem(der, label) for label, der in (each(chain) for each in make_each))
        path.write_text(chain[0].pem + "".join(more))
        return ["-CAfile", path]

    return write


def crl_of(
    place: int, *numbers: int, extensions: Sequence[bytes] | None = None
) -> Callable[[list[Built]], tuple[str, bytes]]:
    """Make a CRL of the authority at a place."""
    entries = [build.revoked(number) for number in numbers]
    return lambda chain: ("X509 CRL", build.crl(chain[place], entries, extensions))


DELTA = [build.crl_number(2), build.delta_indicator(1)]
POINT = build.uri("http://crl.test/a.crl")


def crl_with_own_key(folder: Path, chain: list[Built]) -> list[str | Path]:
    """Write a CRL that the intermediate signed with a key of its own, whose certificate the client sends too."""
    key = build.ec_key("crl signer")
    extensions = [
        build.key_usage(build.CRL_SIGN),
        build.subject_key_id(key.identifier),
        build.authority_key_id(chain[0].key.identifier),
    ]
    signer = build.certificate(chain[1].subject, key, chain[0], extensions, serial=50)
    with (folder / "between.pem").open("a") as between:
        between.write(signer.pem)
    path = folder / "trust.pem"
    path.write_text(chain[0].pem + build.pem(build.crl(signer), "X509 CRL"))
    return ["-CAfile", path]


def only(place: int) -> Files:
    """Trust one certificate of the chain alone."""

    def write(folder: Path, chain: list[Built]) -> list[str | Path]:
        path = folder / "only.pem"
        path.write_text(chain[place].pem)
        return ["-CAfile", path]

    return write


def nothing(_chain: object) -> None:
    """Change nothing."""


def no_files(_folder: Path, _chain: list[Built]) -> list[str | Path]:
    """Write nothing."""
    return []


expired = at(2, option(start=NOW - 1000 * DAY, end=NOW - 900 * DAY))
own_mark = at(0, option(damage=True))
serverlike = at(2, put("eku", build.extended_key_usage(build.SERVER)))

CASES: dict[str, tuple[Change, Files, tuple[str, ...]]] = {
    "all is well": (nothing, no_files, AT),
    "untrusted": (nothing, only(2), AT),
    "expired": (expired, no_files, AT),
    "not yet valid": (at(2, option(start=NOW + DAY)), no_files, AT),
    "attime": (nothing, no_files, ("-attime", "4000000000")),
    "attime and no_check_time": (expired, no_files, (*AT, "-no_check_time")),
    "no_check_time": (expired, no_files, ("-no_check_time",)),
    "wrong purpose": (serverlike, no_files, AT),
    "purpose": (serverlike, no_files, (*AT, "-purpose", "sslserver")),
    "purpose any": (serverlike, no_files, (*AT, "-purpose", "any")),
    "verify_name": (nothing, no_files, (*AT, "-verify_name", "ssl_server")),
    "verify_depth": (nothing, no_files, (*AT, "-verify_depth", "0")),
    "auth_level": (nothing, no_files, (*AT, "-auth_level", "4")),
    "auth_level low": (nothing, no_files, (*AT, "-auth_level", "0")),
    "verify_hostname": (nothing, no_files, (*AT, "-verify_hostname", "client.test")),
    "verify_hostname wrong": (nothing, no_files, (*AT, "-verify_hostname", "other.test")),
    "verify_email": (nothing, no_files, (*AT, "-verify_email", "me@client.test")),
    "verify_email wrong": (nothing, no_files, (*AT, "-verify_email", "you@client.test")),
    "verify_ip": (nothing, no_files, (*AT, "-verify_ip", "127.0.0.1")),
    "verify_ip wrong": (nothing, no_files, (*AT, "-verify_ip", "127.0.0.2")),
    "critical": (at(2, put("x", UNKNOWN)), no_files, AT),
    "ignore_critical": (at(2, put("x", UNKNOWN)), no_files, (*AT, "-ignore_critical")),
    "issuer_checks": (nothing, no_files, (*AT, "-issuer_checks")),
    "trusted_first": (nothing, no_files, (*AT, "-trusted_first")),
    "no_alt_chains": (nothing, no_files, (*AT, "-no_alt_chains")),
    "crl_check without a list": (nothing, no_files, (*AT, "-crl_check")),
    "CRL": (nothing, crl(99), (*AT, "-crl_check")),
    "CRL revokes": (nothing, crl(3), (*AT, "-crl_check")),
    "CRL alone": (nothing, crl(3), AT),
    "CRLform": (nothing, crl(3, der=True), (*AT, "-crl_check")),
    "crl_check_all": (nothing, crl(99), (*AT, "-crl_check_all")),
    "crl_check_all with all": (
        nothing,
        beside_the_root(crl_of(1, 99), crl_of(0, 99)),
        (*AT, "-crl_check_all"),
    ),
    "crl_check_all, authority revoked": (
        nothing,
        beside_the_root(crl_of(1, 99), crl_of(0, 2)),
        (*AT, "-crl_check_all"),
    ),
    "no extended_crl": (nothing, crl_with_own_key, (*AT, "-crl_check")),
    "extended_crl": (nothing, crl_with_own_key, (*AT, "-crl_check", "-extended_crl")),
    "no use_deltas": (
        nothing,
        beside_the_root(crl_of(1), crl_of(1, 3, extensions=DELTA)),
        (*AT, "-crl_check", "-extended_crl"),
    ),
    "use_deltas": (
        at(2, put("fresh", build.freshest(build.distribution_point([POINT])))),
        beside_the_root(crl_of(1), crl_of(1, 3, extensions=DELTA)),
        (*AT, "-crl_check", "-extended_crl", "-use_deltas"),
    ),
    "policy_check": (policies(POLICY, OTHER_POLICY), no_files, (*AT, "-policy_check")),
    "policy": (policies(POLICY, POLICY), no_files, (*AT, "-policy", POLICY, "-explicit_policy")),
    "policy wrong": (policies(POLICY, POLICY), no_files, (*AT, "-policy", OTHER_POLICY, "-explicit_policy")),
    "explicit_policy": (nothing, no_files, (*AT, "-explicit_policy")),
    "any policy": (
        policies(build.ANY_POLICY, POLICY),
        no_files,
        (*AT, "-policy", POLICY, "-explicit_policy"),
    ),
    "inhibit_any": (
        policies(build.ANY_POLICY, POLICY),
        no_files,
        (*AT, "-policy", POLICY, "-explicit_policy", "-inhibit_any"),
    ),
    "mapping": (
        policies(MAPPED, POLICY, build.policy_mappings((MAPPED, POLICY))),
        no_files,
        (*AT, "-policy", MAPPED, "-explicit_policy"),
    ),
    "inhibit_map": (
        policies(MAPPED, POLICY, build.policy_mappings((MAPPED, POLICY))),
        no_files,
        (*AT, "-policy", MAPPED, "-explicit_policy", "-inhibit_map"),
    ),
    "policy_print": (policies(POLICY, POLICY), no_files, (*AT, "-policy", POLICY, "-policy_print")),
    "without x509_strict": (at(0, drop("ku")), no_files, AT),
    "x509_strict": (at(0, drop("ku")), no_files, (*AT, "-x509_strict")),
    "without check_ss_sig": (own_mark, no_files, AT),
    "check_ss_sig": (own_mark, no_files, (*AT, "-check_ss_sig")),
    "suiteB_128_only": (nothing, no_files, (*AT, "-suiteB_128_only")),
    "suiteB_128": (nothing, no_files, (*AT, "-suiteB_128")),
    "suiteB_192": (nothing, no_files, (*AT, "-suiteB_192")),
    "without partial_chain": (nothing, only(1), AT),
    "partial_chain": (nothing, only(1), (*AT, "-partial_chain")),
    "verify_quiet": (nothing, no_files, (*AT, "-verify_quiet")),
    "verify_quiet without an issuer": (nothing, only(1), (*AT, "-verify_quiet")),
    "verify_quiet with an error": (expired, no_files, (*AT, "-verify_quiet")),
    "nameopt": (nothing, no_files, (*AT, "-nameopt", "RFC2253")),
    "nameopt in several lines": (nothing, no_files, (*AT, "-nameopt", "multiline,-align")),
}


def prepare(folder: Path, change: Change, write: Files) -> tuple[Client, list[str | Path]]:
    """Write a client's files and those that options name; the options of trust come with them."""
    chain = client_layers()
    change(chain)
    built = make(chain)
    client = write_client(folder, built)
    options = write(folder, built)
    if "-CAfile" not in options:
        options = ["-CAfile", client.root, *options]
    return client, options


@pytest.mark.parametrize("case", CASES)
def test_like_openssl(case: str, pki: Pki, tmp_path: Path) -> None:
    change, write, words = CASES[case]
    client, files = prepare(tmp_path, change, write)
    server = pki.server("p256")
    for mode in (["-verify", "9"], ["-Verify", "9", "-verify_return_error"]):
        options = [*mode, *files, *words]
        mine, theirs = ours(server, client, options), openssl(server, client, options)
        assert mine.lines == theirs.lines
        assert mine.alert == theirs.alert
        if "-verify" in mode:
            assert mine.alert is None


def proxied(folder: Path) -> Client:
    """Make a client with a proxy certificate (RFC 3820)."""
    chain = make(client_layers())
    subject = build.name("C=XX", "O=Lab", "CN=leaf", "CN=proxy")
    extensions = [build.key_usage(build.DIGITAL_SIGNATURE), build.proxy_info()]
    proxy = build.certificate(subject, build.ec_key("proxy"), chain[2], extensions, serial=4)
    return write_client(folder, [*chain, proxy], "proxy")


@pytest.mark.parametrize("allowed", [False, True])
def test_proxy_certificates(pki: Pki, tmp_path: Path, allowed: bool) -> None:
    client, server = proxied(tmp_path), pki.server("p256")
    options: list[str | Path] = ["-Verify", "9", "-verify_return_error", "-CAfile", client.root, *AT]
    options += ["-allow_proxy_certs"] if allowed else []
    mine = ours(server, client, options)
    assert mine == openssl(server, client, options)
    assert mine.alert == (None if allowed else 46)


@pytest.mark.parametrize(
    ("words", "alert"),
    [
        (["-verifyCAfile", "root"], None),
        (["-verifyCAstore", "root"], None),
        (["-verifyCApath", "hashed"], None),
        (["-CAfile", "root", "-verifyCAfile", "other"], 48),
        (["-CAfile", "other", "-verifyCAfile", "root"], None),
        (["-CAstore", "root"], None),
        (["-CAstore", "hashed"], None),
        (["-CApath", "hashed"], None),
        (["-chainCAfile", "root"], 48),
        (["-CAfile", "root", "-no-CAfile", "-no-CApath", "-no-CAstore"], None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_stores(pki: Pki, tmp_path: Path, words: list[str], alert: int | None) -> None:
    client, _ = prepare(tmp_path, nothing, no_files)
    files: dict[str, Path] = {
        "root": client.root,
        "other": pki.server("rsa").root,
        "hashed": tmp_path / "hashed",
    }
    hash_directory(files["hashed"], client.root)
    options = ["-Verify", "9", "-verify_return_error", *AT, *(files.get(word, word) for word in words)]
    mine, theirs = (judge(pki.server("p256"), client, options) for judge in (ours, openssl))
    assert mine == theirs
    assert mine.alert == alert


@pytest.mark.parametrize("without", [(), ("-no-CAfile",), ("-no-CApath",), ("-no-CApath", "-no-CAstore")])
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_default_stores(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, without: Sequence[str]
) -> None:
    client, _ = prepare(tmp_path, nothing, no_files)
    hash_directory(tmp_path / "hashed", client.root)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "absent"))
    monkeypatch.setenv(variable, str(client.root if variable == "SSL_CERT_FILE" else tmp_path / "hashed"))
    options = ["-Verify", "9", "-verify_return_error", *AT, *without]
    mine, theirs = (judge(pki.server("p256"), client, options) for judge in (ours, openssl))
    assert mine == theirs


def pointed(folder: Path, port: int) -> tuple[Client, list[Built]]:
    """Make a client whose certificate says where the revocation list is."""
    chain = client_layers()
    place = build.uri(f"http://127.0.0.1:{port}/one.crl")
    put("cdp", build.distribution_points(build.distribution_point([place])))(chain[2])
    built = make(chain)
    return write_client(folder, built), built


@pytest.mark.parametrize(("revoked", "alert"), [(99, None), (3, 44)])
@pytest.mark.parametrize("command", [PROGRAM, []], ids=["ours", "openssl"])
def test_crl_download(pki: Pki, tmp_path: Path, command: list[str], revoked: int, alert: int | None) -> None:
    lists: list[bytes] = []
    with web_server(lambda _: ok(lists[0])) as web:
        client, built = pointed(tmp_path, web.port)
        lists.append(build.crl(built[1], [build.revoked(revoked)]))
        options: list[str | Path] = [
            "-Verify",
            "9",
            "-verify_return_error",
            "-verifyCAfile",
            client.root,
            *AT,
            "-crl_check",
        ]
        with OpenSSLServer(pki.server("p256"), *options, command=command) as server:
            assert knock(server.port, client)[1] == 48
        assert not web.requests
        with OpenSSLServer(pki.server("p256"), *options, "-crl_download", command=command) as server:
            assert knock(server.port, client)[1] == alert
        assert web.paths == ["/one.crl"]


def test_who_waits_for_a_list_keeps_nobody_else_waiting(pki: Pki, tmp_path: Path) -> None:
    with web_server(lambda _: None) as web, ThreadPoolExecutor(1) as pool:
        client, _ = pointed(tmp_path, web.port)
        options: list[str | Path] = [
            "-verify",
            "9",
            "-CAfile",
            client.root,
            *AT,
            "-crl_check",
            "-crl_download",
        ]
        with OpenSSLServer(pki.server("p256"), *options, command=PROGRAM) as server:
            waiting = pool.submit(knock, server.port, client)
            deadline = time.monotonic() + 10
            while not web.requests:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            with connect(server.port) as other:
                assert other.version() == "TLSv1.3"
            assert not waiting.done()


def test_every_list_of_a_file_counts(pki: Pki, tmp_path: Path) -> None:
    """OpenSSL takes the first one only."""
    client, _ = prepare(tmp_path, nothing, no_files)
    chain = make(client_layers())
    lists = [build.crl(chain[0], [build.revoked(99)]), build.crl(chain[1], [build.revoked(3)])]
    (tmp_path / "crls").write_text("".join(build.pem(each, "X509 CRL") for each in lists))
    options: list[str | Path] = [
        "-Verify",
        "9",
        "-verify_return_error",
        "-CAfile",
        client.root,
        *AT,
        "-crl_check",
    ]
    options += ["-CRL", tmp_path / "crls"]
    assert ours(pki.server("p256"), client, options).alert == 44


@pytest.mark.parametrize(
    "options", [("-nameopt", "RFC2253"), ("-nameopt", "multiline"), ("-nameopt", "compat"), ()]
)
def test_names_in_the_report(pki: Pki, tmp_path: Path, options: Sequence[str]) -> None:
    client, _ = prepare(tmp_path, nothing, no_files)
    found = []
    for command in (PROGRAM, []):
        every: Words = ["-verify", "9", "-CAfile", client.root, *AT, *options]
        with OpenSSLServer(pki.server("p256"), *every, command=command) as server:
            knock(server.port, client)
            server.wait_for(r"^CIPHER is")
            text = server.stdout.decode()
        found.append(text[text.index("subject=") : text.index("Shared ciphers")])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["-purpose", "bogus"], "Invalid purpose bogus"),
        (["-verify_name", "bogus"], "Invalid verify name bogus"),
        (["-policy", "bogus"], "Invalid Policy bogus"),
        (["-CRL", "/nowhere"], "Could not open file or uri for loading CRL from /nowhere"),
        (["-verifyCApath", "/nowhere"], "Not a directory: /nowhere"),
        (["-client_sigalgs", "bogus"], "client_sigalgs"),
    ],
)
def test_what_cannot_be_used(pki: Pki, options: list[str], complaint: str) -> None:
    own: Words = ["-cert", pki.server("p256").certificate, "-key", pki.server("p256").key]
    for command in (PROGRAM, [program("openssl")]):
        outcome = run([*command, "s_server", "-accept", f"{ADDRESS}:0", *own, *options])
        assert outcome.returncode == 1
        assert complaint in outcome.text
