"""Does a certificate name this host, mail address or IP address (X509_check_host(3), RFC 6125, RFC 9525).

Names are compared as bytes: what the certificate holds on one side, what the user gave, as A-labels, on the
other.
"""

from __future__ import annotations

from collections.abc import Callable

from handglass.crypto import der

from . import general_names as general
from .certificate import Certificate
from .codes import VerifyCode
from .context import Context
from .names import directory_string
from .params import NO_HOST_FLAGS, HostFlags

__all__ = ["check_names", "matches_email", "matches_host", "matches_ip"]

COMMON_NAME, EMAIL_ADDRESS = "2.5.4.3", "1.2.840.113549.1.9.1"
SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9"
MAX_NAMES = 4096  # alternative names that are compared
MAX_SHOWN, MAX_SHOWN_TEXT = 6, 100  # names that are told where none fits, characters of each

_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
Equal = Callable[[bytes, bytes, HostFlags], bool]


def check_names(context: Context) -> None:
    """Report the names asked for that the leaf does not bear. Raises Stopped."""
    params, leaf = context.params, context.leaf
    if params.hosts:
        found = (matches_host(leaf, host, params.host_flags) for host in params.hosts)
        context.peername = next((name for name in found if name is not None), None)
        if context.peername is None:
            detail = _absent(" or ".join(params.hosts), leaf, general.DNS, COMMON_NAME)
            context.problem(VerifyCode.HOSTNAME_MISMATCH, 0, leaf, detail)
    if params.email is not None and not matches_email(leaf, params.email):
        detail = _absent(params.email, leaf, general.EMAIL, EMAIL_ADDRESS)
        context.problem(VerifyCode.EMAIL_MISMATCH, 0, leaf, detail)
    if params.ip is not None and not matches_ip(leaf, params.ip):
        detail = _absent(general.GeneralName(general.IP, params.ip), leaf, general.IP)
        context.problem(VerifyCode.IP_ADDRESS_MISMATCH, 0, leaf, detail)


def _absent(
    wanted: str | general.GeneralName, certificate: Certificate, kind: int, attribute: str | None = None
) -> str:
    """Say that a name is not in a certificate, and which ones of its kind are."""
    from .extension_text import general_name  # noqa: PLC0415 - printing is slow to load, and rarely needed

    words = wanted if isinstance(wanted, str) else general_name(wanted)
    names = [each for each in certificate.facts.alternative_names or () if each.kind == kind]
    found = list(map(general_name, names[:MAX_SHOWN]))
    if not names and attribute is not None:
        entries = certificate.subject.values(attribute)[:MAX_SHOWN]
        found = [text for entry in entries if (text := entry.text) and text.isprintable()]
    shown = ", ".join(text if len(text) <= MAX_SHOWN_TEXT else f"{text[:MAX_SHOWN_TEXT]}…" for text in found)
    more = f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
    return f"{words} is not in it; it names {shown or 'none of this kind'}{more}"


def matches_host(certificate: Certificate, host: str, flags: HostFlags = NO_HOST_FLAGS) -> str | None:
    """Give the name in the certificate that stands for `host`, None if there is none.

    A host that begins with a dot means all names below it.
    """
    equal = _equal_fold if flags & HostFlags.NO_WILDCARDS else _equal_wildcard
    return _search(certificate, host.encode(), general.DNS, COMMON_NAME, equal, flags=flags)


def matches_email(certificate: Certificate, address: str) -> bool:
    """Whether the certificate bears a mail address; the part before "@" is compared with its case."""
    return _search(certificate, address.encode(), general.EMAIL, EMAIL_ADDRESS, _equal_email) is not None


def matches_ip(certificate: Certificate, address: bytes) -> bool:
    """Whether the certificate bears an IP address of 4 or 16 bytes; the subject does not count."""
    return any(
        name.kind == general.IP and name.value == address
        for name in (certificate.facts.alternative_names or ())[:MAX_NAMES]
    )


