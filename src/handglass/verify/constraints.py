"""Name constraints (RFC 5280 §4.2.1.10, §6.1.4; RFC 8398 §6 for internationalized mail).

Every certificate's names are held against the constraints of every certificate above it, the anchor's
included. The number of comparisons is bounded: a certificate with too many names under too many constraints
is an error by itself.
"""

from __future__ import annotations

from collections.abc import Callable

from handglass.crypto import der

from . import general_names
from .certificate import Certificate
from .codes import VerifyCode
from .context import Context
from .general_names import GeneralName, GeneralSubtree, NameConstraints
from .identity import COMMON_NAME, EMAIL_ADDRESS, SMTP_UTF8_MAILBOX
from .names import directory_string
from .params import HostFlags

__all__ = ["check_name_constraints", "constraint_problem"]

MAX_COMPARISONS = 1 << 20  # for one certificate under one other, as in OpenSSL
TOTAL_COMPARISONS = 1 << 21  # for the whole chain
OK = VerifyCode.OK
PERMITTED_VIOLATION = VerifyCode.PERMITTED_VIOLATION
UNSUPPORTED_NAME_SYNTAX = VerifyCode.UNSUPPORTED_NAME_SYNTAX


def check_name_constraints(context: Context) -> None:
    """Report names that a certificate above forbids, from the anchor down. Raises Stopped."""
    chain = context.chain
    budget = TOTAL_COMPARISONS
    for depth in range(len(chain) - 1, -1, -1):
        certificate = chain[depth]
        if depth != 0 and certificate.facts.self_issued:
            continue
        if certificate.facts.proxy and not _proxy_name_is_right(certificate):
            context.problem(VerifyCode.PROXY_SUBJECT_NAME_VIOLATION, depth, certificate)
        for above in range(len(chain) - 1, depth, -1):
            constraints = chain[above].facts.name_constraints
            if constraints is None:
                continue
            budget -= _comparisons(certificate, constraints)
            if budget < 0:
                context.problem(VerifyCode.UNSPECIFIED, depth, certificate, "too many names and constraints")
                return
            code = constraint_problem(certificate, constraints)
            if code == OK and depth == 0 and _common_name_counts(certificate, context.params.host_flags):
                code = _common_name_problem(certificate, constraints)
            if code != OK:
                detail = f"by the certificate at depth {above}"
                context.problem(code, depth, certificate, detail)


def constraint_problem(certificate: Certificate, constraints: NameConstraints) -> VerifyCode:
    """Say what constraints have against a certificate's subject and alternative names."""
    subject = certificate.subject
    alternatives = certificate.facts.alternative_names or ()
    if _comparisons(certificate, constraints) > MAX_COMPARISONS:
        return VerifyCode.UNSPECIFIED
    names: list[GeneralName] = []
    if len(subject):
        names.append(GeneralName(general_names.DIRECTORY, subject.encoding, subject))
        for attribute in subject.values(EMAIL_ADDRESS):
            if attribute.tag != der.IA5_STRING:
                # what stands before it is judged first
                return next(
                    filter(None, (_problem(name, constraints) for name in names)), UNSUPPORTED_NAME_SYNTAX
                )
            names.append(GeneralName(general_names.EMAIL, attribute.value))
    names.extend(alternatives)
    return next(filter(None, (_problem(name, constraints) for name in names)), OK)


def _comparisons(certificate: Certificate, constraints: NameConstraints) -> int:
    names = len(certificate.subject) + len(certificate.facts.alternative_names or ())
    return names * (len(constraints.permitted) + len(constraints.excluded))


def _common_name_counts(certificate: Certificate, flags: HostFlags) -> bool:
    if flags & HostFlags.NEVER_CHECK_SUBJECT:
        return False
    alternatives = certificate.facts.alternative_names or ()
    has_host = any(name.kind == general_names.DNS for name in alternatives)
    return bool(flags & HostFlags.ALWAYS_CHECK_SUBJECT) or not has_host


def _common_name_problem(certificate: Certificate, constraints: NameConstraints) -> VerifyCode:
    """Hold common names that look like hosts against the constraints for hosts."""
    for attribute in certificate.subject.values(COMMON_NAME):
        text = directory_string(attribute.tag, attribute.value)
        if text is None:
            continue
        value = text.encode("utf-8", "surrogatepass").rstrip(b"\0")
        if b"\0" in value:
            return UNSUPPORTED_NAME_SYNTAX
        if _looks_like_host(value):
            code = _problem(GeneralName(general_names.DNS, value), constraints)
            if code != OK:
                return code
    return OK


def _looks_like_host(value: bytes) -> bool:
    """Whether these are two labels or more, of letters, digits, "_" and inner hyphens."""
    labels = value.split(b".")
    return len(labels) > 1 and all(
        label
        and label[:1] != b"-"
        and label[-1:] != b"-"
        and label.replace(b"-", b"").replace(b"_", b"a").isalnum()
        for label in labels
    )


def _problem(name: GeneralName, constraints: NameConstraints) -> VerifyCode:
    """Hold one name against all subtrees of its kind: one permitted must match, no excluded may."""
    kind = name.kind
    if name.other is not None and name.other[0] == SMTP_UTF8_MAILBOX:
        kind = general_names.EMAIL
    tried = matched = False
    for subtree in constraints.permitted:
        if not _same_kind(kind, name, subtree):
            continue
        if not subtree.plain:
            return VerifyCode.SUBTREE_MINMAX
        tried = True
        if matched:
            continue
        code = _match(kind, name, subtree.base)
        if code not in {OK, PERMITTED_VIOLATION}:
            return code
        matched = code == OK
    if tried and not matched:
        return PERMITTED_VIOLATION
    for subtree in constraints.excluded:
        if not _same_kind(kind, name, subtree):
            continue
        if not subtree.plain:
            return VerifyCode.SUBTREE_MINMAX
        code = _match(kind, name, subtree.base)
        if code == OK:
            return VerifyCode.EXCLUDED_VIOLATION
        if code != PERMITTED_VIOLATION:
            return code
    return OK


