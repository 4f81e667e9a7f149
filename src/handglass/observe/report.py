"""The report of s_client on a connection, block by block, in the layout of OpenSSL's program.

Each block takes what is known and says nothing of what is not: where no certificate came there is no chain, where
nothing was verified no line says "ok".
"""

from __future__ import annotations

from collections.abc import Sequence

from handglass.crypto import der
from handglass.crypto.containers import certificates_to_pem
from handglass.handshake.session import Session
from handglass.handshake.state import CertificateRequestFacts, Negotiated
from handglass.observe import labels
from handglass.observe.session_text import session_text, shown_session_id
from handglass.records import dataclass, field
from handglass.registry.code_points import (
    CertificateType,
    ClientCertificateType,
    ProtocolVersion,
    SignatureScheme,
)
from handglass.verify.certificate import Certificate
from handglass.verify.codes import text_of
from handglass.verify.nameopt import ONELINE, format_name, heading
from handglass.verify.names import Name
from handglass.verify.result import VerifyResult

TYPE_NAMES = {
    ClientCertificateType.RSA_SIGN: "RSA sign",
    ClientCertificateType.DSS_SIGN: "DSA sign",
    ClientCertificateType.RSA_FIXED_DH: "RSA fixed DH",
    ClientCertificateType.DSS_FIXED_DH: "DSS fixed DH",
    ClientCertificateType.ECDSA_SIGN: "ECDSA sign",
    ClientCertificateType.RSA_FIXED_ECDH: "RSA fixed ECDH",
    ClientCertificateType.ECDSA_FIXED_ECDH: "ECDSA fixed ECDH",
}


@dataclass(slots=True)
class Facts:
    """What a report is about. `verdict` is None where nothing was verified; bytes are counted on the wire."""

    agreed: Negotiated
    verdict: VerifyResult | None
    bytes_read: int
    bytes_written: int
    signature_schemes: Sequence[SignatureScheme]
    """What we accept, for the list of shared ones."""
    name_flags: int = ONELINE
    show_certificates: bool = False
    established: bool = True
    matched: str | None = None
    """The line on the TLSA record that matched."""
    raw_key_wanted: bool = False
    """Whether the server was told that it may show a raw public key."""
    timestamps: str = ""
    """The block of signed certificate timestamps, if they are wanted."""
    earlier: int | None = None
    """The outcome (X509_V_…) that the resumed session brings from where it began."""
    keying_material: str = field(default="", repr=False)
    """The block of exported keying material, if it is wanted."""
    chain: list[Certificate] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.chain:
            self.chain = [Certificate(data) for data in self.agreed.peer_certificates]


def full_report(facts: Facts) -> str:
    """Everything that is known, from the chain to the session."""
    parts = []
    agreed = facts.agreed
    if not (agreed.resumed and facts.established):
        parts.append(certificate_chain(facts))
    parts.append(server_certificate(facts) + raw_keys(facts))
    if agreed.version is not None:
        parts.append("---\n" + requests(facts) + signature_lines(facts) + facts.timestamps)
    return "".join(part for part in parts if part) + summary(facts)


def short_report(facts: Facts) -> str:
    """What -reconnect shows of every connection after the first: no certificates."""
    lines = "".join(line + "\n" for line in verification_lines(facts))
    return lines + "---\n" + agreement(facts, with_key=False)


def certificate_chain(facts: Facts) -> str:
    """What the server sent, in its order: subject, issuer, key, validity, and PEM if wanted."""
    if not facts.chain:
        return ""
    lines = ["---", "Certificate chain"]
    for number, certificate in enumerate(facts.chain):
        lines.append(f"{number:2d} s:{format_name(certificate.subject, facts.name_flags)}")
        lines.append(f"   i:{format_name(certificate.issuer, facts.name_flags)}")
        lines.append(f"   a:{certificate.key_text}")
        lines.append(f"   v:{certificate.validity_text}")
        lines += [f"   !:{problem}" for problem in certificate.problems]
        if facts.show_certificates:
            lines.append(certificates_to_pem([certificate.der]).rstrip("\n"))
    return "\n".join(lines) + "\n"


def server_certificate(facts: Facts) -> str:
    """The server's own certificate as PEM, its subject and its issuer."""
    if not facts.chain:
        return "---\nno peer certificate available\n"
    leaf = facts.chain[0]
    lines = ["---", "Server certificate"]
    if not facts.show_certificates:
        lines.append(certificates_to_pem([leaf.der]).rstrip("\n"))
    lines.append(heading("subject=", leaf.subject, facts.name_flags))
    lines.append(heading("issuer=", leaf.issuer, facts.name_flags))
    return "\n".join(lines) + "\n"


