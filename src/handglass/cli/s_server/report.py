"""What s_server prints about a connection, in the layout of OpenSSL's program, and the statistics at its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from handglass.cli.sessions import SessionFile, write_session
from handglass.crypto.containers import certificates_to_pem
from handglass.handshake.config import ServerConfig
from handglass.handshake.session import Session
from handglass.handshake.sessions import MAX_REMEMBERED, MemorySessions
from handglass.handshake.state import ClientHelloView, Negotiated
from handglass.messages import extensions as ext
from handglass.observe import labels
from handglass.observe.report import raw_key_text
from handglass.observe.session_text import shown_session_id
from handglass.records import dataclass
from handglass.registry import signatures, suites
from handglass.registry.code_points import (
    CertificateType,
    CipherSuite,
    ExtensionType,
    ProtocolVersion,
    SignatureScheme,
)
from handglass.registry.errors import PeerError
from handglass.verify.certificate import Certificate
from handglass.verify.codes import text_of
from handglass.verify.nameopt import ONELINE, heading
from handglass.verify.result import VerifyResult

POINT_FORMATS = ("uncompressed", "ansiX962_compressed_prime", "ansiX962_compressed_char2")


@dataclass(slots=True)
class Counters:
    """What the statistics count besides the sessions."""

    accepts: int = 0
    finished: int = 0
    renegotiations: int = 0


class Totals(NamedTuple):
    """The numbers of the statistics; those of several processes add up."""

    items: int
    accepts: int
    renegotiations: int
    finished: int
    hits: int
    misses: int
    timeouts: int
    full: int
    external_hits: int

    @classmethod
    def of(cls, memory: MemorySessions, counters: Counters, external_hits: int = 0) -> Totals:
        """The numbers of this process now."""
        return cls(
            len(memory),
            counters.accepts,
            counters.renegotiations,
            counters.finished,
            memory.hits,
            memory.misses,
            memory.timeouts,
            memory.full,
            external_hits,
        )

    def plus(self, other: Totals) -> Totals:
        """Both together."""
        return Totals(*(a + b for a, b in zip(self, other, strict=True)))


def hello_text(config: ServerConfig, agreed: Negotiated, servername: str | None) -> str:
    """What is said of a ClientHello before the rest: the name that it asks for, and its protocols.

    `servername` is the name for which another certificate is served, if there is one.
    """
    lines = []
    hello = agreed.client_hello
    if hello is None:
        return ""
    if servername is not None and agreed.server_name is not None:
        lines.append(f'Hostname in TLS extension: "{_visible(agreed.server_name.encode())}"')
        if agreed.server_name.lower() == servername.lower():
            lines.append("Switching server context.")
    if config.alpn and (offered := _alpn(hello)):
        lines.append("ALPN protocols advertised by the client: " + ", ".join(map(_visible, offered)))
        if agreed.alpn is not None:
            lines.append(f"ALPN protocols selected: {_visible(agreed.alpn)}")
    return _joined(lines)


def connection_text(
    config: ServerConfig,
    agreed: Negotiated,
    session: Session | None,
    verdict: VerifyResult | None,
    name_flags: int = ONELINE,
) -> str:
    """The block on a connection whose handshake is done."""
    parts = [] if session is None else [session_pem(session, agreed, verdict)]
    if agreed.peer_certificates:
        parts.append("Client certificate\n" + certificate_text(agreed.peer_certificates[0], name_flags))
    parts.append(raw_keys_text(agreed))
    parts.append(algorithms_text(config, agreed))
    lines = [f"CIPHER is {labels.suite_name(agreed.suite)}"]
    if agreed.resumed:
        lines.append("Reused session-id")
    # TLS 1.3 has no renegotiation; OpenSSL says so all the same, and scripts look for the line.
    secure = agreed.secure_renegotiation or agreed.version == ProtocolVersion.TLS1_3
    lines.append(f"Secure Renegotiation IS{'' if secure else ' NOT'} supported")
    if not config.allow_renegotiation:
        lines.append("Renegotiation is DISABLED")
    return "".join(parts) + _joined(lines)


def raw_keys_text(agreed: Negotiated) -> str:
    """Who shows a raw public key (RFC 7250), and the client's."""
    lines = []
    if agreed.server_certificate_type == CertificateType.RAW_PUBLIC_KEY:
        lines.append("Server-to-client raw public key negotiated")
    if agreed.client_certificate_type == CertificateType.RAW_PUBLIC_KEY:
        lines.append("Client-to-server raw public key negotiated")
    if agreed.peer_public_key:
        lines.append("Client raw public key")
    return _joined(lines) + raw_key_text(agreed)


