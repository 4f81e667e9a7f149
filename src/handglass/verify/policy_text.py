"""The outcome of policy processing as text, as OpenSSL's programs print it (`-policy_print`)."""

from __future__ import annotations

from collections.abc import Iterator

from handglass.crypto import der

from . import objects
from .policy_facts import Policy, PolicyOutcome

__all__ = ["policy_lines"]

CPS, USER_NOTICE = "1.3.6.1.5.5.7.2.1", "1.3.6.1.5.5.7.2.2"
MAX_QUALIFIERS = 256


def policy_lines(outcome: PolicyOutcome | None) -> list[str]:
    """Give the lines for an outcome; None stands for a verification in which policies were not reached."""
    needed = outcome is not None and outcome.explicit_required
    lines = [f"Require explicit Policy: {needed}"]
    for title, policies in (
        ("Authority", outcome.authority if outcome else None),
        ("User", outcome.user if outcome else None),
    ):
        if policies is None:
            lines.append(f"{title} Policies: <empty>")
            continue
        lines.append(f"{title} Policies:")
        for policy in policies:
            lines += _policy(policy)
    return lines


def _policy(policy: Policy) -> Iterator[str]:
    yield f"  Policy: {objects.long_name(policy.oid) or policy.oid}"
    yield f"    {'Critical' if policy.critical else 'Non Critical'}"
    if policy.qualifiers is None:
        yield "    No Qualifiers"
        return
    try:
        for item in der.parse(policy.qualifiers).children()[:MAX_QUALIFIERS]:
            yield from _qualifier(item)
    except (der.DerError, IndexError):
        yield "    (qualifiers that cannot be read)"


def _qualifier(item: der.Element) -> Iterator[str]:
    """One PolicyQualifierInfo (RFC 5280 §4.2.1.4)."""
    kind, *value = item.children()
    oid = der.decode_oid(kind.content)
    if oid == CPS:
        yield f"    CPS: {_text(value[0])}"
    elif oid == USER_NOTICE:
        yield "    User Notice:"
        yield from _notice(value[0])
    else:
        yield f"      Unknown Qualifier: {objects.long_name(oid) or oid}"


def _notice(notice: der.Element) -> Iterator[str]:
    for field in notice.children():
        if field.tag == der.SEQUENCE:
            organization, numbers = field.children()
            yield f"      Organization: {_text(organization)}"
            listed = [str(der.integer(number.content)) for number in numbers.children()]
            yield f"      Number{'s' if len(listed) > 1 else ''}: {', '.join(listed)}"
        else:
            yield f"      Explicit Text: {_text(field)}"


def _text(element: der.Element) -> str:
    """The characters of a string, byte by byte, without those that would move a terminal's cursor."""
    if element.tag == der.UTF8_STRING:
        text = element.content.decode("utf-8", "replace")
    elif element.tag == der.BMP_STRING:
        text = element.content.decode("utf-16-be", "replace")
    else:
        text = element.content.decode("latin-1")
    return "".join(character if character.isprintable() else "." for character in text)
