"""Extensions as OpenSSL prints them (X509V3_EXT_print(3)): in words where they are known, as they stand elsewhere.

Each printer gets the value's outermost element and returns lines without indentation; whatever it cannot read
falls back to the bytes with dots for what is no text, as OpenSSL does with unknown extensions. OpenSSL's text
differs between its versions in small ways; this is 3.0's, save that a line feed which it forgets is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from handglass.crypto import der

from . import nameopt, names, objects
from .extensions import Extension
from .general_names import (
    DIRECTORY,
    DNS,
    EMAIL,
    IP,
    OTHER,
    REGISTERED,
    URI,
    DistributionPoint,
    GeneralName,
    NameConstraints,
    read_general_names,
)
from .names import directory_string
from .sct import SctSource, read_list
from .sct_text import timestamp_text
from .times import Time

__all__ = ["extension_lines"]

Printer = Callable[[der.Element], list[str]]
_MAX_SHOWN = 8192

_KEY_USAGE = (
    "Digital Signature",
    "Non Repudiation",
    "Key Encipherment",
    "Data Encipherment",
    "Key Agreement",
    "Certificate Sign",
    "CRL Sign",
    "Encipher Only",
    "Decipher Only",
)
_NETSCAPE = (
    "SSL Client",
    "SSL Server",
    "S/MIME",
    "Object Signing",
    "Unused",
    "SSL CA",
    "S/MIME CA",
    "Object Signing CA",
)
_REASONS = (
    "Unused",
    "Key Compromise",
    "CA Compromise",
    "Affiliation Changed",
    "Superseded",
    "Cessation Of Operation",
    "Certificate Hold",
    "Privilege Withdrawn",
    "AA Compromise",
)
_FEATURES = {5: "status_request", 17: "status_request_v2"}


def extension_lines(extensions: Iterable[Extension], indent: int) -> list[str]:
    """Return the lines of extensions: a heading for each, its text four columns further in."""
    lines = []
    for extension in extensions:
        name = objects.long_name(extension.oid) or extension.oid
        lines.append(f"{' ' * indent}{name}: {'critical' if extension.critical else ''}")
        margin = " " * (indent + 4)
        lines += [margin + line if line else line for line in _value_lines(extension)]
    return lines


def _value_lines(extension: Extension) -> list[str]:
    printer = _PRINTERS.get(extension.oid)
    try:
        if printer is not None:
            return printer(der.parse(extension.value))
    except (der.DerError, ValueError, IndexError):
        pass
    # OpenSSL lets line feeds through, with which a peer could write lines of our report.
    return ["".join(chr(byte) if 32 <= byte < 127 else "." for byte in extension.value[:_MAX_SHOWN])]


# --- names
# ------------------------------------------------------------------------------------------------------------


def general_name(name: GeneralName, *, directory_oneline: bool = False) -> str:
    """Return one name: "DNS:a.test", "IP Address:1.2.3.4", "DirName:/C=XX/CN=dir"."""
    if name.kind == IP:
        return f"IP Address:{_address(name.value)}"
    if name.kind == DIRECTORY and name.name is not None:
        text = name.name.format() if directory_oneline else nameopt.oneline(name.name)
        return f"DirName:{text}"
    if name.kind == REGISTERED:
        oid = der.decode_oid(name.value)
        return f"Registered ID:{objects.long_name(oid) or oid}"
    if name.kind == OTHER and name.other is not None:
        return _other_name(*name.other)
    label = {DNS: "DNS", EMAIL: "email", URI: "URI"}.get(name.kind)
    if label is None:
        return {3: "X400Name:<unsupported>", 5: "EdiPartyName:<unsupported>"}.get(name.kind, "<unsupported>")
    return f"{label}:{_visible(name.value)}"


def _other_name(oid: str, value: bytes) -> str:
    element = der.parse(value)
    text = directory_string(element.tag, element.content)
    return f"othername: {objects.long_name(oid) or oid}::{text if text is not None else '<unsupported>'}"


def _visible(value: bytes) -> str:
    """Return text from a peer that is safe for a terminal."""
    return "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02X}" for byte in value)


def _address(value: bytes) -> str:
    if len(value) == 4:
        return ".".join(map(str, value))
    if len(value) == 16:
        return ":".join(f"{value[at] << 8 | value[at + 1]:X}" for at in range(0, 16, 2))
    return "<invalid>"


def _network(value: bytes) -> str:
    half = len(value) // 2
    return f"{_address(value[:half])}/{_address(value[half:])}"


# --- one printer for each kind
# ----------------------------------------------------------------------------------------


def _basic_constraints(element: der.Element) -> list[str]:
    fields = element.expect(der.SEQUENCE, "basic constraints").children()
    ca = any(field.tag == der.BOOLEAN and any(field.content) for field in fields)
    lengths = [f", pathlen:{der.integer(field.content)}" for field in fields if field.tag == der.INTEGER]
    return [f"CA:{'TRUE' if ca else 'FALSE'}{''.join(lengths)}"]


def _bits(names: tuple[str, ...]) -> Printer:
    def printer(element: der.Element) -> list[str]:
        return [", ".join(_named_bits(element.expect(der.BIT_STRING, "bits").content, names))]

    return printer


def _named_bits(content: bytes, names: tuple[str, ...]) -> list[str]:
    return [
        name
        for number, name in enumerate(names)
        if 1 + number // 8 < len(content) and content[1 + number // 8] & 0x80 >> number % 8
    ]


def _purposes(element: der.Element) -> list[str]:
    oids = [der.decode_oid(item.expect(der.OID, "purpose").content) for item in element.children()]
    return [", ".join(objects.long_name(oid) or oid for oid in oids)]


def _octets(element: der.Element) -> list[str]:
    return [element.expect(der.OCTET_STRING, "identifier").content.hex(":").upper()]


def _authority_key(element: der.Element) -> list[str]:
    fields = element.expect(der.SEQUENCE, "authority key identifier").children()
    lines = []
    for field in fields:
        if field.tag == 0x80:
            prefix = "keyid:" if len(fields) > 1 else ""
            lines.append(prefix + field.content.hex(":").upper())
        elif field.tag == 0xA1:
            lines += map(general_name, read_general_names(field, 0xA1))
        elif field.tag == 0x82:
            lines.append("serial:" + (field.content.lstrip(b"\0") or b"\0").hex(":").upper())
    return lines


def _names(element: der.Element) -> list[str]:
    return [", ".join(map(general_name, read_general_names(element)))]


def _access(element: der.Element) -> list[str]:
    lines = []
    for item in element.expect(der.SEQUENCE, "access").children():
        kind, location = item.children()
        oid = der.decode_oid(kind.content)
        lines.append(f"{objects.long_name(oid) or oid} - {general_name(GeneralName.read(location))}")
    return lines


def _points(element: der.Element) -> list[str]:
    lines: list[str] = []
    for point, raw in zip(DistributionPoint.read_list(element), element.children(), strict=True):
        if point.names is not None:
            lines.append("Full Name:")
            lines += (f"  {general_name(name, directory_oneline=True)}" for name in point.names)
        elif point.relative is not None:
            relative = point.resolved(names.EMPTY).directory
            lines += ["Relative Name:", f"  {relative.format() if relative else ''}"]
        for field in raw.children():
            if field.tag == 0x81:
                lines += ["Reasons:", f"  {', '.join(_named_bits(field.content, _REASONS))}"]
        if point.issuer:
            lines.append("CRL Issuer:")
            lines += (f"  {general_name(name, directory_oneline=True)}" for name in point.issuer)
    return lines


def _policies(element: der.Element) -> list[str]:
    lines: list[str] = []
    for item in element.expect(der.SEQUENCE, "policies").children():
        fields = item.children()
        oid = der.decode_oid(fields[0].expect(der.OID, "policy").content)
        lines.append(f"Policy: {objects.long_name(oid) or oid}")
        for qualifier in fields[1].children() if len(fields) > 1 else ():
            kind, value = qualifier.children()
            lines += _qualifier(der.decode_oid(kind.content), value)
    return lines


def _qualifier(oid: str, value: der.Element) -> list[str]:
    if oid == "1.3.6.1.5.5.7.2.1":
        return [f"  CPS: {_visible(value.content)}"]
    if oid != "1.3.6.1.5.5.7.2.2":
        return [f"  Unknown Qualifier: {oid}"]
    lines = ["  User Notice:"]
    for field in value.children():
        if field.tag == der.SEQUENCE:
            organisation, numbers = field.children()
            listed = [str(der.integer(number.content)) for number in numbers.children()]
            lines.append(f"    Organization: {_text(organisation)}")
            lines.append(f"    Number{'s' if len(listed) > 1 else ''}: {', '.join(listed)}")
        else:
            lines.append(f"    Explicit Text: {_text(field)}")
    return lines


def _text(element: der.Element) -> str:
    text = directory_string(element.tag, element.content)
    return _visible(element.content) if text is None or not text.isprintable() else text


def _policy_constraints(element: der.Element) -> list[str]:
    names = {0x80: "Require Explicit Policy", 0x81: "Inhibit Policy Mapping"}
    fields = element.expect(der.SEQUENCE, "policy constraints").children()
    return [
        ", ".join(
            f"{names[field.tag]}:{der.integer(field.content)}" for field in fields if field.tag in names
        )
    ]


def _mappings(element: der.Element) -> list[str]:
    pairs = [[der.decode_oid(oid.content) for oid in item.children()] for item in element.children()]
    return [", ".join(":".join(objects.long_name(oid) or oid for oid in pair) for pair in pairs)]


def _integer(element: der.Element) -> list[str]:
    return [str(der.integer(element.expect(der.INTEGER, "number").content))]


def _name_constraints(element: der.Element) -> list[str]:
    constraints = NameConstraints.read(element)
    lines: list[str] = []
    for title, trees in (("Permitted", constraints.permitted), ("Excluded", constraints.excluded)):
        if trees:
            lines.append(f"{title}:")
        for tree in trees:
            text = f"IP:{_network(tree.base.value)}" if tree.base.kind == IP else general_name(tree.base)
            lines.append(f"  {text}")
    return lines


def _features(element: der.Element) -> list[str]:
    numbers = [der.integer(item.content) for item in element.expect(der.SEQUENCE, "features").children()]
    return [", ".join(_FEATURES.get(number, str(number)) for number in numbers)]


def _period(element: der.Element) -> list[str]:
    parts = []
    for field in element.expect(der.SEQUENCE, "private key usage period").children():
        time = Time.read(der.parse(der.encode(der.GENERALIZED_TIME, field.content)))
        parts.append(f"{'Not After' if field.tag == 0x81 else 'Not Before'}: {time.text}")
    return [", ".join(parts)]


def _nothing(element: der.Element) -> list[str]:
    element.expect(der.NULL, "no check")
    return [""]


def _comment(element: der.Element) -> list[str]:
    return [_visible(element.content)]


def _timestamps(source: SctSource) -> Printer:
    def printer(element: der.Element) -> list[str]:
        listed = read_list(element.expect(der.OCTET_STRING, "timestamps").content, source)
        return [line for each in listed for line in timestamp_text(each).split("\n")]

    return printer


def _nonce(element: der.Element) -> list[str]:
    return [element.encoding.hex().upper()]


_PRINTERS: dict[str, Printer] = {
    "2.5.29.19": _basic_constraints,
    "2.5.29.15": _bits(_KEY_USAGE),
    "2.5.29.37": _purposes,
    "2.5.29.14": _octets,
    "2.5.29.35": _authority_key,
    "2.5.29.17": _names,
    "2.5.29.18": _names,
    "1.3.6.1.5.5.7.1.1": _access,
    "1.3.6.1.5.5.7.1.11": _access,
    "2.5.29.31": _points,
    "2.5.29.46": _points,
    "2.5.29.32": _policies,
    "2.5.29.36": _policy_constraints,
    "2.5.29.33": _mappings,
    "2.5.29.16": _period,
    "2.5.29.54": _integer,
    "2.5.29.20": _integer,
    "2.5.29.27": _integer,
    "2.5.29.30": _name_constraints,
    "1.3.6.1.5.5.7.1.24": _features,
    "1.3.6.1.5.5.7.48.1.5": _nothing,
    "1.3.6.1.5.5.7.48.1.2": _nonce,
    "2.16.840.1.113730.1.1": _bits(_NETSCAPE),
    **{f"2.16.840.1.113730.1.{number}": _comment for number in (2, 3, 4, 7, 8, 12, 13)},
    "1.3.6.1.4.1.11129.2.4.2": _timestamps(SctSource.CERTIFICATE),
    "1.3.6.1.4.1.11129.2.4.5": _timestamps(SctSource.OCSP),
}
