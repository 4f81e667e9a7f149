"""What a program said about a connection, read from its output into one form for all programs."""

from __future__ import annotations

import base64
import re

from handglass.records import dataclass
from interop.vocabulary import (
    BY_CODE,
    BY_NAME,
    BY_PARTS,
    GROUP_BY_CODE,
    GROUP_BY_GNUTLS,
    GROUP_BY_TEMP_KEY,
    plain_version,
)
from support import der


@dataclass(frozen=True, slots=True)
class Facts:
    """The outcome of one connection as one side tells it; None for what it does not tell."""

    version: str
    suites: frozenset[int]
    """Code points: one, or those that fit where the program tells only parts of the suite."""
    group: str | None = None
    resumed: bool | None = None
    client: bool | None = None
    """Whether the client showed a certificate."""


class UnclearOutputError(AssertionError):
    """A program's output lacks what it must have; the message carries it."""


def _need(pattern: str, text: str, number: int = 0) -> re.Match[str]:
    matches = list(re.finditer(pattern, text, re.MULTILINE))
    if len(matches) <= number:
        raise UnclearOutputError(f"no {pattern!r} in:\n{text[-6000:]}")
    return matches[number]


def _maybe(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else None


# openssl s_client and s_server, and every program that prints like them.


def from_s_client(text: str) -> Facts:
    """Read the report of one `s_client` connection."""
    state = _need(r"^(New|Reused), ((?:TLS|SSL)v[\d.]+), Cipher is (\S+)$", text)
    temp_key = _maybe(r"^Server Temp Key: (.+)$", text)
    # The line names the class of the cipher, which is older than TLS 1.2 for the SHA-1 suites.
    version = state[2] if state[2] == "TLSv1.3" else _need(r"^    Protocol  : (\S+)$", text)[1]
    return Facts(
        version=version,
        suites=frozenset([BY_NAME[state[3]].code]),
        group=GROUP_BY_TEMP_KEY[temp_key] if temp_key else None,
        resumed=state[1] == "Reused",
    )


def from_s_server(text: str) -> Facts:
    """Read what `s_server` prints for one connection, most of it from the session in ASN.1."""
    session = _need(r"(?s)-----BEGIN SSL SESSION PARAMETERS-----\n(.*?)\n-----END", text)[1]
    fields = der.elements(base64.b64decode(session))
    told = {each[0]: each for each in fields[3:]}
    group = GROUP_BY_CODE.get(_integer(der.contents(told[_KEX_GROUP]))) if _KEX_GROUP in told else None
    suite = int.from_bytes(der.contents(fields[2]))
    assert BY_CODE[suite].name == _need(r"^CIPHER is (\S+)$", text)[1]
    return Facts(
        version=_SESSION_VERSIONS[_integer(fields[1])],
        suites=frozenset([suite]),
        group=group,
        resumed="Reused session-id" in text,
        client="\nClient certificate\n" in text,
    )


_KEX_GROUP = 0xB3
"""Context tag 19 of OpenSSL's SSL_SESSION_ASN1: the code point of the group, 0 for none."""
_SESSION_VERSIONS = {0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}


def _integer(whole: bytes) -> int:
    return int.from_bytes(der.contents(whole))


# GnuTLS: both programs print the same lines.


def from_gnutls(text: str) -> Facts:
    """Read what `gnutls-cli` or `gnutls-serv` prints for one connection."""
    description = _need(r"^- Description: (.+)$", text)[1]
    parts = re.findall(r"\(([^()]*)\)", description)
    exchange = _maybe(r"\((?:EC)?DHE-([^()]+)\)", description)
    curve = _maybe(r"Using curve: (\S+)$", text) or exchange
    return Facts(
        version=plain_version(parts[0].partition("-")[0]),
        suites=_gnutls_suites(parts),
        group=GROUP_BY_GNUTLS.get(curve) if curve else None,
        resumed="*** This is a resumed session" in text,
        client="CN=client " in text or "- Successfully sent" in text,
    )


def _gnutls_suites(parts: list[str]) -> frozenset[int]:
    """Read the parts of (TLS1.2-X.509)-(ECDHE-X25519)-(RSA-PSS-RSAE-SHA256)-(AES-128-CBC)-(SHA1).

    A resumed session lacks the signature, so that ECDHE-RSA and ECDHE-ECDSA cannot be told apart.
    """
    mac = parts[-1] if parts[-1] in _HMACS else "AEAD"
    cipher = parts[-1] if mac == "AEAD" else parts[-2]
    if parts[0].startswith("TLS1.3"):
        exchanges = [""]
    elif parts[1].startswith("ECDHE"):
        signed_by_ec = [part for part in parts if re.match("ECDSA|EdDSA", part)]
        signed_by_rsa = [part for part in parts if part.startswith("RSA-")]
        exchanges = ([] if signed_by_rsa else ["ECDHE-ECDSA"]) + ([] if signed_by_ec else ["ECDHE-RSA"])
    else:
        exchanges = ["DHE-RSA"] if parts[1].startswith("DHE") else ["RSA"]
    fitting = [BY_PARTS.get((exchange, cipher, mac)) for exchange in exchanges]
    return frozenset(suite.code for suite in fitting if suite)


_HMACS = ("SHA1", "SHA256", "SHA384")


# NSS: tstclnt and selfserv print the same lines. Neither names the group: only its size.


def from_nss(text: str, hits_before: int = 0, number: int = 0) -> Facts:
    """Read what `tstclnt` or `selfserv` prints for a connection; its counters go over all of them."""
    said = _need(r"SSL version (\d\.\d) using (\d+)-bit (\S+) with \d+-bit (\S+) MAC", text, number)
    exchange = _need(r"Server Auth: \d+-bit (.+), Key Exchange: \d+-bit (.+)$", text, number)
    cipher = _NSS_CIPHERS[said[3]].format(said[2])
    kinds = {"TLS 1.3": "", "RSA": "RSA", "DHE": "DHE-RSA", "ECDHE": f"ECDHE-{exchange[1]}"}
    suite = BY_PARTS[kinds[exchange[2]], cipher, said[4]]
    return Facts(
        version={"3.3": "TLSv1.2", "3.4": "TLSv1.3"}[said[1]],
        suites=frozenset([suite.code]),
        resumed=nss_hits(text, number) > hits_before,
        client=_need(r"subject DN: CN=(.*)$", text, number)[1].startswith("client "),
    )


def nss_hits(text: str, number: int = 0) -> int:
    """Read how many connections the program had resumed then: its cache's hits count the tickets too."""
    return int(_need(r"(\d+) cache hits", text, number)[1])


_NSS_CIPHERS = {
    "AES-GCM": "AES-{}-GCM",
    "AES": "AES-{}-CBC",
    "CHACHA20POLY1305": "CHACHA20-POLY1305",
}


# curl names neither group nor, on the client's side, its own certificate.


def from_curl(text: str) -> Facts:
    """Read what `curl --verbose` prints for one connection."""
    said = _need(r"SSL connection using (\S+) / (\S+)", text)
    return Facts(said[1], frozenset([BY_NAME[said[2]].code]), resumed="re-using session ID" in text)