def raw_keys(facts: Facts) -> str:
    """Who shows a raw public key (RFC 7250), and the server's."""
    agreed = facts.agreed
    lines = []
    if agreed.client_certificate_type == CertificateType.RAW_PUBLIC_KEY:
        lines.append("Client-to-server raw public key negotiated")
    if agreed.server_certificate_type == CertificateType.RAW_PUBLIC_KEY:
        lines.append("Server-to-client raw public key negotiated")
    if facts.raw_key_wanted:
        lines.append("Server raw public key" if agreed.peer_public_key else "no peer rpk available")
    text = "".join(line + "\n" for line in lines)
    return text + raw_key_text(agreed)


def raw_key_text(agreed: Negotiated) -> str:
    """The peer's raw public key; nothing if it showed none."""
    if not agreed.peer_public_key:
        return ""
    from handglass.verify.certificate_text import public_key_text  # noqa: PLC0415 - few peers show one

    return public_key_text(agreed.peer_public_key, 2)


def requests(facts: Facts) -> str:
    """Whether a client certificate was asked for, of whom, in which form, and what became of it."""
    request = facts.agreed.certificate_request
    if request is None or not request.authorities:
        lines = ["No client certificate CA names sent"]
    else:
        lines = ["Acceptable client certificate CA names"]
        lines += [_name(name, facts.name_flags) for name in request.authorities]
    if request is None:
        return "\n".join(lines) + "\n"
    if request.certificate_types:
        names = [
            TYPE_NAMES.get(ClientCertificateType(t), f"UNKNOWN ({int(t)})") for t in request.certificate_types
        ]
        lines.append("Client Certificate Types: " + ", ".join(names))
    lines += _schemes(request, facts.signature_schemes)
    lines.append(certificate_request_line(facts.agreed))
    return "\n".join(lines) + "\n"


def certificate_request_line(agreed: Negotiated) -> str:
    """One plain sentence on a request for a client certificate."""
    what = "one was sent" if agreed.client_certificate_sent else "none was sent"
    return f"Client certificate: the server asked for one, {what}"


def signature_lines(facts: Facts) -> str:
    """How the server signed and which ephemeral key it used."""
    agreed = facts.agreed
    lines = []
    if (hashed := labels.signing_digest(agreed.peer_signature_scheme)) is not None:
        lines.append(f"Peer signing digest: {hashed}")
    if (kind := labels.signature_type(agreed.peer_signature_scheme)) is not None:
        lines.append(f"Peer signature type: {kind}")
    fresh = not agreed.resumed or agreed.version == ProtocolVersion.TLS1_3
    if fresh and (key := labels.temporary_key(agreed)) is not None:
        lines.append(f"Server Temp Key: {key}")
    return "".join(line + "\n" for line in lines)


def summary(facts: Facts) -> str:
    """Byte counts, verdict, and what was agreed on; ends where the facts end."""
    lines = [
        "---",
        f"SSL handshake has read {facts.bytes_read} bytes and written {facts.bytes_written} bytes",
    ]
    lines += verification_lines(facts)
    lines.append("---")
    return "\n".join(lines) + "\n" + agreement(facts)


def agreement(facts: Facts, *, with_key: bool = True) -> str:
    """What was agreed on, as far as it came."""
    agreed = facts.agreed
    kind = "Reused" if agreed.resumed else "New"
    suite = labels.suite_name(agreed.suite)
    lines = [f"{kind}, {labels.suite_version(agreed.suite)}, Cipher is {suite}"]
    if agreed.suite is None:
        return f"{lines[0]}\n---\n"
    if facts.chain and with_key:
        lines.append(f"Server public key is {facts.chain[0].public_key.bits} bit")
    not_ = "" if agreed.secure_renegotiation else " NOT"
    lines.append(f"Secure Renegotiation IS{not_} supported")
    lines += ["Compression: NONE", "Expansion: NONE"]
    if agreed.alpn is not None:
        lines.append(f"ALPN protocol: {agreed.alpn.decode('latin-1')}")
    else:
        lines.append("No ALPN negotiated")
    text = "\n".join(lines) + "\n"
    code = return_code(facts)
    if agreed.version == ProtocolVersion.TLS1_3:
        text += f"Early data was {agreed.early_data}\n"
    elif agreed.session is not None:
        return text + own_session(facts, agreed.session) + facts.keying_material + "---\n"
    if code is not None:
        text += f"Verify return code: {code}\n"
    return text + facts.keying_material + "---\n"