def _same_kind(kind: int, name: GeneralName, subtree: GeneralSubtree) -> bool:
    base = subtree.base
    if kind != base.kind:
        return False
    return kind != general_names.OTHER or (
        name.other is not None and base.other is not None and name.other[0] == base.other[0]
    )


def _match(kind: int, name: GeneralName, base: GeneralName) -> VerifyCode:
    """OK where the name lies in the subtree, PERMITTED_VIOLATION where not, else why that cannot be told."""
    if name.name is not None and base.name is not None:
        return _outcome(name.name.is_under(base.name))
    if kind == general_names.EMAIL and name.other is not None:
        return _international_mail(name.other[1], base.value)
    matcher = _MATCHERS.get(kind)
    return matcher(name.value, base.value) if matcher else VerifyCode.UNSUPPORTED_CONSTRAINT_TYPE


def _outcome(matched: bool) -> VerifyCode:
    return OK if matched else PERMITTED_VIOLATION


def _dns(value: bytes, base: bytes) -> VerifyCode:
    if not base:
        return OK
    end = value[-len(base) :]
    if len(value) < len(base) or end.lower() != base.lower():
        return PERMITTED_VIOLATION
    whole_labels = len(value) == len(base) or base[:1] == b"." or value[-len(base) - 1 : -len(base)] == b"."
    return _outcome(whole_labels)


def _email(value: bytes, base: bytes) -> VerifyCode:
    local, at, host = value.rpartition(b"@")
    if not at:
        return UNSUPPORTED_NAME_SYNTAX
    base_local, base_at, base_host = base.rpartition(b"@")
    if not base_at and base[:1] == b".":
        return _outcome(len(value) > len(base) and value[-len(base) :].lower() == base.lower())
    if base_local:
        if len(base_local) == len(local) and b"\0" in base_local + local:
            return UNSUPPORTED_NAME_SYNTAX
        if base_local != local:
            return PERMITTED_VIOLATION
    return _outcome(host.lower() == base_host.lower())


def _international_mail(encoded: bytes, base: bytes) -> VerifyCode:
    """Compare an SmtpUTF8Mailbox; the constraint's host has A-labels, the mailbox U-labels (RFC 8398 §6)."""
    try:
        element = der.parse(encoded)
        value = element.expect(der.UTF8_STRING, "mailbox").content.decode()
        base_text = base.decode("ascii")
    except (der.DerError, UnicodeDecodeError):
        return UNSUPPORTED_NAME_SYNTAX
    local, at, host = value.rpartition("@")
    if not at or "\0" in base_text:
        return UNSUPPORTED_NAME_SYNTAX
    base_local, base_at, base_host = base_text.rpartition("@")
    try:
        wanted = ".".join(_to_unicode(label) for label in base_host.split("."))
    except ValueError:
        return VerifyCode.UNSPECIFIED
    if not base_at and wanted.startswith("."):
        return _outcome(_fold(host).endswith(_fold(wanted)))
    if base_local and base_local != local:
        return PERMITTED_VIOLATION
    return _outcome(_fold(host) == _fold(wanted))


def _to_unicode(label: str) -> str:
    return label[4:].encode("ascii").decode("punycode") if label[:4].lower() == "xn--" else label


def _fold(text: str) -> str:
    return "".join(chr(ord(character) + 32) if "A" <= character <= "Z" else character for character in text)


def _uri(value: bytes, base: bytes) -> VerifyCode:
    """Compare the host of a URI that has an authority (RFC 3986 §3.2)."""
    _scheme, colon, rest = value.partition(b":")
    if not colon or rest[:2] != b"//":
        return UNSUPPORTED_NAME_SYNTAX
    host = rest[2:]
    host = host[: host.index(b":")] if b":" in host else host.partition(b"/")[0]
    if not host:
        return UNSUPPORTED_NAME_SYNTAX
    if base[:1] == b".":
        return _outcome(len(host) > len(base) and host[-len(base) :].lower() == base.lower())
    return _outcome(host.lower() == base.lower())


def _ip(value: bytes, base: bytes) -> VerifyCode:
    if len(value) not in {4, 16} or len(base) not in {8, 32}:
        return UNSUPPORTED_NAME_SYNTAX
    if len(value) * 2 != len(base):
        return PERMITTED_VIOLATION
    address, network, mask = (
        int.from_bytes(part, "big") for part in (value, base[: len(value)], base[len(value) :])
    )
    return _outcome(address & mask == network & mask)


def _proxy_name_is_right(certificate: Certificate) -> bool:
    """Whether a proxy's subject is its issuer's name and one common name more (RFC 3820 §3.4)."""
    subject, issuer = certificate.subject, certificate.issuer
    if len(subject) < 2 or len(subject) != len(issuer) + 1:
        return False
    last, before = subject.attributes[-1], subject.attributes[-2]
    return last.rdn != before.rdn and last.oid == COMMON_NAME and subject.canonical[:-1] == issuer.canonical


_MATCHERS: dict[int, Callable[[bytes, bytes], VerifyCode]] = {
    general_names.DNS: _dns,
    general_names.EMAIL: _email,
    general_names.URI: _uri,
    general_names.IP: _ip,
}
