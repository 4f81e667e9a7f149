"""Printing distinguished names with the switches of `-nameopt` (openssl-namedisplay-options(1)).

The flags are bits with OpenSSL's meanings (X509_NAME_print_ex(3), ASN1_STRING_print_ex(3)): which
separators, which form of the attribute type, which characters are escaped and how, what is dumped in
hexadecimal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from handglass.crypto import der

from . import objects
from .names import Attribute, Name

__all__ = ["COMPAT", "MULTILINE", "ONELINE", "RFC2253", "apply_options", "format_name", "heading", "oneline"]

ESC_2253, ESC_CTRL, ESC_MSB, ESC_QUOTE = 0x1, 0x2, 0x4, 0x8
UTF8_CONVERT, IGNORE_TYPE, SHOW_TYPE = 0x10, 0x20, 0x40
DUMP_ALL, DUMP_UNKNOWN, DUMP_DER, ESC_2254 = 0x80, 0x100, 0x200, 0x400
SEP_COMMA_PLUS, SEP_CPLUS_SPC, SEP_SPLUS_SPC, SEP_MULTILINE = 1 << 16, 2 << 16, 3 << 16, 4 << 16
SEP_MASK = 0xF << 16
DN_REV = 1 << 20
FN_SN, FN_LN, FN_OID, FN_NONE = 0, 1 << 21, 2 << 21, 3 << 21
FN_MASK = 3 << 21
SPC_EQ, DUMP_UNKNOWN_FIELDS, FN_ALIGN = 1 << 23, 1 << 24, 1 << 25
ESCAPES = ESC_2253 | ESC_2254 | ESC_QUOTE | ESC_CTRL | ESC_MSB

COMPAT = 0
_STRINGS_2253 = ESC_2253 | ESC_CTRL | ESC_MSB | UTF8_CONVERT | DUMP_UNKNOWN | DUMP_DER
RFC2253 = _STRINGS_2253 | SEP_COMMA_PLUS | DN_REV | FN_SN | DUMP_UNKNOWN_FIELDS
ONELINE = _STRINGS_2253 | ESC_QUOTE | SEP_CPLUS_SPC | SPC_EQ | FN_SN
MULTILINE = ESC_CTRL | ESC_MSB | SEP_MULTILINE | SPC_EQ | FN_LN | FN_ALIGN

_EVERYTHING = 0xFFFFFFFF
# option: bits to set, bits to clear before
_OPTIONS: dict[str, tuple[int, int]] = {
    "esc_2253": (ESC_2253, 0),
    "esc_2254": (ESC_2254, 0),
    "esc_ctrl": (ESC_CTRL, 0),
    "esc_msb": (ESC_MSB, 0),
    "use_quote": (ESC_QUOTE, 0),
    "utf8": (UTF8_CONVERT, 0),
    "ignore_type": (IGNORE_TYPE, 0),
    "show_type": (SHOW_TYPE, 0),
    "dump_all": (DUMP_ALL, 0),
    "dump_nostr": (DUMP_UNKNOWN, 0),
    "dump_der": (DUMP_DER, 0),
    "compat": (COMPAT, _EVERYTHING),
    "sep_comma_plus": (SEP_COMMA_PLUS, SEP_MASK),
    "sep_comma_plus_space": (SEP_CPLUS_SPC, SEP_MASK),
    "sep_semi_plus_space": (SEP_SPLUS_SPC, SEP_MASK),
    "sep_multiline": (SEP_MULTILINE, SEP_MASK),
    "dn_rev": (DN_REV, 0),
    "nofname": (FN_NONE, FN_MASK),
    "sname": (FN_SN, FN_MASK),
    "lname": (FN_LN, FN_MASK),
    "align": (FN_ALIGN, 0),
    "oid": (FN_OID, FN_MASK),
    "space_eq": (SPC_EQ, 0),
    "dump_unknown": (DUMP_UNKNOWN_FIELDS, 0),
    "rfc2253": (RFC2253, _EVERYTHING),
    "oneline": (ONELINE, _EVERYTHING),
    "multiline": (MULTILINE, _EVERYTHING),
    "ca_default": (MULTILINE, _EVERYTHING),
}


def apply_options(flags: int, options: str) -> int | None:
    """Give the flags after one `-nameopt` argument (a comma list; `-x` clears, `+x` and `x` set).

    `flags` starts as 0 for the first argument. None when an option is unknown.
    """
    for option in options.split(","):
        word = option.strip().lower()
        clear = word.startswith("-")
        facts = _OPTIONS.get(word[1:] if word[:1] in {"-", "+"} else word)
        if facts is None:
            return None
        bits, mask = facts
        flags = flags & ~bits if clear else flags & ~mask | bits
    if flags != COMPAT and not flags & SEP_MASK:
        flags |= SEP_CPLUS_SPC
    return flags


def heading(title: str, name: Name, flags: int) -> str:
    """`title` and the name as s_client's "subject=" lines have them.

    Compat in slashes, multiline on lines of its own.
    """
    if flags == COMPAT:
        return title + oneline(name)
    if flags & SEP_MASK == SEP_MULTILINE:
        return title + "\n" + format_name(name, flags, 4)
    return title + format_name(name, flags)


def format_name(name: Name, flags: int, indent: int = 0) -> str:
    """Give the name as X509_NAME_print_ex(3) prints it.

    Control characters come out as the flags have them.
    """
    if flags == COMPAT:
        return _compat(oneline(name))
    between, within = _SEPARATORS[flags & SEP_MASK]
    margin = " " * indent if flags & SEP_MASK == SEP_MULTILINE else ""
    out = [" " * indent]
    previous: Attribute | None = None
    for attribute in reversed(name.attributes) if flags & DN_REV else name.attributes:
        if previous is not None:
            out.append(within if previous.rdn == attribute.rdn else between + margin)
        previous = attribute
        out.append(_field_name(attribute, flags))
        out.append(_value(attribute, flags))
    # Up to here a character is a byte of the output, which is UTF-8 if the flags make it so.
    return "".join(out).encode("latin-1").decode("utf-8", "backslashreplace")


def oneline(name: Name) -> str:
    """Give the name between slashes (X509_NAME_oneline(3)): "/C=XX/O=Lab"."""
    out = []
    previous: Attribute | None = None
    for attribute in name.attributes:
        out.append("+" if previous is not None and previous.rdn == attribute.rdn else "/")
        out.append(objects.short_name(attribute.oid) or attribute.oid)
        out.append("=")
        value = _octets(attribute)
        if attribute.tag == der.GENERAL_STRING and len(value) % 4 == 0:
            planes = [any(value[column::4]) for column in range(4)]
            if not any(planes[:3]):
                value = value[3::4]
        out.extend(_slashed(byte) for byte in value)
        previous = attribute
    return "".join(out)


def _slashed(byte: int) -> str:
    """Escape what would end or join attributes, and what is not ASCII."""
    if not 0x20 <= byte <= 0x7E:
        return f"\\x{byte:02X}"
    return "\\" + chr(byte) if byte in b"/+" else chr(byte)


def _compat(slashed: str) -> str:
    """Print as X509_NAME_print(3): a slash before one or two capitals and "=" becomes a comma."""
    return re.sub("/(?=[A-Z]{1,2}=)", ", ", slashed[1:])


def _field_name(attribute: Attribute, flags: int) -> str:
    form = flags & FN_MASK
    if form == FN_NONE:
        return ""
    equals = " = " if flags & SPC_EQ else "="
    known = objects.short_name(attribute.oid) if form == FN_SN else objects.long_name(attribute.oid)
    if form == FN_OID or known is None:
        return attribute.oid + equals
    width = 0 if not flags & FN_ALIGN else 10 if form == FN_SN else 25
    return known.ljust(width) + equals


def _value(attribute: Attribute, flags: int) -> str:
    prefix = (
        _TAG_NAMES.get(attribute.tag, f"<ASN1 {attribute.tag & 0x1F}>") + ":" if flags & SHOW_TYPE else ""
    )
    unknown_type = objects.short_name(attribute.oid) is None and bool(flags & DUMP_UNKNOWN_FIELDS)
    width: int | None
    if flags & DUMP_ALL or unknown_type:
        width = None
    elif flags & IGNORE_TYPE:
        width = 1
    else:
        width = _WIDTHS.get(attribute.tag)
        if width is None and not flags & DUMP_UNKNOWN:
            width = 1
    if width is None:
        return prefix + _dump(attribute, flags)
    characters = _characters(_octets(attribute), width)
    if characters is None:
        return prefix
    return prefix + _escaped(characters, width, flags)


def _octets(attribute: Attribute) -> bytes:
    """Give the bytes that stand for the value, of a structure all, of a bit string those after its first."""
    if attribute.tag & 0x20:
        return attribute.encoding
    if attribute.tag != der.BIT_STRING or not attribute.value:
        return attribute.value
    unused, octets = attribute.value[0], attribute.value[1:]
    return octets[:-1] + bytes((octets[-1] & 0xFF << unused & 0xFF,)) if octets and unused < 8 else octets


def _dump(attribute: Attribute, flags: int) -> str:
    return "#" + (attribute.encoding if flags & DUMP_DER else _octets(attribute)).hex().upper()


def _characters(value: bytes, width: int) -> list[int] | None:
    """Code points; None for bytes that are no text of that width (0 is UTF-8)."""
    if width:
        if len(value) % width:
            return None
        return [int.from_bytes(value[at : at + width], "big") for at in range(0, len(value), width)]
    try:
        return list(map(ord, value.decode("utf-8", "surrogatepass")))
    except UnicodeDecodeError:
        return None


def _escaped(characters: list[int], width: int, flags: int) -> str:
    out: list[str] = []
    quote = False
    last = len(characters) - 1
    for at, character in enumerate(characters):
        edge = ""
        if flags & ESC_2253:
            edge = "last" if at == last else "first" if at == 0 else ""
        for unit in _units(character, width, flags):
            text, wants_quotes = _escape(unit, edge, flags)
            out.append(text)
            quote = quote or wants_quotes
    return f'"{"".join(out)}"' if quote else "".join(out)


def _units(character: int, width: int, flags: int) -> Iterator[int]:
    """Give what is escaped one by one: the bytes of UTF-8 after conversion, else the character."""
    if flags & UTF8_CONVERT and width:
        yield from chr(character).encode("utf-8", "surrogatepass") if character < 0x110000 else b"?"
    elif flags & UTF8_CONVERT:
        yield from chr(character).encode("utf-8", "surrogatepass")
    else:
        yield character


def _escape(unit: int, edge: str, flags: int) -> tuple[str, bool]:
    """Give the printed form of one unit, and whether it asks for quotes round the value."""
    if unit > 0xFFFF:
        return f"\\W{unit:08X}", False
    if unit > 0xFF:
        return f"\\U{unit:04X}", False
    character = chr(unit)
    if unit > 0x7F:
        return (f"\\{unit:02X}" if flags & ESC_MSB else character), False
    special = flags & ESC_2253 and (
        character in ',+"\\<>;'
        or (edge == "first" and character in " #")
        or (edge == "last" and character == " ")
    )
    if special:
        if flags & ESC_QUOTE and character not in '"\\':
            return character, True
        return "\\" + character, False
    control = unit < 0x20 or unit == 0x7F
    if (control and flags & ESC_CTRL) or (flags & ESC_2254 and character in "()*\\\0"):
        return f"\\{unit:02X}", False
    if character == "\\" and flags & ESCAPES:
        return "\\\\", False
    return character, False


_SEPARATORS = {
    SEP_COMMA_PLUS: (",", "+"),
    SEP_CPLUS_SPC: (", ", " + "),
    SEP_SPLUS_SPC: ("; ", " + "),
    SEP_MULTILINE: ("\n", " + "),
}
_WIDTHS = {
    der.UTF8_STRING: 0,
    der.NUMERIC_STRING: 1,
    der.PRINTABLE_STRING: 1,
    der.T61_STRING: 1,
    der.IA5_STRING: 1,
    der.UTC_TIME: 1,
    der.GENERALIZED_TIME: 1,
    der.VISIBLE_STRING: 1,
    der.UNIVERSAL_STRING: 4,
    der.BMP_STRING: 2,
}
_TAG_NAMES = {
    0x01: "BOOLEAN",
    0x02: "INTEGER",
    0x03: "BIT STRING",
    0x04: "OCTET STRING",
    0x05: "NULL",
    0x06: "OBJECT",
    0x0A: "ENUMERATED",
    0x0C: "UTF8STRING",
    0x12: "NUMERICSTRING",
    0x13: "PRINTABLESTRING",
    0x14: "T61STRING",
    0x15: "VIDEOTEXSTRING",
    0x16: "IA5STRING",
    0x17: "UTCTIME",
    0x18: "GENERALIZEDTIME",
    0x19: "GRAPHICSTRING",
    0x1A: "VISIBLESTRING",
    0x1B: "GENERALSTRING",
    0x1C: "UNIVERSALSTRING",
    0x1E: "BMPSTRING",
    0x30: "SEQUENCE",
    0x31: "SET",
}