def keying_material(label: str, length: int, material: bytes | None) -> str:
    """The block of one export (RFC 5705, RFC 8446 §7.5); None: it cannot be had under this label and length."""
    last = "    Error" if material is None else f"    Keying material: {material.hex().upper()}"
    return f"Keying material exporter:\n    Label: '{label}'\n    Length: {length} bytes\n{last}\n"


def verification_lines(facts: Facts) -> list[str]:
    """`Verification: OK` or the error; nothing where nothing was verified.

    A resumption verifies nothing: what stands then is the outcome that the session remembers, and that it does.
    """
    verdict, earlier = facts.verdict, _earlier(facts)
    if verdict is None:
        if earlier is None:
            return []
        first = f"Verification error: {text_of(earlier)}" if earlier else "Verification: OK"
        return [first, "Verification took place when the session began, not now"]
    if verdict.ok:
        lines = ["Verification: OK"]
        if verdict.peername is not None:
            lines.append(f"Verified peername: {verdict.peername}")
        if facts.matched is not None:
            lines.append(facts.matched)
        return lines
    return [f"Verification error: {text_of(verdict.code)}"]


def return_code(facts: Facts) -> str | None:
    """`20 (unable to get local issuer certificate)`: the last problem, as OpenSSL reports; None if not verified."""
    code = _earlier(facts) if facts.verdict is None else int(facts.verdict.code)
    return None if code is None else f"{code} ({text_of(code)})"


def _earlier(facts: Facts) -> int | None:
    return facts.earlier if facts.agreed.resumed else None


def own_session(facts: Facts, session: Session) -> str:
    """The block of one session of this connection."""
    return session_text(session, session_id=shown_session_id(session), verify_line=return_code(facts))


def ticket_report(facts: Facts, session: Session) -> str:
    """A ticket that came after the handshake (TLS 1.3)."""
    return f"---\nPost-Handshake New Session Ticket arrived:\n{own_session(facts, session)}---\n"


def brief_report(facts: Facts) -> str:
    """The short summary of -brief."""
    agreed = facts.agreed
    lines = [
        "CONNECTION ESTABLISHED",
        f"Protocol version: {labels.version_name(agreed.version)}",
        f"Ciphersuite: {labels.suite_name(agreed.suite)}",
    ]
    request = agreed.certificate_request
    if request is not None and request.signature_schemes:
        lines += _schemes(request, ())[:1]
    if facts.chain:
        lines.append(f"Peer certificate: {format_name(facts.chain[0].subject, facts.name_flags)}")
        if (hashed := labels.signing_digest(agreed.peer_signature_scheme)) is not None:
            lines.append(f"Hash used: {hashed}")
        if (kind := labels.signature_type(agreed.peer_signature_scheme)) is not None:
            lines.append(f"Signature type: {kind}")
        lines += verification_lines(facts)
    elif agreed.peer_public_key:
        lines += ["Peer used raw public key", *verification_lines(facts)]
    else:
        lines.append("No peer certificate")
    if (formats := labels.point_formats(agreed)) is not None:
        lines.append(f"Supported Elliptic Curve Point Formats: {formats}")
    fresh = not agreed.resumed or agreed.version == ProtocolVersion.TLS1_3
    if fresh and (key := labels.temporary_key(agreed)) is not None:
        lines.append(f"Server Temp Key: {key}")
    return "\n".join(lines) + "\n"


def _schemes(request: CertificateRequestFacts, ours: Sequence[SignatureScheme]) -> list[str]:
    wanted = request.signature_schemes
    if not wanted:
        return []
    shared = [scheme for scheme in wanted if scheme in ours]
    return [
        "Requested Signature Algorithms: " + labels.listed(map(labels.scheme_name, wanted)),
        "Shared Requested Signature Algorithms: " + labels.listed(map(labels.scheme_name, shared)),
    ]


def _name(encoded: bytes, flags: int) -> str:
    try:
        return format_name(Name.read(der.read(encoded, 0, len(encoded))), flags)
    except der.DerError:
        return f"(malformed name {encoded[:32].hex()})"
