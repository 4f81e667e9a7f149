"""One connection of s_client, from the first byte to the exit status."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from handglass.cli.keying_material import keying_material
from handglass.cli.protocol.protocol_details import read_size
from handglass.cli.s_client.commands import Command, help_lines
from handglass.cli.s_client.keyboard import Keyboard
from handglass.cli.s_client.observers import observer
from handglass.cli.s_client.reach import Reached
from handglass.cli.s_client.settings import Settings
from handglass.cli.screen import Screen
from handglass.cli.sessions import SessionFile, write_session
from handglass.cli.verification.judge import Judge
from handglass.cli.verification.stapled import Demand
from handglass.connection import ClientConnection
from handglass.crypto.containers import certificates_to_pem
from handglass.crypto.identity import Identity
from handglass.handshake.events import (
    CertificateRequested,
    Closed,
    DataReceived,
    Event,
    Failed,
    HandshakeCompleted,
    HeartbeatAnswered,
    SessionReceived,
    WarningReceived,
)
from handglass.handshake.session import Session
from handglass.handshake.state import Negotiated, PeerChain
from handglass.net.errors import NetError, span
from handglass.net.interrupts import interruptible
from handglass.net.pump import Pump
from handglass.observe import advice, report
from handglass.observe.session_text import shown_session_id
from handglass.records import replace
from handglass.registry import reasons
from handglass.registry.code_points import AlertDescription, ProtocolVersion, SignatureScheme
from handglass.registry.errors import LocalError, PeerError, TLSError
from handglass.verify.codes import VerifyCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from handglass.net.reluctant import ReluctantSocket

ANSWER_SECONDS = 1.0
"""How long the end of input waits for a first answer to what was sent, from when all of it has left."""
QUIET_SECONDS = 0.3
"""How long the answer must have paused before the connection is closed at the end of input."""
UNSPECIFIED = int(VerifyCode.UNSPECIFIED)
"""What a session file says of a peer that was not verified."""
TICKET_SECONDS = 2.0
"""How long -sess_out waits for a ticket at the end of input."""
LINGER_SECONDS = 2.0
"""How long the last bytes may take to leave."""


class Visit:
    """A connection on a socket that stands. `short`: a later one of -reconnect, with a shorter report."""

    def __init__(
        self,
        settings: Settings,
        screen: Screen,
        reached: Reached,
        session: Session | None,
        *,
        short: bool,
        earlier: int | None = None,
    ) -> None:
        self._settings = settings
        self._options = settings.options
        self._screen = screen
        self._short = short
        self._reached = reached
        self._talkative = not (self._options.quiet or self._options.brief)
        self._judge = Judge(
            settings.stores.peer_store(self._note),
            settings.params,
            err=sys.stderr,
            return_error=self._options.verify_return_error,
            quiet=self._options.brief or self._options.verify_quiet,
            name_flags=settings.name_flags,
            fetch_issuers=self._options.aia_fetch,
            tell=self._note,
            stapled=self._demand(),
            logs=settings.logs,
            dane=settings.dane,
            now=int(time.time()),
        )
        config = replace(settings.config, session=session, verify_peer=self._judge_peer)
        if settings.extra_sets:
            config = replace(config, choose_identity=self._choose_identity)
        self._config = config
        self.connection = ClientConnection(
            config, clock=time.time, observer=observer(settings, screen, reached.wire)
        )
        self._pump = Pump(
            self._socket(),
            self.connection,
            self._take,
            wrapper=reached.wrapper,
            read_size=read_size(self._options),
        )
        if self._options.nbio and self._talkative:
            screen.text("Turned on non blocking io\n")
        if (self._options.nbio or self._options.nbio_test) and self._talkative:
            self._pump.on_wait = self._tell_wait
        self.session: Session | None = None
        self._asked: CertificateRequested | None = None
        self._established = False
        self._closed: Closed | None = None
        self._error: TLSError | NetError | None = None
        self._leaving: float | None = None
        self._unsent = 0
        self._keyboard: Keyboard | None = None
        self._has_asked = False
        self._gone = False
        self.wants_another = False
        """Whether the user wants to connect again."""
        self._silent = False
        self._no_name_told = settings.config.server_name is not None
        self._earlier = earlier

    # The three parts -------------------------------------------------------------------------------------

    def shake_hands(self) -> bool:
        """Do the handshake and report on it; False if it failed."""
        limit = self._options.handshake_timeout or None
        began = time.monotonic()
        deadline = None if limit is None else time.monotonic() + limit
        self._pump.give(self.connection.start())
        self._take_early_bytes()
        self._send_early_data()
        in_time = self._run(lambda: self._established or self._over, deadline)
        if not in_time and not self._over:
            waited = f"{span(limit or 0)}, and the client still waits to {self.connection.state}"
            self.connection.abort(AlertDescription.USER_CANCELED)
            self._pump.drain(LINGER_SECONDS)
            self._error = LocalError(reasons.HANDSHAKE_TIMEOUT, waited)
        spent = time.monotonic() - began
        self._report()
        if self._established and (self._options.reconnect or self._options.prexit):
            self._tell_times(spent)
        return self._established and self._error is None

    def talk(self, keyboard: Keyboard) -> None:
        """Move data both ways until one side has had enough."""
        self._keyboard = keyboard
        keyboard.talk_to(self)
        while not self._over and not self._gone:
            limit = self._leaving
            self._run(
                lambda: self._over or self._gone or self._leaving != limit,  # noqa: B023 - called in this turn
                min((end for end in (limit, self._silence_ends) if end is not None), default=None),
                keyboard,
            )
            # While the run lasted, an answer may have moved either end away.
            now = time.monotonic()
            if self._leaving is not None and now >= self._leaving:
                if self._still_sends():
                    self._leaving = now + ANSWER_SECONDS
                else:
                    self._gone = True
            elif self._silence_ends is not None and now >= self._silence_ends:
                self._gone = self._silent = True
        keyboard.rest()

    def finish(self) -> int:
        """Close, say how it ended, and give the exit status."""
        status = 0
        if self._silent and not self._over:
            silence = f"{span(self._options.idle_timeout)} (-idle_timeout)"
            self._screen.error(f"s_client: the server has said nothing for {silence}")
            self.leave()
            status = 1
        elif self._error is None and self._closed is None:
            self._screen.error("DONE")
            self.leave()
        elif self._error is not None:
            status = self._complain(self._error)
        elif not self._established:
            where = f"close_notify came while we waited to {self.connection.state}"
            status = self._complain(PeerError(reasons.HANDSHAKE_CALLED_OFF, where))
            self.leave()
        elif self._closed is not None and (self._closed.clean or self._options.ignore_unexpected_eof):
            self.leave()
            if self._talkative:
                self._screen.text("closed\n")
        else:
            status = self._complain(PeerError(reasons.UNEXPECTED_EOF))
        self._pump.close()
        if self._options.prexit and self._talkative:
            self._screen.text(report.full_report(self._facts()))
        return status

    # Pieces ----------------------------------------------------------------------------------------------

    def wait_for_session(self, seconds: float) -> None:
        """Wait for something to resume by, if it is still to come (TLS 1.3 tickets)."""
        if self.session is None and self.connection.negotiated.version == ProtocolVersion.TLS1_3:
            self._run(lambda: self.session is not None or self._over, time.monotonic() + seconds)

    def leave(self) -> None:
        """Say that we send no more, and see that it leaves."""
        self.connection.close()
        self._pump.drain(LINGER_SECONDS)
        self._pump.close()

    def break_off(self) -> None:
        """Leave wherever we are, and make the last report if one is wanted."""
        self.leave()
        if self._options.prexit and self._talkative:
            self._screen.text(report.full_report(self._facts()))

    def _socket(self) -> socket.socket | ReluctantSocket:
        """The socket, or with -nbio_test one that tests us."""
        if not self._options.nbio_test:
            return self._reached.socket
        from handglass.net.reluctant import ReluctantSocket  # noqa: PLC0415 - hardly ever wanted

        return ReluctantSocket(self._reached.socket)

    @property
    def _silence_ends(self) -> float | None:
        """When -idle_timeout is over (monotonic seconds), if the server says nothing until then."""
        limit = self._options.idle_timeout
        return self._pump.heard + limit if limit else None

    @property
    def _over(self) -> bool:
        return self._error is not None or self._closed is not None or self._pump.ended

    def _run(
        self, until: Callable[[], bool], deadline: float | None, keyboard: Keyboard | None = None
    ) -> bool:
        try:
            return self._pump.run(until, deadline=deadline, source=keyboard)
        except NetError as error:
            if self._error is None:
                self._error = error
            return True

    def _tell_wait(self, writing: bool) -> None:
        """OpenSSL's lines of -nbio: what was done (a handshake counts as "write") and what was waited for."""
        doing = "read" if self._established and not writing else "write"
        self._screen.text(f"{doing} {'W' if writing else 'R'} BLOCK\n")

    def _tell_times(self, handshake: float) -> None:
        reached = self._reached
        times = [("connected", reached.connect_seconds), ("handshake done", handshake)]
        if self._settings.way.starttls is not None or self._settings.way.proxy is not None:
            times.insert(1, ("ready for TLS", reached.prelude_seconds))
        told = ", ".join(f"{what} in {seconds * 1000:.1f} ms" for what, seconds in times)
        self._screen.error(f"s_client: {told}")

    def _take_early_bytes(self) -> None:
        """What the server has said under TLS before it heard from us, for instance an alert."""
        try:
            self._pump.receive(self._reached.early)
        except NetError as error:
            self._error = error

    def _send_early_data(self) -> None:
        data = self._settings.early_data
        if data is None or not self.connection.early_data_limit:
            return
        try:
            self.connection.send_early_data(data)
        except LocalError as error:
            self._error = error
        self._pump.flush()

    # What is typed ---------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Data for the server."""
        if not data.isspace():  # an empty line, as from `echo |`, asks nothing
            self._has_asked = True
        with contextlib.suppress(LocalError):  # the connection ended while we read the input
            self.connection.send(data)

    def input_ended(self) -> None:
        """There is no more to send: wait for what may still be said to that, or go."""
        if self._options.ign_eof:
            return
        now = time.monotonic()
        refusal_may_come = self._asked is not None and not self._asked.answered and self.session is None
        if refusal_may_come or self._has_asked:
            self._leaving = now + ANSWER_SECONDS
            self._still_sends()
        elif self._options.sess_out is not None:
            self.wait_for_session(TICKET_SECONDS)
            self._gone = True
        else:
            self._gone = True

    def _still_sends(self) -> bool:
        """Whether some more of what was typed has left since this was last asked."""
        self._pump.flush()
        before, self._unsent = self._unsent, self._pump.unsent
        return self._unsent < before

    def command(self, command: Command) -> None:
        """Do what a letter or a word in braces means."""
        if command is Command.HELP:
            for line in help_lines():
                self._screen.error(line)
        elif command is Command.FINISH_STREAM:
            self.complain("{fin} finishes a stream of QUIC, and this is a connection of TLS")
        elif command in {Command.QUIT, Command.RECONNECT}:
            self.wants_another = command is Command.RECONNECT
            if self.wants_another:
                self._screen.error("RECONNECTING")
            self._gone = True
            if self._keyboard is not None:
                self._keyboard.rest()
        elif command is Command.HEARTBEAT:
            self._send_heartbeat()
        else:
            self._change(command)

    def complain(self, sentence: str) -> None:
        """Say what is wrong with a command; the connection goes on."""
        self._screen.error(f"s_client: {sentence}")

    def _send_heartbeat(self) -> None:
        """Send one if that was agreed on; else say so, and go on."""
        try:
            self.connection.send_heartbeat()
        except LocalError as error:
            hint = "" if self._options.heartbeat else "; -heartbeat asks for it"
            self.complain(f"{error}{hint}")
        else:
            self._screen.error("HEARTBEATING")

    def _change(self, command: Command) -> None:
        """Renegotiate or change keys. What this version does not have ends the program, but not with -adv."""
        try:
            if command is Command.RENEGOTIATE:
                self._screen.error("RENEGOTIATING")
                self._has_asked = True
                self._pump.give(self.connection.renegotiate())
            else:
                self._screen.error("KEYUPDATE")
                ask = command is Command.UPDATE_BOTH_KEYS
                self._pump.give(self.connection.update_keys(request_peer=ask))
        except LocalError as error:
            if self._options.adv:
                self.complain(str(error))
                return
            self._error = error
            self.connection.close()
            self._pump.drain(LINGER_SECONDS)

    # Events ----------------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        if isinstance(event, DataReceived):
            self._screen.data(event.data)
            if self._leaving is not None:  # counted from here: whoever reads us may have taken a while
                self._leaving = time.monotonic() + QUIET_SECONDS
        elif isinstance(event, HandshakeCompleted):
            self._established = True
            self._leave_soon()
        elif isinstance(event, SessionReceived):
            self._take_session(event.session)
        elif isinstance(event, CertificateRequested):
            self._asked = event
        elif isinstance(event, HeartbeatAnswered):
            self._screen.error("s_client: the server has answered the heartbeat")
        elif isinstance(event, WarningReceived):
            if event.description == AlertDescription.NO_RENEGOTIATION:
                self._error = PeerError(reasons.RENEGOTIATION_DECLINED)
                self.connection.abort(AlertDescription.HANDSHAKE_FAILURE)
                self._pump.drain(LINGER_SECONDS)
        elif isinstance(event, Closed):
            self._closed = event
        elif isinstance(event, Failed):
            self._error = event.error

    def _leave_soon(self) -> None:
        """What the end of input waits for may have come."""
        if self._leaving is not None:
            self._leaving = min(self._leaving, time.monotonic() + QUIET_SECONDS)

    def _take_session(self, session: Session) -> None:
        self.session = session
        if not self._has_asked:
            self._leave_soon()  # a ticket says that the server lets us in, but is no answer
        if self._options.sess_out is not None:
            self._write_session(session)
        if self._established and self._talkative and session.version == ProtocolVersion.TLS1_3:
            self._screen.text(report.ticket_report(self._facts(), session))

    def _write_session(self, session: Session) -> None:
        outcome = self.outcome
        stored = SessionFile(
            version=session.version,
            suite=session.suite,
            session_id=shown_session_id(session),
            secret=session.secret,
            start_time=int(session.created),
            timeout=session.lifetime or 7200,
            certificate=session.peer_certificates[0] if session.peer_certificates else None,
            verify_result=UNSPECIFIED if outcome is None else outcome,
            hostname=session.server_name,
            ticket_lifetime=session.lifetime if session.ticket else 0,
            ticket=session.ticket or None,
            extended_master_secret=session.extended_master_secret,
            ticket_age_add=session.age_add,
            max_early_data=session.max_early_data,
            alpn=session.alpn,
            group=session.group,
        )
        path = str(self._options.sess_out)
        try:
            Path(path).write_text(write_session(stored), encoding="ascii")
        except OSError as error:
            self._screen.error(f"Error writing session file {path}: {error.strerror}")

    # Reports ---------------------------------------------------------------------------------------------

    def _facts(self) -> report.Facts:
        connection = self.connection
        return report.Facts(
            connection.negotiated,
            self._judge.result,
            connection.bytes_read,
            connection.bytes_written,
            self._config.client_signature_schemes or self._config.signature_schemes,
            show_certificates=self._options.showcerts,
            established=self._established,
            name_flags=self._settings.name_flags,
            matched=self._judge.matched,
            raw_key_wanted=self._options.enable_server_rpk,
            timestamps=self._judge.timestamps.text() if self._judge.timestamps is not None else "",
            earlier=self._earlier,
            keying_material=keying_material(self._options, self.connection) if self._established else "",
        )

    @property
    def outcome(self) -> int | None:
        """What came of the verification (X509_V_…), now or when the session began; None if there was none."""
        result = self._judge.result
        if result is None:
            return self._earlier if self.connection.negotiated.resumed else None
        return int(result.code)

    def _choose_identity(
        self, _schemes: Sequence[SignatureScheme], _names: Sequence[bytes]
    ) -> Identity | None:
        from handglass.cli.own_certificates.extra_choice import client_choice  # noqa: PLC0415 - few have several certificates

        sets, agreed = self._settings.extra_sets, self.connection.negotiated
        return client_choice(self._config, sets, agreed, sys.stderr, self._settings.name_flags)

    def _judge_peer(self, chain: PeerChain) -> None:
        self._tell_no_name()
        with interruptible():  # issuers and revocation lists may have to be fetched
            self._judge(chain)

    def _tell_no_name(self) -> None:
        """OpenSSL's line on a connection without a server name, once, and once the server has answered."""
        if not self._no_name_told and self.connection.negotiated.version is not None:
            self._no_name_told = True
            self._screen.error("Can't use SSL_get_servername")

    def _report(self) -> None:
        self._tell_no_name()
        self._write_chains()
        if self._talkative and self._judge.stapled is not None:
            self._screen.text(self._judge.stapled.text())
        facts = self._facts()
        if self._options.brief and not self._options.quiet:
            if self._established:
                sys.stderr.write(report.brief_report(facts))
                sys.stderr.flush()
        elif self._talkative:
            self._screen.text(report.short_report(facts) if self._short else report.full_report(facts))
        if self._established and self._reached.last_line:
            self._screen.error(self._reached.last_line + "\r")

    def _demand(self) -> Demand | None:
        """How much a stapled status counts; None if it is not even asked for."""
        if self._options.ocsp_check_all:
            return Demand.ALL
        if self._options.ocsp_check_leaf:
            return Demand.LEAF
        return Demand.NOTHING if self._options.status else None

    def _write_chains(self) -> None:
        """-presented_out and -verified_out."""
        verdict = self._judge.result
        verified = [each.der for each in verdict.chain] if verdict is not None and verdict.ok else []
        for path, chain in (
            (self._options.presented_out, list(self.connection.negotiated.peer_certificates)),
            (self._options.verified_out, verified),
        ):
            if path is None or not chain:
                continue
            try:
                Path(path).write_text(certificates_to_pem(chain), encoding="ascii")
            except OSError as error:
                self._screen.error(f"s_client: cannot write {path}: {error.strerror}")

    def _note(self, words: str) -> None:
        self._screen.error(f"s_client: {words}")

    def _complain(self, error: TLSError | NetError) -> int:
        """Say what went wrong, for scripts and for people; the exit status."""
        if isinstance(error, NetError):
            if error.errno:
                self._screen.error(f"read:errno={error.errno}")
            if self._options.brief and error.errno:
                self._screen.error("CONNECTION CLOSED BY SERVER")
            when = (
                ""
                if self._established
                else f" during the handshake, while the client waited to {self.connection.state}"
            )
            self._screen.error(f"s_client: {error.sentence}{when}")
            if self._asked is not None and not self._asked.answered:
                self._screen.error(f"s_client: {report.certificate_request_line(self.connection.negotiated)}")
            return 1
        self._screen.error(advice.openssl_line(error, self.connection.state.replace(" ", "_")))
        for line in advice.explain(error, self.connection.negotiated):
            self._screen.error(f"s_client: {line}")
        return 1


def report_nothing(screen: Screen) -> None:
    """The report of -prexit where no connection stood."""
    screen.text(
        report.full_report(report.Facts(Negotiated(is_client=True), None, 0, 0, (), established=False))
    )
