"""The lines of OpenSSL's -www page, for scripts that look for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from handglass.cli.s_server import report
from handglass.observe import labels
from handglass.observe.session_text import session_text, shown_session_id
from handglass.records import replace
from handglass.registry.code_points import CipherSuite, ProtocolVersion
from handglass.verify.codes import text_of
from handglass.verify.result import VerifyResult

if TYPE_CHECKING:
    from handglass.cli.s_server.program import Program
    from handglass.handshake.session import Session
    from handglass.handshake.state import Negotiated


def page_text(
    program: Program, agreed: Negotiated, session: Session | None, verdict: VerifyResult | None
) -> str:
    """Everything that OpenSSL's page says of a connection; the session's secret stays out."""
    config = program.settings.config
    secure = agreed.secure_renegotiation or agreed.version == ProtocolVersion.TLS1_3
    shared = [f"{labels.suite_name(suite):<26} " for suite in report.shared_suites(config, agreed)]
    parts = [
        f"Secure Renegotiation IS{'' if secure else ' NOT'} supported\n",
        "Ciphers supported in s_server binary\n",
        _supported(config.suites),
        "---\n",
    ]
    if shared:
        parts += ["Ciphers common between both SSL end points:\n", _rows(shared, 3)]
        lines = report.algorithms_text(config, agreed)
        parts.append(lines.partition("\n")[2])
        parts.append("---\n")
    kind = "Reused" if agreed.resumed else "New"
    parts.append(
        f"{kind}, {labels.suite_version(agreed.suite)}, Cipher is {labels.suite_name(agreed.suite)}\n"
    )
    if session is not None:
        parts.append(_session(session, verdict))
    parts += ["---\n", report.statistics_text(program.totals), "---\n"]
    if agreed.peer_certificates:
        parts.append("Client certificate\n" + report.certificate_text(agreed.peer_certificates[0]))
    else:
        parts.append("no client certificate available\n" + report.raw_keys_text(agreed))
    return "".join(parts)


@lru_cache(maxsize=16)
def _supported(suites: tuple[CipherSuite, ...]) -> str:
    """The suites of a configuration: the same on every page."""
    words = [f"{labels.suite_version(suite):<11}:{labels.suite_name(suite):<25} " for suite in suites]
    return _rows(words, 2)


def _session(session: Session, verdict: VerifyResult | None) -> str:
    line = None if verdict is None else f"{int(verdict.code)} ({text_of(verdict.code)})"
    shown = replace(session, secret=b"", ticket=b"")
    return session_text(
        shown, session_id=shown_session_id(session), context=session.context, verify_line=line
    )


def _rows(words: Sequence[str], columns: int) -> str:
    rows = ["".join(words[at : at + columns]) for at in range(0, len(words), columns)]
    return "".join(row.rstrip(" ") + "\n" for row in rows)
