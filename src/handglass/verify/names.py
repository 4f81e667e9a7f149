"""Distinguished names: read, compared, printed (X.501, RFC 5280 §4.1.2.4 and §7.1, RFC 2253).

A name keeps its attributes exactly as they were encoded. Comparison goes through OpenSSL's canonical form,
in which text is UTF-8, in lower case, with white space trimmed and collapsed; RFC 5280 §7.1 asks for (a
profile of) that. Printing knows every switch of `-nameopt` (openssl-namedisplay-options(1)); each switch is
a bit of `NameFlags`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from handglass.crypto import der
from handglass.records import dataclass

__all__ = ["EMPTY", "Attribute", "Name", "directory_string"]

MAX_ATTRIBUTES = 4096  # attributes in one name


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its type's dotted identifier, the tag and bytes of its value.

    `rdn` counts its RDN from 0.

    `encoding` is the DER of the value, header included.
    """

    oid: str
    tag: int
    value: bytes
    rdn: int
    encoding: bytes

    @property
    def text(self) -> str | None:
        """The value as text, None where it is none."""
        return directory_string(self.tag, self.value)


class Name:
    """A distinguished name. Equal when OpenSSL finds it equal (X509_NAME_cmp(3))."""

    def __init__(
        self, encoding: bytes, attributes: tuple[Attribute, ...], problems: tuple[str, ...] = ()
    ) -> None:
        self.encoding = encoding
        self.attributes = attributes
        self.problems = problems

    @classmethod
    def read(cls, element: der.Element) -> Name:
        """Give a name of any quality: what cannot be read stands in `problems`."""
        attributes: list[Attribute] = []
        problems: list[str] = []
        try:
            for rdn, part in enumerate(element.expect(der.SEQUENCE, "name").children()):
                for pair in part.expect(der.SET, "relative distinguished name").children():
                    attributes.append(_attribute(pair, rdn))
                    if len(attributes) > MAX_ATTRIBUTES:
                        raise der.DerError(f"more than {MAX_ATTRIBUTES} attributes")
        except der.DerError as problem:
            problems.append(f"name: {problem}")
        problems += filter(None, map(_value_problem, attributes))
        return cls(element.encoding, tuple(attributes), tuple(problems))

    def __len__(self) -> int:
        return len(self.attributes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Name) and (
            self.encoding == other.encoding or self.canonical == other.canonical
        )

    def __hash__(self) -> int:
        return hash(self.canonical)

    def __str__(self) -> str:
        return self.format()

    def __repr__(self) -> str:
        return f"<Name {self.format()}>"

    def rdns(self) -> Iterator[list[Attribute]]:
        """Give the attributes, RDN by RDN."""
        group: list[Attribute] = []
        for attribute in self.attributes:
            if group and attribute.rdn != group[0].rdn:
                yield group
                group = []
            group.append(attribute)
        if group:
            yield group

    def values(self, oid: str) -> list[Attribute]:
        """Give the attributes of one type, in order."""
        return [attribute for attribute in self.attributes if attribute.oid == oid]

    @cached_property
    def canonical(self) -> tuple[bytes, ...]:
        """The canonical form.

        The DER of each RDN, its text values folded (OpenSSL's canon_enc, cut at its RDNs).
        """
        parts = []
        for group in self.rdns():
            pairs = sorted(
                der.encode(
                    der.SEQUENCE, der.encode(der.OID, der.encode_oid(attribute.oid)) + _folded(attribute)
                )
                for attribute in group
            )
            parts.append(der.encode(der.SET, b"".join(pairs)))
        return tuple(parts)

    def is_under(self, base: Name) -> bool:
        """Whether this name begins with all the RDNs of `base` (RFC 5280 §4.2.1.10)."""
        return self.canonical[: len(base.canonical)] == base.canonical

    def format(self, flags: int | None = None, indent: int = 0) -> str:
        """Give the name in the manner of `flags` (`handglass.verify.nameopt`).

        The default is s_client's "oneline".
        """
        from . import nameopt  # noqa: PLC0415 - printing is not needed to judge

        return nameopt.format_name(self, nameopt.ONELINE if flags is None else flags, indent)


def directory_string(tag: int, value: bytes) -> str | None:
    """Give the text of a string type; None for another type and for bytes that are no text of it."""
    codec = _TEXT_CODECS.get(tag)
    if codec is None:
        return None
    try:
        return value.decode(codec)
    except UnicodeDecodeError:
        return None


def _attribute(pair: der.Element, rdn: int) -> Attribute:
    fields = pair.expect(der.SEQUENCE, "attribute").children()
    if len(fields) != 2:
        raise der.DerError(f"an attribute of {len(fields)} fields at offset {pair.start}")
    oid = der.decode_oid(fields[0].expect(der.OID, "attribute type").content)
    return Attribute(oid, fields[1].tag, fields[1].content, rdn, fields[1].encoding)


def _value_problem(attribute: Attribute) -> str:
    """Say what is wrong with an attribute's value; "" if nothing is."""
    if attribute.tag in _TEXT_CODECS and attribute.text is None:
        return f"name: the value of {attribute.oid} is no text of its type"
    if attribute.tag not in _VALUES:
        return f"name: the value of {attribute.oid} has tag 0x{attribute.tag:02x}, that of no string"
    if attribute.tag == der.BIT_STRING and (attribute.value or b"\xff")[0] > 7:
        return f"name: the value of {attribute.oid} is no bit string"
    return ""


def _folded(attribute: Attribute) -> bytes:
    if attribute.tag not in _FOLDED:
        return attribute.encoding
    text = attribute.text
    if text is None:
        return attribute.encoding
    raw = text.encode("utf-8", "surrogatepass")
    return der.encode(der.UTF8_STRING, b" ".join(raw.lower().split()))


_TEXT_CODECS = {
    der.UTF8_STRING: "utf-8",
    der.NUMERIC_STRING: "latin-1",
    der.PRINTABLE_STRING: "latin-1",
    der.T61_STRING: "latin-1",
    der.IA5_STRING: "latin-1",
    der.VISIBLE_STRING: "latin-1",
    der.BMP_STRING: "utf-16-be",
    der.UNIVERSAL_STRING: "utf-32-be",
}
_VALUES = {*_TEXT_CODECS, der.BIT_STRING, der.SEQUENCE, 0x07, 0x08, 0x09, 0x0B, 0x0D, 0x0E, 0x0F, 0x1D}
_VALUES -= {der.VISIBLE_STRING}
"""Tags that OpenSSL reads the value of an attribute with."""
_FOLDED = set(_TEXT_CODECS) - {der.NUMERIC_STRING}
EMPTY = Name(b"\x30\x00", ())