def session_pem(session: Session, agreed: Negotiated, verdict: VerifyResult | None) -> str:
    """The session as a PEM block, secrets and all, as `openssl sess_id` reads it."""
    stored = SessionFile(
        version=session.version,
        suite=session.suite,
        session_id=shown_session_id(session),
        secret=session.secret,
        start_time=int(session.created),
        timeout=session.lifetime or 7200,
        certificate=agreed.peer_certificates[0] if agreed.peer_certificates else None,
        context=session.context,
        verify_result=int(verdict.code) if verdict is not None else 0,
        hostname=session.server_name,
        extended_master_secret=session.extended_master_secret,
        ticket_age_add=session.age_add,
        max_early_data=session.max_early_data,
        alpn=session.alpn,
        group=agreed.group,
    )
    return write_session(stored)


def certificate_text(certificate: bytes, name_flags: int = ONELINE) -> str:
    """A certificate as PEM, its subject and its issuer."""
    try:
        facts = Certificate(certificate)
        names = [heading("subject=", facts.subject, name_flags), heading("issuer=", facts.issuer, name_flags)]
    except ValueError:
        names = ["(the certificate cannot be read)"]
    return certificates_to_pem([certificate]) + _joined(names)


def algorithms_text(config: ServerConfig, agreed: Negotiated) -> str:
    """What the client offered and what of it is shared; below TLS 1.3 a resumption does not choose any of it."""
    hello = agreed.client_hello
    tls13 = agreed.version == ProtocolVersion.TLS1_3
    if hello is None or (agreed.resumed and not tls13):
        return ""
    names = [labels.suite_name(suite) for suite in shared_suites(config, agreed)]
    lines = [f"Shared ciphers:{labels.listed(names)}"]
    try:
        if not agreed.resumed:
            lines += _signatures(config, hello)
        lines += _signed_with(agreed)
        if not tls13:
            lines += _point_formats(hello)
        lines += _groups(config, hello)
    except PeerError:  # an extension that nothing needed, and that is malformed
        pass
    return _joined(lines)


def shared_suites(config: ServerConfig, agreed: Negotiated) -> list[CipherSuite]:
    """The suites that both have, in the client's order, of no newer version than the connection's."""
    hello, version = agreed.client_hello, agreed.version
    if hello is None or version is None:
        return []
    return list(_shared_suites(tuple(hello.suites), config.suites, version))


@lru_cache(maxsize=64)
def _shared_suites(
    offered: tuple[CipherSuite, ...], ours: tuple[CipherSuite, ...], version: ProtocolVersion
) -> tuple[CipherSuite, ...]:
    known = frozenset(ours)
    return tuple(
        suite
        for suite in offered
        if suite in known and (facts := suites.facts_of(suite)) is not None and facts.min_version <= version
    )


def _signatures(config: ServerConfig, hello: ClientHelloView) -> list[str]:
    offered = hello.signature_schemes
    if not offered:
        return []
    return list(_signature_lines(tuple(offered), config.signature_schemes))


@lru_cache(maxsize=64)
def _signature_lines(
    offered: tuple[SignatureScheme, ...], ours: tuple[SignatureScheme, ...]
) -> tuple[str, str]:
    shared = [scheme for scheme in offered if scheme in ours]
    return (
        f"Signature Algorithms: {labels.listed(map(labels.scheme_name, offered))}",
        f"Shared Signature Algorithms: {labels.listed(map(labels.scheme_name, shared))}",
    )


def _signed_with(agreed: Negotiated) -> list[str]:
    """How the client signed."""
    lines = []
    scheme = agreed.peer_signature_scheme
    if agreed.resumed or scheme is None or signatures.facts_of(scheme) is None:
        return []
    if (hashed := labels.signing_digest(scheme)) is not None:
        lines.append(f"Peer signing digest: {hashed}")
    if (kind := labels.signature_type(scheme)) is not None:
        lines.append(f"Peer signature type: {kind}")
    return lines


