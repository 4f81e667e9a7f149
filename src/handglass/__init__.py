"""Handglass: looking at TLS.

The public names, each loaded when it is first used: `import handglass` itself costs nothing, and a program
that needs a `ClientConnection` does not load sockets. docs/api.md says how they are used. Whatever else the
packages hold (`handglass.registry.reasons`, `handglass.messages`, `handglass.net.aio` …) is imported from where
it lives.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from handglass.channel.limits import Limits as Limits
    from handglass.connection import ClientConnection as ClientConnection
    from handglass.connection import Connection as Connection
    from handglass.connection import ServerConnection as ServerConnection
    from handglass.crypto.identity import Identity as Identity
    from handglass.crypto.identity import make_identity as make_identity
    from handglass.handshake.config import ClientAuthentication as ClientAuthentication
    from handglass.handshake.config import ClientConfig as ClientConfig
    from handglass.handshake.config import ServerConfig as ServerConfig
    from handglass.handshake.events import CertificateRequested as CertificateRequested
    from handglass.handshake.events import Closed as Closed
    from handglass.handshake.events import DataReceived as DataReceived
    from handglass.handshake.events import EarlyDataEnded as EarlyDataEnded
    from handglass.handshake.events import Event as Event
    from handglass.handshake.events import Failed as Failed
    from handglass.handshake.events import HandshakeCompleted as HandshakeCompleted
    from handglass.handshake.events import HeartbeatAnswered as HeartbeatAnswered
    from handglass.handshake.events import KeyUpdated as KeyUpdated
    from handglass.handshake.events import PeerCertificateReceived as PeerCertificateReceived
    from handglass.handshake.events import (
        PostHandshakeAuthenticationCompleted as PostHandshakeAuthenticationCompleted,
    )
    from handglass.handshake.events import QuestionAsked as QuestionAsked
    from handglass.handshake.events import RenegotiationRequested as RenegotiationRequested
    from handglass.handshake.events import SessionReceived as SessionReceived
    from handglass.handshake.events import WarningReceived as WarningReceived
    from handglass.handshake.observer import Observer as Observer
    from handglass.handshake.session import ExternalPsk as ExternalPsk
    from handglass.handshake.session import Session as Session
    from handglass.handshake.session import SessionStore as SessionStore
    from handglass.handshake.sessions import MemorySessions as MemorySessions
    from handglass.handshake.state import ClientHelloView as ClientHelloView
    from handglass.handshake.state import Negotiated as Negotiated
    from handglass.handshake.state import PeerChain as PeerChain
    from handglass.handshake.wants import Ask as Ask
    from handglass.handshake.wants import Direction as Direction
    from handglass.messages.handshake import Extension as Extension
    from handglass.net.blocking import TLSStream as TLSStream
    from handglass.net.blocking import connect as connect
    from handglass.net.blocking import connect_over as connect_over
    from handglass.net.blocking import serve_one as serve_one
    from handglass.net.blocking import start_server as start_server
    from handglass.net.errors import NetError as NetError
    from handglass.net.identities import load_identity as load_identity
    from handglass.net.trust import TrustOptions as TrustOptions
    from handglass.net.verification import Verification as Verification
    from handglass.records import replace as replace
    from handglass.registry.code_points import AlertDescription as AlertDescription
    from handglass.registry.code_points import AlertLevel as AlertLevel
    from handglass.registry.code_points import (
        CertificateCompressionAlgorithm as CertificateCompressionAlgorithm,
    )
    from handglass.registry.code_points import CertificateType as CertificateType
    from handglass.registry.code_points import CipherSuite as CipherSuite
    from handglass.registry.code_points import ContentType as ContentType
    from handglass.registry.code_points import ExtensionType as ExtensionType
    from handglass.registry.code_points import HandshakeType as HandshakeType
    from handglass.registry.code_points import NamedGroup as NamedGroup
    from handglass.registry.code_points import ProtocolVersion as ProtocolVersion
    from handglass.registry.code_points import PskKeyExchangeMode as PskKeyExchangeMode
    from handglass.registry.code_points import SignatureScheme as SignatureScheme
    from handglass.registry.errors import AlertReceived as AlertReceived
    from handglass.registry.errors import LocalError as LocalError
    from handglass.registry.errors import PeerError as PeerError
    from handglass.registry.errors import TLSError as TLSError
    from handglass.registry.reasons import Reason as Reason
    from handglass.verify import VerifyCode as VerifyCode
    from handglass.verify import VerifyParams as VerifyParams
    from handglass.verify import VerifyResult as VerifyResult

_HOMES = {
    "handglass.channel.limits": ("Limits",),
    "handglass.connection": ("ClientConnection", "Connection", "ServerConnection"),
    "handglass.crypto.identity": ("Identity", "make_identity"),
    "handglass.handshake.config": ("ClientAuthentication", "ClientConfig", "ServerConfig"),
    "handglass.handshake.events": (
        "CertificateRequested",
        "Closed",
        "DataReceived",
        "EarlyDataEnded",
        "Event",
        "Failed",
        "HandshakeCompleted",
        "HeartbeatAnswered",
        "KeyUpdated",
        "PeerCertificateReceived",
        "PostHandshakeAuthenticationCompleted",
        "QuestionAsked",
        "RenegotiationRequested",
        "SessionReceived",
        "WarningReceived",
    ),
    "handglass.handshake.observer": ("Observer",),
    "handglass.handshake.session": ("ExternalPsk", "Session", "SessionStore"),
    "handglass.handshake.sessions": ("MemorySessions",),
    "handglass.handshake.state": ("ClientHelloView", "Negotiated", "PeerChain"),
    "handglass.handshake.wants": ("Ask", "Direction"),
    "handglass.messages.handshake": ("Extension",),
    "handglass.net.blocking": ("TLSStream", "connect", "connect_over", "serve_one", "start_server"),
    "handglass.net.errors": ("NetError",),
    "handglass.net.identities": ("load_identity",),
    "handglass.net.trust": ("TrustOptions",),
    "handglass.net.verification": ("Verification",),
    "handglass.records": ("replace",),
    "handglass.registry.code_points": (
        "AlertDescription",
        "AlertLevel",
        "CertificateCompressionAlgorithm",
        "CertificateType",
        "CipherSuite",
        "ContentType",
        "ExtensionType",
        "HandshakeType",
        "NamedGroup",
        "ProtocolVersion",
        "PskKeyExchangeMode",
        "SignatureScheme",
    ),
    "handglass.registry.errors": ("AlertReceived", "LocalError", "PeerError", "TLSError"),
    "handglass.registry.reasons": ("Reason",),
    "handglass.verify": ("VerifyCode", "VerifyParams", "VerifyResult"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # or else a type checker would believe in every name

    def __getattr__(name: str) -> object:
        """Load a public name from where it lives, and keep it."""
        module = _HOME_OF.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - only when something is asked for

        value: object = getattr(import_module(module), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])
