"""Session options: resumption, tickets and early data."""

from __future__ import annotations

from .table import Options, flag, number, number_or, text

RESUME = "resumption"
EARLY = "early data (TLS 1.3)"


class ClientSession(Options, title="Session options"):
    """The client's sessions."""

    reconnect = flag("reconnect", "Connect five times more, resuming the session", where=RESUME)
    sess_out = text(
        "sess_out", "file", "Write the session, in TLS 1.3 each new ticket, to this file", where=RESUME
    )
    sess_in = text("sess_in", "file", "Resume the session of this file", where=RESUME)
    no_ticket = flag("no_ticket", "No session tickets in TLS 1.2 and below", where="session_ticket")
    early_data = text("early_data", "file", "Send this file as early data of a resumed session", where=EARLY)


class ServerSession(Options, title="Session options"):
    """The server's sessions."""

    num_tickets = number_or(
        2,
        "num_tickets",
        "n",
        "Tickets to send after a full handshake in TLS 1.3",
        where=RESUME,
        minimum=0,
    )
    no_ticket = flag("no_ticket", "No session tickets in TLS 1.2 and below", where=RESUME)
    context = text(
        "context", "text", "Only sessions begun under this text are resumed, at most 32 bytes", where=RESUME
    )
    id_prefix = text("id_prefix", "text", "Let session ids begin with this text", where="session_id")
    no_cache = flag(
        "no_cache", "Keep no sessions for resumption by id; tickets are still sent", where="session cache"
    )
    ext_cache = flag(
        "ext_cache",
        "Keep sessions outside of the session cache, and tell when one is put there or looked up",
        where="session cache",
    )
    no_resume_ephemeral = flag(
        "no_resume_ephemeral",
        "Resume no session of TLS 1.2 and below that an ephemeral key exchange began",
        where=RESUME,
    )
    no_resumption_on_reneg = flag(
        "no_resumption_on_reneg", "Resume no session in a renegotiation", where=RESUME
    )
    early_data = flag("early_data", "Accept early data", where=EARLY)
    max_early_data = number_or(
        16384,
        "max_early_data",
        "bytes",
        "Early data that a ticket allows",
        where=EARLY,
    )
    recv_max_early_data = number(
        "recv_max_early_data",
        "bytes",
        "Early data that is taken at most, whatever the ticket allows",
        where=EARLY,
        minimum=0,
    )
    anti_replay = flag(
        "anti_replay",
        "Take early data once for each ticket, which is the default",
        where=EARLY,
        also={"no_anti_replay": False},
    )
    no_anti_replay = flag(
        "no_anti_replay",
        "Take early data however often a ticket comes",
        where=EARLY,
        also={"anti_replay": False},
    )
