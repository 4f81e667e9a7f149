"""-www: a page about the connection over which it is asked for, for people, and as JSON for programs.

The page needs nothing from elsewhere and runs no script. OpenSSL's lines stand at its end.
"""

from __future__ import annotations

import html
import json
import shlex
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from handglass.cli.s_server.page_facts import LONGEST_KEPT, Facts, page_facts
from handglass.cli.s_server.page_text import page_text
from handglass.net.http import BytesBody, Request, Response, text_response
from handglass.net.server import ServedConnection
from handglass.verify.result import VerifyResult

if TYPE_CHECKING:
    from handglass.cli.s_server.program import Program

METHODS = ("GET", "HEAD")
SAFETY = [
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Vary", "Accept"),
]
STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5c6878;--line:#dde3ea;--paper:#f5f7f9;--card:#fff;
--good:#0b6e4f;--goodbg:#e3f4ec;--bad:#9a3412;--badbg:#fdeee4;--accent:#1d4e89}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9f0;--soft:#98a4b3;--line:#303a47;--paper:#12171e;
--card:#1a212b;--good:#6fd3ab;--goodbg:#16342a;--bad:#f0a67c;--badbg:#3a2418;--accent:#8bb8f0}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:2rem 1.25rem 4rem}
header p{margin:.2rem 0 0;color:var(--soft)}
h1{font-size:1.5rem;margin:0;letter-spacing:-.01em}
h2{font-size:1rem;margin:0 0 .75rem}
dl{margin:0}
h2 small{font-weight:400;color:var(--soft)}
section,details.raw{background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:1.1rem 1.25rem;margin-top:1rem}
.top{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:.9rem 1.5rem}
.top dt{color:var(--soft);font-size:.8rem}
.top dd{margin:0;font-weight:600;overflow-wrap:anywhere}
.more{border-top:1px solid var(--line);margin-top:1rem;padding-top:1rem}
.more dd{font-weight:400}
ul.weak{margin:0;padding-left:1.1rem}
ul.chips{list-style:none;display:flex;flex-wrap:wrap;gap:.4rem;margin:0;padding:0}
.chips li{border:1px solid var(--line);border-radius:6px;padding:.1rem .5rem;font-size:.85rem;color:var(--soft)}
.chips .shared{color:var(--good);background:var(--goodbg);border-color:transparent}
.key{color:var(--soft);font-size:.8rem;margin:.6rem 0 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.88rem}
th{text-align:left;font-weight:500;color:var(--soft);font-size:.8rem}
th,td{padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
code,pre,.num{font:.85em/1.5 ui-monospace,SFMono-Regular,Menlo,monospace}
td.value{overflow-wrap:anywhere;min-width:16rem}
.yes{color:var(--good)}.warn{color:var(--bad)}
.badge{background:var(--badbg);color:var(--bad);border-radius:5px;padding:.05rem .4rem;font-size:.8rem}
summary{cursor:pointer;color:var(--accent)}
details pre{overflow-x:auto;margin:.75rem 0 0;font-size:.8rem}
td details pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0}
"""


def respond(program: Program, link: ServedConnection, request: Request, note: str | None = None) -> Response:
    """The answer to any request; `note` is a sentence on what was done for it."""
    if request.method not in METHODS:
        refused = text_response(405, f"{request.method[:40]} is not answered here, GET and HEAD are\r\n")
        refused.fields.append(("Allow", ", ".join(METHODS)))
        return refused
    session = getattr(link.application, "session", None)
    facts = page_facts(program, link, session) | {"note": note}
    if wants_json(request):
        body = json.dumps(facts, indent=2) + "\n"
        return Response(200, [("Content-type", "application/json"), *SAFETY], BytesBody(body.encode()))
    verdict = link.verdict if isinstance(link.verdict, VerifyResult) else None
    text = page_text(program, link.connection.negotiated, session, verdict)
    page = render(facts, f"{shlex.join(sys.argv[1:])}\n{text}")
    fields = [("Content-type", "text/html; charset=utf-8"), *SAFETY]
    return Response(200, fields, BytesBody(page.encode("utf-8", "backslashreplace")))


def wants_json(request: Request) -> bool:
    """Whether the request names JSON among what it accepts, and HTML not before it (RFC 9110 §12.5.1)."""
    for word in request.value("accept").split(","):
        kind, *parameters = (part.strip().lower() for part in word.split(";"))
        if kind in {"text/html", "application/xhtml+xml"}:
            return False
        if kind == "application/json":
            return "q=0" not in parameters
    return False


def render(facts: Facts, text: str) -> str:
    """The page."""
    hello = facts["client_hello"]
    parts = [
        _note(facts["note"]),
        _summary(facts),
        _weak(facts["weak"]),
        *([] if hello is None else [_suites(hello), _groups(hello), _schemes(hello), _extensions(hello)]),
        _certificate(facts["client_certificate"]),
        _rest(facts),
        f'<details class="raw"><summary>As OpenSSL’s s_server prints it</summary>\n<pre>\n{_e(text)}</pre></details>',
    ]
    title = f"{facts['connection']['protocol']} with {facts['connection']['cipher']['name']}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_e(title)}</title><style>{STYLE}</style></head>\n<body><main>\n<header><h1>Your connection</h1>"
        f"<p>{_e(facts['program'])} · client {_e(facts['client']['address'])}</p></header>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main></body></html>\r\n\r\n"
    )


def _summary(facts: Facts) -> str:
    connection = facts["connection"]
    main = [
        ("version", "Protocol", connection["protocol"]),
        ("suite", "Cipher suite", connection["cipher"]["name"]),
        ("group", "Key exchange group", connection["group"] or connection["key_exchange"] or "none"),
        ("alpn", "Application protocol (ALPN)", connection["alpn"] or "none negotiated"),
    ]
    more = [
        ("resumed", "Session", "resumed" if connection["resumed"] else "new"),
        ("sni", "Server name (SNI)", connection["server_name"] or "not sent"),
        ("signature", "Signature of the server", connection["server_signature"] or "none (resumed)"),
        ("early", "Early data", connection["early_data"]),
    ]
    if connection["hello_retried"]:
        more.append(("retry", "HelloRetryRequest", "sent"))
    for name, title in (
        ("extended_master_secret", "Extended master secret"),
        ("encrypt_then_mac", "Encrypt-then-MAC"),
        ("secure_renegotiation", "Secure renegotiation"),
    ):
        if connection[name] is not None:
            more.append((name, title, "yes" if connection[name] else "no"))
    for name, title in (
        ("record_size_limit", "Record size limit"),
        ("certificate_compression", "Certificate compression"),
    ):
        if connection[name] is not None:
            more.append((name, title, str(connection[name])))
    return f'<section><dl class="top">{_terms(main)}</dl><dl class="top more">{_terms(more)}</dl></section>'


def _terms(rows: Iterable[tuple[str, str, str]]) -> str:
    return "".join(
        f'<div><dt>{_e(title)}</dt><dd id="{name}">{_e(value)}</dd></div>' for name, title, value in rows
    )


def _note(note: str | None) -> str:
    return "" if note is None else f'<section id="note">{_e(note)}</section>'


def _weak(sentences: list[str]) -> str:
    if not sentences:
        return '<section id="weak"><h2>What is weak</h2><p class="yes">Nothing that this server knows of.</p></section>'
    rows = "".join(f"<li>{_e(sentence)}</li>" for sentence in sentences)
    return f'<section id="weak"><h2>What is weak</h2><ul class="weak">{rows}</ul></section>'


def _suites(hello: Facts) -> str:
    rows = "".join(_suite_row(**each) for each in hello["cipher_suites"])
    return (
        f'<section id="offered-suites"><h2>Cipher suites that your client offers <small>in its order</small></h2>'
        '<div class="scroll"><table><thead><tr><th>Number</th><th>Name</th><th>Name in OpenSSL</th>'
        f"<th>Shared</th><th>Weakness</th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


@lru_cache(maxsize=1024)
def _suite_row(code: str, name: str, openssl_name: str | None, weak: str | None, shared: bool) -> str:
    return (
        f'<tr><td class="num">{_e(code)}</td><td>{_e(name)}</td>'
        f"<td>{_e(openssl_name or '')}</td><td>{_yes(shared)}</td><td>{_badge(weak)}</td></tr>"
    )


def _groups(hello: Facts) -> str:
    shares = ", ".join(hello["key_shares"])
    note = f'<p class="key">Key shares sent: {_e(shares)}</p>' if shares else ""
    versions = "".join(f"<li>{_e(version)}</li>" for version in hello["versions"])
    offered = f'<section id="offered-versions"><h2>Versions</h2><ul class="chips">{versions}</ul></section>'
    return (
        f'{offered if versions else ""}<section id="offered-groups"><h2>Groups</h2>'
        f"{_chips(hello['groups'])}{note}</section>"
    )


def _schemes(hello: Facts) -> str:
    return (
        '<section id="offered-signatures"><h2>Signature schemes</h2>'
        f'{_chips(hello["signature_schemes"])}<p class="key">Green: shared with this server</p></section>'
    )


def _chips(entries: Iterable[Facts]) -> str:
    rows = "".join(_chip(**each) for each in entries)
    return f'<ul class="chips">{rows or "<li>none</li>"}</ul>'


@lru_cache(maxsize=1024)
def _chip(name: str, code: str, shared: bool) -> str:
    return f'<li title="{_e(code)}"{" class=shared" if shared else ""}>{_e(name)}</li>'


def _extensions(hello: Facts) -> str:
    rows = "".join(_extension_row(each) for each in hello["extensions"])
    note = f"in their order; the whole hello has {hello['length']} bytes"
    return (
        f'<section id="extensions"><h2>Extensions <small>{note}</small></h2>'
        '<div class="scroll"><table><thead><tr><th>Type</th><th>Name</th><th>Content</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        f'<p class="key">Random <code>{_e(hello["random"])}</code><br>'
        f"Session ID <code>{_e(hello['session_id'] or '(empty)')}</code></p></section>"
    )


def _extension_row(extension: Facts) -> str:
    make = _kept_row if extension["length"] <= LONGEST_KEPT else _row
    return make(**{**extension, "value": tuple(extension["value"])})


def _row(
    *,
    type: int,
    name: str,
    length: int,
    value: tuple[str, ...],
    problem: str | None,
    hex: str,
) -> str:
    """What an extension holds, and behind it its bytes."""
    content = "(empty)"
    if hex:
        badge = "" if problem is None else f" {_badge(problem)}"
        content = (
            f"{_e(', '.join(value))}{badge}"
            f"<details><summary>{length} bytes</summary><pre>{_e(_spaced(hex))}</pre></details>"
        )
    return f'<tr><td class="num">{type}</td><td>{_e(name)}</td><td class="value">{content}</td></tr>'


_kept_row = lru_cache(maxsize=256)(_row)


def _certificate(certificate: Facts | None) -> str:
    if certificate is None:
        return '<section id="client-certificate"><h2>Client certificate</h2><p>None was sent.</p></section>'
    verification = certificate["verification"]
    checked = "not checked" if verification is None else f"{verification['text']} ({verification['code']})"
    rows = [
        ("certificate-subject", "Subject", certificate["subject"] or "(unreadable)"),
        ("certificate-issuer", "Issuer", certificate["issuer"] or "(unreadable)"),
        ("certificate-verification", "Verification", checked),
    ]
    return (
        f'<section id="client-certificate"><h2>Client certificate</h2><dl class="top">{_terms(rows)}</dl>'
        f"<details><summary>PEM</summary><pre>{_e(certificate['pem'])}</pre></details></section>"
    )


def _rest(facts: Facts) -> str:
    session, counts = facts["session"], facts["statistics"]
    rows = [("session-id", "Session ID", session["id"] or "no session was kept")]
    if session["id"]:
        rows += [
            ("session-lifetime", "Lifetime", f"{session['lifetime']} s"),
            ("session-early", "Early data allowed", f"{session['max_early_data']} bytes"),
        ]
    rows += [
        ("accepts", "Handshakes begun", str(counts["accepts"])),
        ("finished", "Handshakes finished", str(counts["finished"])),
        ("hits", "Sessions resumed", str(counts["hits"])),
    ]
    return f'<section id="session"><h2>Session and server</h2><dl class="top">{_terms(rows)}</dl></section>'


def _yes(value: bool) -> str:
    return '<span class="yes">yes</span>' if value else ""


def _badge(text: str | None) -> str:
    return "" if text is None else f'<span class="badge">{_e(text)}</span>'


def _spaced(text: str) -> str:
    return " ".join(text[at : at + 2] for at in range(0, len(text), 2))


def _e(text: object) -> str:
    return html.escape(str(text))
