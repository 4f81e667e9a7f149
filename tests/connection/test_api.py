"""The public object: misuse, closing, deferred questions, and what it keeps to itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handglass.channel.limits import Limits
from handglass.connection import ClientConnection, Connection, ServerConnection
from handglass.crypto.identity import Identity
from handglass.handshake.config import ClientAuthentication, ClientConfig, ServerConfig
from handglass.handshake.events import (
    Closed,
    Failed,
    HandshakeCompleted,
    PostHandshakeAuthenticationCompleted,
    QuestionAsked,
    WarningReceived,
)
from handglass.handshake.observer import Observer
from handglass.handshake.session import ExternalPsk
from handglass.keys.labels import SecretLabel
from handglass.records import replace
from handglass.registry import reasons
from handglass.registry.code_points import AlertDescription, AlertLevel, ProtocolVersion
from handglass.registry.errors import AlertReceived, LocalError, PeerError
from support.engines import (
    Clock,
    Pair,
    alert_of,
    connect,
    identity,
    of_type,
    pair,
    reason_of,
    received,
    sessions,
)

TLS13, TLS12 = ProtocolVersion.TLS1_3, ProtocolVersion.TLS1_2
VERSIONS = pytest.mark.parametrize("version", [TLS13, TLS12], ids=lambda version: version.name)
CLOSE_NOTIFY = b"\x15\3\3\0\2\1\0"


# Misuse: a clear error for the caller, and the connection stays as it was.


def test_misuse_before_the_handshake() -> None:
    """What needs a handshake says so."""
    made = pair()
    for connection in (made.client, made.server):
        calls: list[Callable[[], object]] = [
            lambda c=connection: c.send(b"x"),  # type: ignore[misc]
            lambda c=connection: c.update_keys(request_peer=False),  # type: ignore[misc]
            lambda c=connection: c.export_keying_material(b"x", None, 1),  # type: ignore[misc]
            lambda c=connection: c.answer(None),  # type: ignore[misc]
        ]
        for call in calls:
            with pytest.raises(LocalError):
                call()
    for call in (
        made.client.renegotiate,
        made.server.request_certificate,
        made.server.request_renegotiation,
        lambda: made.client.receive(b"x"),
        lambda: made.client.send_early_data(b"x"),
    ):
        with pytest.raises(LocalError):
            call()
    made.start().check()
    with pytest.raises(LocalError):
        made.client.start()


def test_misuse_after_the_end() -> None:
    """A closed connection sends nothing; after the end of the input there is no more input."""
    made = connect()
    made.client.close()
    made.client.close()
    with pytest.raises(LocalError):
        made.client.send(b"x")
    with pytest.raises(LocalError):
        made.client.update_keys(request_peer=False)
    made.client.receive(b"")
    with pytest.raises(LocalError):
        made.client.receive(b"x")
    assert made.client.receive(b"") == []
    failed = pair(ClientConfig(versions=(TLS12,)), ServerConfig(versions=(TLS13,))).start()
    for connection in (failed.client, failed.server):
        with pytest.raises(LocalError):
            connection.send(b"x")
        assert connection.receive(b"whatever") == []
        connection.close()
        connection.abort()
        assert not connection.has_data_to_send


def test_nothing_is_sent_before_the_start() -> None:
    """Closing or calling off what never began is silent."""
    for end in (Connection.close, Connection.abort):
        client = ClientConnection(ClientConfig())
        end(client)
        assert not client.has_data_to_send
        with pytest.raises(LocalError):
            client.start()


def test_impossible_settings() -> None:
    """They end the connection with a LocalError, not with a traceback."""
    for config in (
        ClientConfig(server_name="bücher.example"),
        ClientConfig(suites=()),
        ClientConfig(server_name=""),
    ):
        client = ClientConnection(config)
        (event,) = client.start()
        assert isinstance(event, Failed)
        assert isinstance(event.error, LocalError)
    nameless = pair(server=ServerConfig()).start()
    assert reason_of(nameless.server) == "NO_CERTIFICATE_CONFIGURED"


def test_an_error_in_a_function_that_was_handed_in() -> None:
    """It reaches the caller, and the connection has ended in good order."""

    def fail(_: object) -> None:
        raise ZeroDivisionError

    made = pair(ClientConfig(verify_peer=fail))
    made.client.start()
    made.server.receive(made.client.data_to_send())
    with pytest.raises(ZeroDivisionError):
        made.client.receive(made.server.data_to_send())
    assert alert_of(made.client) == AlertDescription.INTERNAL_ERROR
    assert made.client.has_data_to_send
    assert len(of_type(made.client.receive(b"more"), Failed)) == 1


# Closing (RFC 8446 §6.1).


@VERSIONS
def test_half_close(version: ProtocolVersion) -> None:
    """After our close_notify the peer may go on; after both all is done."""
    made = connect(ClientConfig(versions=(version,)))
    made.client.close()
    made.run()
    assert Closed(clean=True) in made.server_events
    made.server.send(b"still here")
    if version == TLS13:
        made.server.update_keys(request_peer=True)  # it is asked for an answer that it may not give any more
    made.server.close()
    made.run()
    assert received(made.client_events).endswith(b"still here")
    assert Closed(clean=True) in made.client_events
    assert made.client.error is made.server.error is None
    assert made.server.receive(b"") == []


@VERSIONS
def test_end_without_close_notify(version: ProtocolVersion) -> None:
    """A cut connection is told apart from a closed one."""
    made = connect(ClientConfig(versions=(version,)))
    assert made.client.receive(b"") == [Closed(clean=False)]
    assert made.client.wants_no_more_data
    made.server.send(b"cut in the middle")
    data = made.server.data_to_send()
    other = connect(ClientConfig(versions=(version,)))
    other.client._channel.feed(b"\x17\3\3\0\x20half")
    assert other.client.receive(b"") == [Closed(clean=False)]
    assert data


@pytest.mark.parametrize("side", ["client", "server"])
def test_end_during_the_handshake(side: str) -> None:
    """It is an error that says what was waited for, and no alert goes out."""
    made = pair()
    made.client.start()
    made.client.data_to_send()
    connection = made.client if side == "client" else made.server
    (event,) = connection.receive(b"")
    assert isinstance(event, Failed)
    assert reason_of(connection) == "EOF_DURING_HANDSHAKE"
    assert "read" in str(event.error)
    assert not connection.has_data_to_send


def test_calling_off_the_handshake() -> None:
    """user_canceled, then close_notify (RFC 8446 §6.1), and whatever the peer still sends is passed over."""
    made = pair()
    made.client.start()
    made.server_events += made.server.receive(made.client.data_to_send())
    made.client.close()
    flight = made.server.data_to_send()
    assert made.client.receive(flight) == []
    made.server_events += made.server.receive(made.client.data_to_send())
    assert WarningReceived(AlertLevel.WARNING, AlertDescription.USER_CANCELED) in made.server_events
    assert Closed(clean=True) in made.server_events
    assert not made.client.has_data_to_send
    assert made.client.receive(b"") == [Closed(clean=False)]


def test_abort() -> None:
    """A fatal alert of our choice, which the peer understands."""
    made = connect()
    made.server.abort(AlertDescription.ACCESS_DENIED)
    made.run()
    assert isinstance(made.client.error, AlertReceived)
    assert made.client.error.description == AlertDescription.ACCESS_DENIED
    assert reason_of(made.server) == "CANCELED"


def test_what_comes_after_the_end_is_passed_over() -> None:
    """Data behind close_notify, and alerts behind a fatal one, mean nothing (RFC 8446 §6.1, §6.2)."""
    made = connect()
    made.server._channel.send_alert(AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY)
    made.server.send(b"too late")
    events = made.client.receive(made.server.data_to_send())
    assert events == [Closed(clean=True)]
    assert made.client.receive(b"garbage") == []


# Deferred questions: the answer may come later, at every place where there is a question.

QUESTIONS = frozenset(
    {
        "signature",
        "verification",
        "certificate",
        "client certificate",
        "configuration",
        "session",
        "session id",
        "ticket",
        "psk",
        "replay",
    }
)


def settle(made: Pair) -> list[str]:
    """Run to the end and answer each question only when nothing else moves; the names of the questions."""
    asked = []
    while True:
        made.run()
        for connection, events in ((made.client, made.client_events), (made.server, made.server_events)):
            question = connection.question
            if question is not None:
                asked.append(question.name)
                events.extend(connection.answer(question.run()))
                break
        else:
            return asked


@VERSIONS
@pytest.mark.parametrize("tickets", [True, False])
def test_deferred_questions(version: ProtocolVersion, tickets: bool) -> None:
    """Everything that can be asked is, on both sides, and the answer comes when nothing else moves."""
    clock = Clock()
    server = ServerConfig(
        identities=(identity("p256"),),
        sessions=sessions(clock),
        tickets=tickets,
        max_early_data=100,
        accept_early_data=True,
        client_authentication=ClientAuthentication.REQUIRE,
        choose_config=lambda _: server,
        choose_identity=lambda _, identities: identities,
        find_psk=lambda _: None,
    )
    client = ClientConfig(
        versions=(version,),
        identities=(identity("ed25519"),),
        choose_identity=lambda _, __: identity("ed25519"),
        post_handshake_auth=True,
        early_data=True,
        tickets=tickets,
    )
    made = pair(client, server, clock=clock, deferred=(QUESTIONS, QUESTIONS))
    made.client_events += made.client.start()
    asked = settle(made)
    made.check()
    expected = {"signature", "verification", "certificate", "client certificate", "configuration"}
    expected.add("ticket" if tickets or version == TLS13 else "session id")
    assert set(asked) == expected
    assert asked.count("signature") == 2
    assert len(of_type(made.server_events, QuestionAsked)) + len(
        of_type(made.client_events, QuestionAsked)
    ) == len(asked)
    again = pair(
        replace(client, session=made.session()), server, clock=clock, deferred=(QUESTIONS, QUESTIONS)
    )
    again.client_events += again.client.start()
    if version == TLS13:
        again.client.send_early_data(b"early")
    asked = settle(again)
    again.check()
    assert again.server.negotiated.resumed
    assert "session" in asked
    assert ("replay" in asked) is (version == TLS13)
    if version == TLS13:
        again.server_events += again.server.request_certificate()
        asked = settle(again)
        assert sorted(asked) == ["client certificate", "signature", "verification"]
        assert of_type(again.server_events, PostHandshakeAuthenticationCompleted)
        again.exchange()


@VERSIONS
def test_the_answer_can_be_an_error(version: ProtocolVersion) -> None:
    """It ends the connection as if it had been raised on the spot."""
    made = pair(
        ClientConfig(versions=(version,)), deferred=(frozenset({"verification"}), frozenset())
    ).start()
    assert made.client.question is not None
    made.client_events += made.client.answer(PeerError(reasons.UNKNOWN_CA))
    made.run()
    assert alert_of(made.server) == AlertDescription.UNKNOWN_CA
    with pytest.raises(LocalError):
        made.client.answer(None)


@VERSIONS
def test_input_waits_for_the_answer(version: ProtocolVersion) -> None:
    """What comes meanwhile, the end of the input too, is taken after the answer, in its order."""
    server = ServerConfig(identities=(identity("p256"),), client_authentication=ClientAuthentication.REQUIRE)
    client = ClientConfig(versions=(version,), identities=(identity("p256"),))
    made = pair(client, server, deferred=(frozenset(), frozenset({"verification"}))).start()
    question = made.server.question
    assert question is not None
    if version == TLS13:
        made.client.send(b"early bird")
        made.client.close()
    assert made.server.receive(made.client.data_to_send() or b"") in ([], made.server_events)
    if version == TLS13:
        assert made.server.receive(b"") == []
    events = made.server.answer(question.run())
    if version == TLS13:
        assert received(events) == b"early bird"
        assert isinstance(events[-1], Closed)
        assert events[-1].clean
    made.server_events += events
    made.run()
    assert of_type(made.server_events, HandshakeCompleted)


@VERSIONS
def test_not_all_input_waits_for_the_answer(version: ProtocolVersion) -> None:
    """A client that goes on sending while its certificate is looked at does not fill the memory."""
    limits = Limits(input_while_asking=10_000)
    server = ServerConfig(
        identities=(identity("p256"),), client_authentication=ClientAuthentication.REQUIRE, limits=limits
    )
    client = ClientConfig(versions=(version,), identities=(identity("p256"),))
    made = pair(client, server, deferred=(frozenset(), frozenset({"verification"}))).start()
    question = made.server.question
    assert question is not None
    record = b"\x17\x03\x03\x10\x00" + bytes(4096)
    events = made.server.receive(record) + made.server.receive(record)
    assert events == []
    assert made.server.question is question
    (failed,) = made.server.receive(record)
    assert isinstance(failed, Failed)
    assert reason_of(made.server) == "TOO_MUCH_WHILE_ASKING"
    made.run()
    assert alert_of(made.client) == AlertDescription.INTERNAL_ERROR
    with pytest.raises(LocalError):
        made.server.answer(None)


def test_an_aside_does_not_tear_apart_what_belongs_together() -> None:
    """While a client's signature is awaited after the handshake, it can still send data and change its keys."""
    client = ClientConfig(post_handshake_auth=True, identities=(identity("p256"),))
    made = connect(client, deferred=(frozenset({"signature"}), frozenset()))
    made.server_events += made.server.request_certificate()
    made.run()
    question = made.client.question
    assert question is not None
    made.client.update_keys(request_peer=False)
    made.client.send(b"meanwhile")
    made.run()
    assert received(made.server_events).endswith(b"meanwhile")
    made.client_events += made.client.answer(question.run())
    made.run()
    (done,) = of_type(made.server_events, PostHandshakeAuthenticationCompleted)
    assert done.chain == identity("p256").certificates
    made.exchange()


