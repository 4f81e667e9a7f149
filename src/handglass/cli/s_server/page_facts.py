"""What the -www page tells, as plain values: the JSON answer, and what the page is written from.

No secret is among it: no keys, no tickets' contents, no pre-shared key.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from handglass import __version__
from handglass.cli.s_server import report, weaknesses
from handglass.crypto.containers import certificates_to_pem
from handglass.crypto.pem import encode_pem
from handglass.handshake.state import ClientHelloView, Negotiated
from handglass.messages.extension import Place
from handglass.messages.extensions import body_of
from handglass.observe import labels
from handglass.observe.session_text import shown_session_id
from handglass.registry import suites
from handglass.registry.code_points import CipherSuite, ExtensionType, ProtocolVersion
from handglass.registry.errors import PeerError
from handglass.verify.certificate import Certificate
from handglass.verify.codes import text_of
from handglass.verify.nameopt import ONELINE, format_name
from handglass.verify.result import VerifyResult

if TYPE_CHECKING:
    from handglass.cli.s_server.program import Program
    from handglass.handshake.config import ServerConfig
    from handglass.handshake.session import Session
    from handglass.net.server import ServedConnection

Facts = dict[str, Any]

LONGEST_TEXT = 80
LONGEST_HEX = 48
LONGEST_KEPT = 256
"""Bytes of an extension whose description is kept for the next page."""


def page_facts(program: Program, link: ServedConnection, session: Session | None) -> Facts:
    """Everything about a connection whose handshake is done."""
    agreed = link.connection.negotiated
    config = program.settings.config
    verdict = link.verdict if isinstance(link.verdict, VerifyResult) else None
    hello = agreed.client_hello
    return {
        "program": f"Handglass {__version__} s_server",
        "command": sys.argv[1:],
        "client": {"address": link.peer, "connection": link.number},
        "connection": _connection(agreed),
        "weak": weaknesses.of_connection(agreed),
        "client_hello": None if hello is None else _client_hello(hello, config),
        "shared": _shared(config, agreed),
        "session": _session(agreed, session),
        "client_certificate": _client_certificate(agreed, verdict),
        "client_public_key": _client_public_key(agreed, verdict),
        "statistics": program.totals._asdict(),
    }


def _connection(agreed: Negotiated) -> Facts:
    tls13 = agreed.version == ProtocolVersion.TLS1_3
    return {
        "protocol": labels.version_name(agreed.version),
        "cipher": None if agreed.suite is None else _suite(agreed.suite),
        "group": None if agreed.group is None else labels.group_name(agreed.group),
        "key_exchange": labels.temporary_key(agreed),
        "server_signature": (
            None if agreed.own_signature_scheme is None else labels.scheme_name(agreed.own_signature_scheme)
        ),
        "alpn": None if agreed.alpn is None else agreed.alpn.decode("latin-1"),
        "server_name": agreed.server_name,
        "resumed": agreed.resumed,
        "early_data": agreed.early_data,
        "hello_retried": agreed.hello_retried,
        "extended_master_secret": None if tls13 else agreed.extended_master_secret,
        "encrypt_then_mac": None if tls13 else agreed.encrypt_then_mac,
        "secure_renegotiation": None if tls13 else agreed.secure_renegotiation,
        "record_size_limit": agreed.record_size_limit,
        "certificate_compression": (
            None if agreed.certificate_compression is None else agreed.certificate_compression.name
        ),
    }


def _client_hello(hello: ClientHelloView, config: ServerConfig) -> Facts:
    message = hello.hello
    ours = frozenset(config.suites)
    return {
        "length": len(hello.raw),
        "legacy_version": labels.version_name(message.legacy_version),
        "random": message.random.hex(),
        "session_id": message.legacy_session_id.hex(),
        "versions": [_name(version, labels.version_name) for version in _safely(lambda: hello.versions)],
        "cipher_suites": [{**_suite(suite), "shared": suite in ours} for suite in hello.suites],
        "compression_methods": [int(method) for method in message.legacy_compression_methods],
        "groups": [
            {"name": _name(g, labels.group_name), "code": f"0x{int(g):04X}", "shared": g in config.groups}
            for g in _safely(lambda: hello.groups)
        ],
        "key_shares": [
            _name(share.group, labels.group_name) for share in _safely(lambda: hello.key_shares or ())
        ],
        "signature_schemes": [
            {
                "name": _name(s, labels.scheme_name),
                "code": f"0x{int(s):04X}",
                "shared": s in config.signature_schemes,
            }
            for s in _safely(lambda: hello.signature_schemes)
        ],
        "alpn": [name.decode("latin-1") for name in _safely(lambda: hello.alpn)],
        "extensions": [_extension(each.type, each.data) for each in message.extensions or ()],
    }


@lru_cache(maxsize=512)
def _suite(suite: CipherSuite) -> Facts:
    """The facts of one suite; nobody changes what is kept here."""
    facts = suites.facts_of(suite)
    return {
        "code": f"0x{int(suite):04X}",
        "name": suite.name,
        "openssl_name": facts.openssl_name if facts is not None else None,
        "weak": weaknesses.of_suite(suite),
    }


def _name(point: Any, usual: Callable[[Any], str]) -> str:
    """OpenSSL's name; for what has none, the registry's, or `UNKNOWN_0x1234` and `GREASE_0x0A0A`."""
    name = usual(point)
    return str(point.name) if name.startswith("0x") else name


def _extension(kind: int, data: bytes) -> Facts:
    """What an extension holds. Short ones are mostly the same in every hello of a program, so they are kept."""
    return _kept_description(kind, data) if len(data) <= LONGEST_KEPT else _describe(kind, data)


def _describe(kind: int, data: bytes) -> Facts:
    form = body_of(Place.CH, kind)
    values: list[str] = []
    problem = None
    if form is not None:
        for node in form.walk(data):
            if node.problem is not None:
                problem = node.problem
            if node.kind not in {"struct", "vector", "length", "select"} and node.value not in {None, b""}:
                values.append(_value(node.value))
    return {
        "type": int(kind),
        "name": ExtensionType(kind).name.lower(),
        "length": len(data),
        "value": values,
        "problem": problem,
        "hex": data.hex(),
    }


_kept_description = lru_cache(maxsize=256)(_describe)


def _value(value: object) -> str:
    """A leaf of an extension for people."""
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        if data and len(data) <= LONGEST_TEXT and all(32 <= byte < 127 for byte in data):
            return data.decode("ascii")
        return data.hex() if len(data) <= LONGEST_HEX else f"{data[:32].hex()}… ({len(data)} bytes)"
    name = getattr(value, "name", None)
    return str(name) if name is not None else str(value)


def _shared(config: ServerConfig, agreed: Negotiated) -> Facts:
    hello = agreed.client_hello
    names = [labels.suite_name(suite) for suite in report.shared_suites(config, agreed)]
    if hello is None:
        return {"cipher_suites": names, "groups": [], "signature_schemes": []}
    groups = [labels.group_name(g) for g in _safely(lambda: hello.groups) if g in config.groups]
    schemes = [s for s in _safely(lambda: hello.signature_schemes) if s in config.signature_schemes]
    return {
        "cipher_suites": names,
        "groups": groups,
        "signature_schemes": [labels.scheme_name(s) for s in schemes],
    }


def _session(agreed: Negotiated, session: Session | None) -> Facts:
    facts: Facts = {"resumed": agreed.resumed, "id": None}
    if session is not None:
        facts |= {
            "id": shown_session_id(session).hex(),
            "created": int(session.created),
            "lifetime": session.lifetime,
            "max_early_data": session.max_early_data,
            "by": "ticket" if session.ticket or not session.session_id else "session id",
        }
    return facts


def _client_certificate(agreed: Negotiated, verdict: VerifyResult | None) -> Facts | None:
    if not agreed.peer_certificates:
        return None
    leaf = Certificate(agreed.peer_certificates[0])
    return {
        "subject": format_name(leaf.subject, ONELINE) if leaf.readable else None,
        "issuer": format_name(leaf.issuer, ONELINE) if leaf.readable else None,
        "chain_length": len(agreed.peer_certificates),
        "verification": _outcome(verdict),
        "pem": certificates_to_pem([leaf.der]),
    }


def _client_public_key(agreed: Negotiated, verdict: VerifyResult | None) -> Facts | None:
    """What a client showed in place of a certificate (RFC 7250)."""
    if not agreed.peer_public_key:
        return None
    return {"verification": _outcome(verdict), "pem": encode_pem("PUBLIC KEY", agreed.peer_public_key)}


def _outcome(verdict: VerifyResult | None) -> Facts | None:
    return None if verdict is None else {"code": int(verdict.code), "text": text_of(verdict.code)}


def _safely(read: Any) -> Sequence[Any]:
    """What an extension holds; nothing if it is malformed (its bytes are shown)."""
    try:
        found: Sequence[Any] = read()
    except PeerError:
        return ()
    return found
