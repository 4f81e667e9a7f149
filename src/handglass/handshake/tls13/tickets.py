"""Session tickets from a server (RFC 8446 §4.6.1)."""

from __future__ import annotations

from handglass.handshake.session import Session
from handglass.handshake.state import ServerState
from handglass.handshake.tls13.keys import facts_of
from handglass.handshake.wants import Conversation, Send, ask
from handglass.keys import schedule
from handglass.messages import extensions as ext
from handglass.messages.handshake import Extension, NewSessionTicket13
from handglass.registry.code_points import ExtensionType, ProtocolVersion, PskKeyExchangeMode


def send_tickets(me: ServerState) -> Conversation[None]:
    """Send the tickets: as many as configured after a full handshake, one after a resumption."""
    config, hello = me.config, me.hello
    if config.sessions is None or hello is None or not config.num_tickets:
        return
    if PskKeyExchangeMode.PSK_DHE_KE not in hello.psk_modes and not (
        PskKeyExchangeMode.PSK_KE in hello.psk_modes and PskKeyExchangeMode.PSK_KE in config.psk_modes
    ):
        return
    for number in range(1 if me.negotiated.resumed else config.num_tickets):
        yield from send_ticket(me, number.to_bytes(config.ticket_nonce_size, "big"))


def send_ticket(me: ServerState, nonce: bytes) -> Conversation[None]:
    """Send one ticket with the PSK that belongs to this nonce."""
    config, facts = me.config, me.negotiated
    assert facts.suite is not None and config.sessions is not None  # noqa: S101, PT018 - send_tickets() looked
    early = config.max_early_data
    age_add = int.from_bytes(me.entropy(4), "big")
    session = Session(
        version=ProtocolVersion.TLS1_3,
        suite=facts.suite,
        secret=schedule.resumption_psk(facts_of(facts.suite).prf_hash, me.resumption_secret, nonce),
        created=me.clock(),
        lifetime=config.ticket_lifetime,
        age_add=age_add,
        max_early_data=early,
        alpn=facts.alpn,
        server_name=facts.server_name,
        peer_certificates=facts.peer_certificates,
        peer_public_key=facts.peer_public_key,
        group=facts.group,
        context=config.session_context,
    )
    ticket = yield from ask("ticket", config.sessions.put_ticket, session)
    extensions: tuple[Extension, ...] = ()
    if early:
        extensions = (Extension(ExtensionType.EARLY_DATA, ext.EarlyDataTicket(early).encode()),)
    yield Send(
        NewSessionTicket13(config.ticket_lifetime, age_add, nonce, ticket, extensions), transcribe=False
    )
