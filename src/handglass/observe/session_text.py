"""A session as s_client and s_server print it: the `SSL-Session:` block of OpenSSL."""

from __future__ import annotations

from handglass.crypto.hashes import digest
from handglass.handshake.session import Session
from handglass.observe.hexdump import dump
from handglass.observe.labels import suite_name, version_name
from handglass.registry.code_points import ProtocolVersion


def session_text(
    session: Session,
    *,
    session_id: bytes,
    context: bytes = b"",
    psk_identity: bytes | None = None,
    verify_line: str | None = None,
) -> str:
    """The block, secrets and all: it is what -sess_out writes as well.

    `verify_line` is `0 (ok)` or the like; None where nothing was verified, and then the line is left out.
    """
    tls13 = session.version == ProtocolVersion.TLS1_3
    lines = [
        "SSL-Session:",
        f"    Protocol  : {version_name(session.version)}",
        f"    Cipher    : {suite_name(session.suite)}",
        f"    Session-ID: {session_id.hex().upper()}",
        f"    Session-ID-ctx: {context.hex().upper()}",
        f"    {'Resumption PSK' if tls13 else 'Master-Key'}: {session.secret.hex().upper()}",
        f"    PSK identity: {psk_identity.decode('utf-8', 'backslashreplace') if psk_identity else None}",
        "    PSK identity hint: None",
        "    SRP username: None",
    ]
    if session.ticket:
        if session.lifetime:
            lines.append(f"    TLS session ticket lifetime hint: {session.lifetime} (seconds)")
        lines += ["    TLS session ticket:", dump(session.ticket, "    ")]
    lines += [f"    Start Time: {int(session.created)}", f"    Timeout   : {session.lifetime or 7200} (sec)"]
    if verify_line is not None:
        lines.append(f"    Verify return code: {verify_line}")
    lines.append(f"    Extended master secret: {'yes' if session.extended_master_secret else 'no'}")
    if tls13:
        lines.append(f"    Max Early Data: {session.max_early_data}")
    return "\n".join(lines) + "\n"


def shown_session_id(session: Session) -> bytes:
    """What stands as Session-ID: the id itself, or for a ticket its hash, as OpenSSL's clients do."""
    return digest("sha256", session.ticket) if session.ticket else session.session_id