def _point_formats(hello: ClientHelloView) -> list[str]:
    found = hello.decoded(ext.ECPointFormatList, ExtensionType.EC_POINT_FORMATS)
    if found is None:
        return []
    names = [
        POINT_FORMATS[form] if form < len(POINT_FORMATS) else f"unknown({int(form)})"
        for form in found.ec_point_format_list
    ]
    return [f"Supported Elliptic Curve Point Formats: {labels.listed(names)}"]


def _groups(config: ServerConfig, hello: ClientHelloView) -> list[str]:
    offered = hello.groups
    shared = [group for group in offered if group in config.groups]
    return [
        f"Supported groups: {labels.listed(map(labels.group_name, offered))}",
        f"Shared groups: {labels.listed(map(labels.group_name, shared))}",
    ]


def brief_text(agreed: Negotiated, verdict: VerifyResult | None, name_flags: int = ONELINE) -> str:
    """The short summary of -brief and -rev."""
    hello = agreed.client_hello
    lines = [f"Protocol version: {labels.version_name(agreed.version)}"]
    if hello is not None:
        lines.append(f"Client cipher list: {labels.listed(map(_suite_word, hello.suites))}")
    lines.append(f"Ciphersuite: {labels.suite_name(agreed.suite)}")
    if hello is not None and hello.signature_schemes and not agreed.resumed:
        lines.append(
            f"Signature Algorithms: {labels.listed(map(labels.scheme_name, hello.signature_schemes))}"
        )
    if agreed.peer_certificates:
        lines += _brief_certificate(agreed, verdict, name_flags)
    elif agreed.peer_public_key:
        lines.append("Peer used raw public key")
    else:
        lines.append("No peer certificate")
    if hello is not None:
        if agreed.version != ProtocolVersion.TLS1_3:
            lines += _point_formats(hello)
        lines.append(f"Supported groups: {labels.listed(map(labels.group_name, hello.groups))}")
    return _joined(lines)


def _brief_certificate(agreed: Negotiated, verdict: VerifyResult | None, name_flags: int) -> list[str]:
    try:
        subject = Certificate(agreed.peer_certificates[0]).subject
        lines = [heading("Peer certificate: ", subject, name_flags)]
    except ValueError:
        lines = ["Peer certificate: (it cannot be read)"]
    scheme = agreed.peer_signature_scheme
    if not agreed.resumed and (hashed := labels.signing_digest(scheme)) is not None:
        lines.append(f"Hash used: {hashed}")
    if not agreed.resumed and (kind := labels.signature_type(scheme)) is not None:
        lines.append(f"Signature type: {kind}")
    if verdict is not None:
        lines.append("Verification: OK" if verdict.ok else f"Verification error: {text_of(verdict.code)}")
    return lines


def statistics_text(totals: Totals) -> str:
    """The twelve lines on sessions and handshakes."""
    rows: Sequence[tuple[int, str]] = (
        (totals.items, "items in the session cache"),
        (0, "client connects (SSL_connect())"),
        (0, "client renegotiates (SSL_connect())"),
        (0, "client connects that finished"),
        (totals.accepts, "server accepts (SSL_accept())"),
        (totals.renegotiations, "server renegotiates (SSL_accept())"),
        (totals.finished, "server accepts that finished"),
        (totals.hits + totals.external_hits, "session cache hits"),
        (totals.misses, "session cache misses"),
        (totals.timeouts, "session cache timeouts"),
        (totals.external_hits, "callback cache hits"),
        (totals.full, f"cache full overflows ({MAX_REMEMBERED} allowed)"),
    )
    return "".join(f"{number:4d} {words}\n" for number, words in rows)


def _suite_word(suite: CipherSuite) -> str:
    return labels.suite_name(suite)


def _alpn(hello: ClientHelloView) -> Sequence[bytes]:
    try:
        return hello.alpn
    except PeerError:
        return ()


def _visible(data: bytes) -> str:
    """Bytes as text that cannot drive a terminal."""
    return "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in data)


def _joined(lines: Iterable[str]) -> str:
    return "".join(line + "\n" for line in lines)