# Secrets.


class Secrets(Observer):
    """Collects all secrets."""

    def __init__(self) -> None:
        self.found: set[bytes] = set()

    def secret(self, label: SecretLabel, client_random: bytes, secret: bytes) -> None:  # noqa: ARG002 - the interface
        """Note it."""
        self.found.add(secret)


def texts(value: object, depth: int = 6) -> set[str]:
    """Give the repr of a value and of all that hangs on it."""
    found = {repr(value)}
    if depth:
        names = [*getattr(value, "__dict__", {})]
        for base in type(value).__mro__:
            names += [name for name in getattr(base, "__slots__", ()) if isinstance(name, str)]
        for name in names:
            inner = getattr(value, name, None)
            if type(inner).__module__.startswith("handglass") and not isinstance(inner, type | Observer):
                found |= texts(inner, depth - 1)
    return found


@VERSIONS
def test_secrets_stay_out_of_reprs(version: ProtocolVersion) -> None:
    """No object of the engine shows a secret, a session's or a pre-shared key."""
    clock = Clock()
    psk = ExternalPsk(b"name", b"0123456789abcdef")
    client = ClientConfig(versions=(version,), psks=(psk,) if version == TLS13 else ())
    server = ServerConfig(identities=(identity("p256"),), sessions=sessions(clock), psks=client.psks)
    watching: tuple[Secrets, Secrets] = (Secrets(), Secrets())
    made = connect(client, server, clock=clock, observers=watching)
    session = made.session()
    secrets = watching[0].found | watching[1].found | {session.secret, psk.key}
    assert len(secrets) > 2 or version == TLS12
    shown: set[str] = {repr(event) for event in made.client_events + made.server_events}
    roots: list[Any] = [made.client, made.server, client, server, session, psk]
    for root in roots:
        shown |= texts(root)
    for text in shown:
        for secret in secrets:
            assert secret.hex() not in text
            assert repr(secret)[2:-1] not in text


