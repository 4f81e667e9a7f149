"""Bytes as OpenSSL's programs show them."""

from __future__ import annotations


def dump(data: bytes, indent: str = "") -> str:
    """Sixteen bytes to a line with their offset and their characters, as BIO_dump writes them."""
    lines = []
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        numbers = "".join(f"{byte:02x}{'-' if at == 7 else ' '}" for at, byte in enumerate(row))
        if len(row) <= 7:
            numbers = numbers.ljust(48)
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{indent}{start:04x} - {numbers:<48}  {text}\n")
    return "".join(lines)


def plain(data: bytes, indent: str = "    ") -> str:
    """Sixteen bytes to a line and nothing else, as -msg writes them."""
    return "".join(indent + data[start : start + 16].hex(" ") + "\n" for start in range(0, len(data), 16))
