"""PEM: the labelled blocks of base64 in a text, in any order, with anything around them.

The reader finds every block, says in which line it begins and keeps what stands in its header lines; a block
that cannot be decoded becomes an entry with a problem instead of an error, so that the caller can say what it
looked for and what it met. Fast enough for a system's whole trust bundle on each start.

Source: RFC 7468; RFC 1421 §4.6 for the header lines of encrypted traditional keys.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator

from handglass.records import dataclass

_BEGIN = b"-----BEGIN "
_DASHES = b"-----"
_SPACES = b" \t\r\n\v\f"
_MAX_LABEL = 64
_MAX_HEADERS = 16


@dataclass(frozen=True, slots=True)
class PemBlock:
    """One block: label ("CERTIFICATE"), header lines, decoded bytes, first line, what is wrong."""

    label: str
    headers: tuple[tuple[str, str], ...]
    data: bytes
    line: int
    problem: str | None = None

    @property
    def encrypted(self) -> bool:
        """Whether its header lines say that the bytes are encrypted (traditional private keys)."""
        return any(name == "Proc-Type" and "ENCRYPTED" in value for name, value in self.headers)


def pem_blocks(text: bytes) -> Iterator[PemBlock]:
    """Yield the blocks of `text` in their order. UTF-16 with a byte order mark (Windows) is read too."""
    if text[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        text = text.decode("utf-16", "replace").encode("ascii", "replace")
    offset, line, counted = 0, 1, 0
    while (begin := text.find(_BEGIN, offset)) >= 0:
        line += text.count(b"\n", counted, begin)
        counted = begin
        label_start = begin + len(_BEGIN)
        label_end = text.find(_DASHES, label_start, label_start + _MAX_LABEL + len(_DASHES))
        if label_end < 0 or b"\n" in text[label_start:label_end]:
            offset = label_start
            continue
        label = text[label_start:label_end]
        body_start = label_end + len(_DASHES)
        end = text.find(b"-----END " + label + _DASHES, body_start)
        following = text.find(_BEGIN, body_start)
        if end < 0 or 0 <= following < end:
            yield PemBlock(_text(label), (), b"", line, f"the block that begins in line {line} does not end")
            offset = body_start
            continue
        yield _block(_text(label), text[body_start:end], line)
        offset = end + len(label) + 14


def _block(label: str, body: bytes, line: int) -> PemBlock:
    headers: tuple[tuple[str, str], ...] = ()
    if b":" in body:
        headers, body = _split_headers(body)
    try:
        data = binascii.a2b_base64(body.translate(None, _SPACES), strict_mode=True)
    except binascii.Error as problem:
        sentence = f"the base64 of the block that begins in line {line} is damaged: {problem}"
        return PemBlock(label, headers, b"", line, sentence)
    return PemBlock(label, headers, data, line)


def _split_headers(body: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Cut "Name: value" lines, which end with an empty line, off the front."""
    headers: list[tuple[str, str]] = []
    lines = body.strip(b" \t\r\n").split(b"\n")
    while lines and b":" in lines[0] and len(headers) < _MAX_HEADERS:
        name, _, value = lines.pop(0).partition(b":")
        while lines and lines[0][:1] in {b" ", b"\t"} and lines[0].strip():
            value += b" " + lines.pop(0).strip()
        headers.append((_text(name.strip()), _text(value.strip())))
    return tuple(headers), b"\n".join(lines)


def _text(data: bytes) -> str:
    return data.decode("ascii", "backslashreplace")


def encode_pem(label: str, data: bytes, headers: tuple[tuple[str, str], ...] = ()) -> str:
    """Return `data` as a PEM block that ends with a newline, 64 characters to a line."""
    head = "".join(f"{name}: {value}\n" for name, value in headers)
    text = binascii.b2a_base64(data, newline=False).decode()
    body = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    blank = "\n" if head else ""
    return f"-----BEGIN {label}-----\n{head}{blank}{body}\n-----END {label}-----\n"