def test_both_sides_reveal_the_same_secrets() -> None:
    """The key logs of the two ends have the same lines (RFC 8446 §7.1)."""
    for version in (TLS13, TLS12):
        watching = (Secrets(), Secrets())
        connect(ClientConfig(versions=(version,)), observers=watching)
        assert watching[0].found == watching[1].found
        assert len(watching[0].found) == (5 if version == TLS13 else 1)


# Limits on what a peer controls (each in `Limits`).


def filled(made: Pair, connection: Connection, act: Callable[[], object]) -> str:
    """Do this until the other side has enough: the reason that it gives."""
    other = made.client if connection is made.server else made.server
    for _ in range(2000):
        act()
        made.run()
        if other.error is not None:
            return reason_of(other)
    raise AssertionError("it takes everything")


def test_limits_after_the_handshake() -> None:
    """Key updates, empty records, warnings, tickets and certificate requests, each without anything else."""
    clock = Clock()
    limits = Limits(key_updates=5, empty_records=5, warning_alerts=2, tickets=3, certificate_requests=3)
    client = ClientConfig(limits=limits, post_handshake_auth=True)
    server = ServerConfig(
        identities=(identity("p256"),), limits=limits, sessions=sessions(clock), num_tickets=1
    )

    def fresh() -> Pair:
        return connect(client, server, clock=clock)

    made = fresh()
    assert (
        filled(made, made.client, lambda: made.client.update_keys(request_peer=False))
        == "TOO_MANY_KEY_UPDATES"
    )
    made = fresh()
    channel = made.client._channel
    assert (
        filled(made, made.client, lambda: channel.writer.seal(23, b"", channel._out))
        == "TOO_MANY_EMPTY_RECORDS"
    )
    made = fresh()
    warn = AlertDescription.USER_CANCELED
    channel = made.client._channel
    assert filled(made, made.client, lambda: channel.send_alert(1, warn)) == "TOO_MANY_WARNING_ALERTS"
    made = fresh()
    assert filled(made, made.server, made.server.request_certificate) == "TOO_MANY_CERTIFICATE_REQUESTS"
    many = replace(server, num_tickets=4)
    assert reason_of(pair(client, many, clock=clock).start().client) == "TOO_MANY_TICKETS"