def _search(
    certificate: Certificate,
    wanted: bytes,
    kind: int,
    attribute: str,
    equal: Equal,
    *,
    flags: HostFlags = NO_HOST_FLAGS,
) -> str | None:
    present = False
    if b"\0" in wanted:
        return None
    for name in (certificate.facts.alternative_names or ())[:MAX_NAMES]:
        value = _value(name, kind)
        if value is None:
            continue
        present = True
        if value and equal(value, wanted, flags):
            return value.decode("latin-1" if name.kind == kind else "utf-8", "replace")
    if present and not flags & HostFlags.ALWAYS_CHECK_SUBJECT:
        return None
    if flags & HostFlags.NEVER_CHECK_SUBJECT:
        return None
    for entry in certificate.subject.values(attribute):
        text = directory_string(entry.tag, entry.value)
        if text and equal(text.encode("utf-8", "surrogatepass"), wanted, flags):
            return text
    return None


def _value(name: general.GeneralName, kind: int) -> bytes | None:
    """Give the bytes of an alternative name of the wanted kind; for mail also those of RFC 8398."""
    if name.kind == kind:
        return name.value
    if kind == general.EMAIL and name.other is not None and name.other[0] == SMTP_UTF8_MAILBOX:
        try:
            value = der.parse(name.other[1])
        except der.DerError:
            return None
        return value.content if value.tag == der.UTF8_STRING else None
    return None


# --- comparing ------------------------------------------------------------------------------------


def _without_prefix(pattern: bytes, wanted: bytes, flags: HostFlags) -> bytes:
    """For a wanted ".example.org".

    The end of the pattern that is as long, if what is before it may be there.
    """
    if not (len(wanted) > 1 and wanted[:1] == b"."):
        return pattern
    extra = max(len(pattern) - len(wanted), 0)
    prefix = pattern[:extra]
    if b"\0" in prefix or (flags & HostFlags.SINGLE_LABEL_SUBDOMAINS and b"." in prefix):
        return pattern
    return pattern[extra:]


def _equal_fold(pattern: bytes, wanted: bytes, flags: HostFlags) -> bool:
    pattern = _without_prefix(pattern, wanted, flags)
    return len(pattern) == len(wanted) and b"\0" not in pattern and pattern.lower() == wanted.lower()


def _equal_email(pattern: bytes, wanted: bytes, _flags: HostFlags) -> bool:
    if len(pattern) != len(wanted):
        return False
    at = max(pattern.rfind(b"@"), wanted.rfind(b"@"))
    if at <= 0:
        return pattern == wanted
    domain = pattern[at:]
    return b"\0" not in domain and domain.lower() == wanted[at:].lower() and pattern[:at] == wanted[:at]


def _equal_wildcard(pattern: bytes, wanted: bytes, flags: HostFlags) -> bool:
    star = None
    if not (len(wanted) > 1 and wanted[:1] == b"."):
        star = _star(pattern, flags)
    if star is None:
        return _equal_fold(pattern, wanted, flags)
    return _wildcard_matches(pattern[:star], pattern[star + 1 :], wanted, flags)


def _star(pattern: bytes, flags: HostFlags) -> int | None:
    """Where the one star of a permissible pattern stands: in the first label, at its start or end."""
    if pattern.count(b"*") != 1 or pattern.count(b".") < 2:
        return None
    labels = pattern.split(b".")
    first = labels[0]
    if b"*" not in first or first[:4].lower() == b"xn--":
        return None
    if first != b"*" and (flags & HostFlags.NO_PARTIAL_WILDCARDS or first[0] != 42 != first[-1]):
        return None
    for index, label in enumerate(labels):
        rest = label.replace(b"*", b"") if index == 0 else label
        if not label or label[:1] == b"-" or rest[-1:] == b"-" or not set(rest) <= _LETTERS | {0x2D}:
            return None
    return first.index(b"*")


def _wildcard_matches(prefix: bytes, suffix: bytes, wanted: bytes, flags: HostFlags) -> bool:
    if len(wanted) < len(prefix) + len(suffix):
        return False
    end = len(wanted) - len(suffix)
    covered = wanted[len(prefix) : end]
    if prefix.lower() != wanted[: len(prefix)].lower() or suffix.lower() != wanted[end:].lower():
        return False
    whole_label = not prefix and suffix[:1] == b"."
    if whole_label and not covered:
        return False
    if not whole_label and wanted[:4].lower() == b"xn--":
        return False
    if covered == b"*":
        return True
    allowed = _LETTERS | {0x2D}
    if whole_label and flags & HostFlags.MULTI_LABEL_WILDCARDS:
        allowed |= {0x2E}
    return set(covered) <= allowed
