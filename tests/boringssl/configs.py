"""From the runner's flags to the configurations of our engine."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

from boringssl.flags import Flags, NotHereError
from handglass.channel.limits import Limits
from handglass.cli.lists.ciphers import parse_ciphers
from handglass.cli.lists.errors import ListError
from handglass.cli.protocol.negotiation import DEFAULT_TLS13_SUITES, legacy_suites
from handglass.crypto.containers import load_certificates, load_private_key
from handglass.crypto.identity import Identity, make_identity
from handglass.handshake.config import (
    DEFAULT_SIGNATURE_SCHEMES,
    DEFAULT_SUITES,
    ClientAuthentication,
    ClientConfig,
    ServerConfig,
)
from handglass.handshake.session import Session, SessionStore
from handglass.handshake.state import PeerChain
from handglass.registry import reasons
from handglass.registry.code_points import NamedGroup, ProtocolVersion, SignatureScheme
from handglass.registry.errors import PeerError

VERSIONS = {"no-tls13": ProtocolVersion.TLS1_3, "no-tls12": ProtocolVersion.TLS1_2}
GROUPS = (NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP384R1)
SCHEMES = (*DEFAULT_SIGNATURE_SCHEMES, SignatureScheme.ECDSA_SHA1, SignatureScheme.RSA_PKCS1_SHA1)
EARLY_DATA = 16384


def client_config(flags: Flags, session: Session | None) -> ClientConfig:
    """What a client is to do. Raises NotHereError."""
    return ClientConfig(
        **_shared(flags),
        server_name=flags.words.get("host-name"),
        alpn=_protocols(flags.text("advertise-alpn").encode("latin1")),
        fallback="fallback-scsv" in flags,
        grease="enable-grease" in flags,
        request_status="enable-ocsp-stapling" in flags,
        request_scts="enable-signed-cert-timestamps" in flags,
        early_data="enable-early-data" in flags,
        session=session,
    )


def server_config(flags: Flags, sessions: SessionStore) -> ServerConfig:
    """What a server is to do. Raises NotHereError."""
    asks = ClientAuthentication.REQUEST if "verify-peer" in flags else ClientAuthentication.NONE
    if "require-any-client-certificate" in flags:
        asks = ClientAuthentication.REQUIRE
    early = "enable-early-data" in flags
    return ServerConfig(
        **_shared(flags),
        alpn=(flags.text("select-alpn").encode(),) if "select-alpn" in flags else (),
        client_authentication=asks,
        authorities=names(flags.text("use-client-ca-list")),
        prefer_own_suites="cipher" in flags or "server-preference" in flags,
        sessions=sessions,
        ocsp_response=data(flags, "ocsp-response"),
        scts=data(flags, "signed-cert-timestamps"),
        max_early_data=EARLY_DATA if early else 0,
        accept_early_data=early,
    )


def names(text: str) -> tuple[bytes, ...]:
    """A list of distinguished names in hexadecimal."""
    return () if text in {"", "<NULL>", "<EMPTY>"} else tuple(map(bytes.fromhex, text.split(",")))


def data(flags: Flags, name: str) -> bytes | None:
    """The argument of a flag in base64."""
    return b64decode(flags.text(name)) if name in flags else None


def _shared(flags: Flags) -> dict[str, Any]:
    schemes = flags.lists.get("signing-prefs") or flags.lists.get("verify-prefs")
    if "signing-prefs" in flags and "verify-prefs" in flags:
        raise NotHereError("two lists of signature schemes")
    return {
        "versions": _versions(flags),
        "identities": _identities(flags),
        "groups": tuple(map(NamedGroup, flags.lists.get("curves", GROUPS))),
        "suites": _suites(flags),
        "signature_schemes": tuple(map(SignatureScheme, schemes or SCHEMES)),
        "allow_renegotiation": "renegotiate-freely" in flags or "renegotiate-once" in flags,
        "allow_legacy_peer": True,
        "tickets": "no-ticket" not in flags,
        "max_send_fragment": flags.number("max-send-fragment", 1 << 14),
        "limits": Limits(certificate_list=flags.number("max-cert-list", 200 * 1024)),
        "verify_peer": _refuse if "verify-fail" in flags else _accept,
    }


def _versions(flags: Flags) -> tuple[ProtocolVersion, ...]:
    low = flags.number("min-version", ProtocolVersion.TLS1_2)
    high = flags.number("max-version", ProtocolVersion.TLS1_3)
    found = tuple(v for name, v in VERSIONS.items() if low <= v <= high and name not in flags)
    if not found:
        raise NotHereError("versions below TLS 1.2")
    return found


def _suites(flags: Flags) -> tuple[Any, ...]:
    if "cipher" not in flags:
        return DEFAULT_SUITES
    try:
        return (*DEFAULT_TLS13_SUITES, *parse_ciphers(flags.text("cipher"), legacy_suites()).suites)
    except ListError as error:
        raise NotHereError(f"the cipher list {flags.text('cipher')}") from error


def _identities(flags: Flags) -> tuple[Identity, ...]:
    if "cert-file" not in flags:
        return ()
    leaf, *chain = load_certificates(Path(flags.text("cert-file")).read_bytes())
    return (make_identity(leaf, load_private_key(Path(flags.text("key-file")).read_bytes()), tuple(chain)),)


def _protocols(data: bytes) -> tuple[bytes, ...]:
    return (data[1 : 1 + data[0]], *_protocols(data[1 + data[0] :])) if data else ()


def _accept(chain: PeerChain) -> None:
    """The runner's certificates are nobody's."""


def _refuse(chain: PeerChain) -> None:
    raise PeerError(reasons.CERTIFICATE_UNKNOWN)