def test_limits_on_certificates() -> None:
    """Their number and their size."""
    long = Identity(identity("p256").certificate, identity("p256").key, (b"x" * 50,) * 20, "ec")
    for version in (TLS13, TLS12):
        for limits, reason in (
            (Limits(certificates=20), "TOO_MANY_CERTIFICATES"),
            (Limits(certificate_list=1000), "CERTIFICATES_TOO_LONG"),
        ):
            made = pair(
                ClientConfig(versions=(version,), limits=limits), ServerConfig(identities=(long,))
            ).start()
            assert reason_of(made.client) == reason
            asking = ServerConfig(
                identities=(identity("p256"),),
                limits=limits,
                client_authentication=ClientAuthentication.REQUEST,
            )
            made = pair(ClientConfig(versions=(version,), identities=(long,)), asking).start()
            assert reason_of(made.server) == reason


def test_limits_on_hellos() -> None:
    """The number of extensions, the size of a message and the number of ChangeCipherSpec records."""
    few = ServerConfig(identities=(identity("p256"),), limits=Limits(extensions=5))
    assert reason_of(pair(ClientConfig(), few).start().server) == "TOO_MANY_EXTENSIONS"
    short = ServerConfig(identities=(identity("p256"),), limits=Limits(handshake_message=100))
    cut = pair(ClientConfig(), short)
    cut.client.start()
    cut.server.receive(b"\x16\3\1\0\4\1\0\0\xff")
    assert reason_of(cut.server) == "HANDSHAKE_MESSAGE_TOO_LONG"
    server = ServerConnection(replace(few, limits=Limits(change_cipher_specs=3)))
    client = ClientConnection(ClientConfig())
    client.start()
    server.receive(client.data_to_send())
    server.receive(b"\x14\3\3\0\1\1" * 3)
    assert server.error is None
    server.receive(b"\x14\3\3\0\1\1")
    assert reason_of(server) == "TOO_MANY_CHANGE_CIPHER_SPECS"
