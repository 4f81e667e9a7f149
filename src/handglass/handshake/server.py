"""The server's first step: ClientHello, the version, and which conversation goes on from there."""

from __future__ import annotations

from handglass.handshake.legacy import server as legacy
from handglass.handshake.state import ClientHelloView, ServerState
from handglass.handshake.tls13 import server as tls13
from handglass.handshake.wants import Conversation, Expectation, ask, expect
from handglass.messages.handshake import ClientHello
from handglass.registry import reasons
from handglass.registry.code_points import CipherSuite, ProtocolVersion
from handglass.registry.errors import PeerError

READ_CLIENT_HELLO = Expectation("read client hello", ClientHello, transcribe=False)


def handshake(me: ServerState) -> Conversation[None]:
    """A server's connection from the first message on (RFC 8446 §4.1.1 and appendix D.2)."""
    hello = yield from expect(READ_CLIENT_HELLO)
    yield from begin(me, ClientHelloView(hello, me.raw))


def begin(me: ServerState, hello: ClientHelloView) -> Conversation[None]:
    """Go on from a ClientHello that was read."""
    facts = me.negotiated
    me.hello = facts.client_hello = hello
    facts.client_random = me.driver.client_random = hello.hello.random
    if len(hello.extension_types) > me.config.limits.extensions:
        raise PeerError(reasons.TOO_MANY_EXTENSIONS, f"{len(hello.extension_types)}")
    facts.server_name = hello.server_name
    if me.config.choose_config is not None:
        me.config = yield from ask("configuration", me.config.choose_config, hello)
    facts.version = version = choose_version(me, hello)
    if me.driver.observer is not None:
        me.driver.observer.version(version)
    if version == ProtocolVersion.TLS1_3:
        yield from tls13.handshake(me, hello)
    else:
        yield from legacy.handshake(me, hello)


def choose_version(me: ServerState, hello: ClientHelloView) -> ProtocolVersion:
    """The highest version that both know (RFC 8446 §4.2.1, RFC 5246 §E.1), but no forced fallback (RFC 7507)."""
    ours = me.config.versions
    legacy = hello.hello.legacy_version
    if legacy <= ProtocolVersion.SSL3 and ProtocolVersion.SSL3 not in ours:
        raise PeerError(reasons.NO_COMMON_VERSION, f"its legacy_version is {legacy.name} (RFC 8446 §D.5)")
    if hello.versions:
        shared = [version for version in ours if version in hello.versions]
    else:
        limit = min(legacy, ProtocolVersion.TLS1_2)
        shared = [version for version in ours if version <= limit]
    if not shared:
        offered = ", ".join(version.name for version in hello.versions) or f"at most {legacy.name}"
        names = ", ".join(version.name for version in ours)
        raise PeerError(reasons.NO_COMMON_VERSION, f"the client offers {offered}, we have {names}")
    chosen = max(shared)
    if CipherSuite.TLS_FALLBACK_SCSV in hello.suites and chosen < max(ours):
        raise PeerError(
            reasons.INAPPROPRIATE_FALLBACK, f"{chosen.name} was asked for, we have {max(ours).name}"
        )
    return chosen
