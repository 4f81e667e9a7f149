"""Writes the encode function of a class, and says what is wrong with a value that cannot be encoded.

Strategy: as in `decoder`, one unrolled function. Neighbouring numbers, lengths among them, are packed at
once; the pieces are joined once per vector. What does not fit makes `struct` or a bound fail, and only then
the values are looked through to name the one at fault.
"""

from __future__ import annotations

import struct as binary
from collections.abc import Callable, Sized
from typing import TYPE_CHECKING, Any

from handglass.wire.decoder import FORMATS, Malformed
from handglass.wire.errors import EncodeError
from handglass.wire.fields import (
    Fixed,
    Kind,
    Nested,
    Opaque,
    Optional,
    Point,
    Rest,
    Select,
    Uint,
    Vector,
    prefix_size,
)

if TYPE_CHECKING:
    from handglass.wire.struct import Struct


def encoder_of(cls: type[Struct]) -> Callable[[Struct], bytes]:
    """Write and compile the encode function of `cls`."""
    writer = _Writer()
    for name, kind in cls.grammar():
        writer.write(kind, f"self.{name}")
    source = "\n".join(
        [
            "def encode(self):",
            " try:",
            *(f"  {line}" for line in writer.lines),
            f"  return {writer.joined()}",
            " except failures:",
            "  raise explain(self) from None",
        ]
    )
    scope = writer.scope
    scope |= {
        "pack": binary.pack,
        "Malformed": Malformed,
        "failures": (Malformed, binary.error, OverflowError, ValueError),
        "explain": explain,
    }
    exec(compile(source, f"<encode {cls.__name__}>", "exec"), scope)
    encode: Callable[[Struct], bytes] = scope["encode"]
    return encode


class _Writer:
    """Lines of code under construction, and the pieces that the result is to be joined from."""

    def __init__(self, parent: _Writer | None = None) -> None:
        self.lines: list[str] = []
        self.scope: dict[str, Any] = {} if parent is None else parent.scope
        self.counter: list[int] = [0] if parent is None else parent.counter
        self.pieces: list[tuple[str, str]] = []
        """Format and expression of a number; or no format, and an expression for bytes."""

    def name(self, stem: str) -> str:
        self.counter[0] += 1
        return f"{stem}{self.counter[0]}"

    def write(self, kind: Kind, expression: str) -> None:
        """Write the encoding of the value that `expression` gives."""
        match kind:
            case Uint(size):
                self.number(size, expression)
            case Point(registry):
                self.number(registry.size, expression)
            case Fixed(size):
                value = self.variable(expression)
                self.lines.append(f"if len({value}) != {size}: raise Malformed")
                self.pieces.append(("", value))
            case Opaque(minimum, maximum):
                self.counted(self.variable(expression), minimum, maximum)
            case Vector(minimum, maximum, Kind() as item):
                self.counted(self.vector(item, expression), minimum, maximum)
            case Nested(struct):
                value = self.variable(expression)
                for name, inner in struct.grammar():
                    self.write(inner, f"{value}.{name}")
            case Optional(inner):
                self.optional(inner, self.variable(expression))
            case Rest():
                self.pieces.append(("", expression))
            case Select():
                value = self.variable(expression)
                self.pieces.append(("", f"({value}.encode() if hasattr({value}, 'encode') else {value})"))
            case _:
                raise TypeError(f"{kind!r} cannot be encoded")

    def variable(self, expression: str) -> str:
        """Keep the value in a variable."""
        if expression.isidentifier():
            return expression
        name = self.name("v")
        self.lines.append(f"{name} = {expression}")
        return name

    def number(self, size: int, expression: str) -> None:
        if size in FORMATS:
            self.pieces.append((FORMATS[size], expression))
        else:
            self.pieces.append(("", f"{expression}.to_bytes({size}, 'big')"))

    def counted(self, value: str, minimum: int, maximum: int) -> None:
        """Put the length before the bytes in the variable `value`."""
        size = prefix_size(maximum)
        length = self.name("n")
        self.lines.append(f"{length} = len({value})")
        bounds = []
        if minimum:
            bounds.append(f"{length} < {minimum}")
        if maximum < (1 << 8 * size) - 1:
            bounds.append(f"{length} > {maximum}")
        if bounds:
            self.lines.append(f"if {' or '.join(bounds)}: raise Malformed")
        self.number(size, length)
        self.pieces.append(("", value))

    def vector(self, item: Kind, expression: str) -> str:
        """Write the encoding of the items; return the variable that holds the bytes."""
        size = item.size if isinstance(item, Uint) else item.registry.size if isinstance(item, Point) else 0
        body = self.name("b")
        if size == 1:
            self.lines.append(f"{body} = bytes({expression})")
        elif size in FORMATS:
            value = self.variable(expression)
            self.lines.append(f"{body} = pack('>%d{FORMATS[size]}' % len({value}), *{value})")
        else:
            inner = _Writer(self)
            element = self.name("x")
            inner.write(item, element)
            items = self.name("items")
            self.lines.append(f"{items} = []")
            self.lines.append(f"for {element} in {expression}:")
            self.lines += [f" {line}" for line in inner.lines]
            self.lines.append(f" {items}.append({inner.joined()})")
            self.lines.append(f"{body} = b''.join({items})")
        return body

    def optional(self, kind: Kind, value: str) -> None:
        inner = _Writer(self)
        inner.write(kind, value)
        body = self.name("b")
        self.lines.append(f"{body} = b''")
        self.lines.append(f"if {value} is not None:")
        self.lines += [f" {line}" for line in inner.lines]
        self.lines.append(f" {body} = {inner.joined()}")
        self.pieces.append(("", body))

    def joined(self) -> str:
        """Give one expression for all pieces."""
        expressions: list[str] = []
        form, arguments = "", list[str]()
        for piece, expression in [*self.pieces, ("", "")]:
            if piece:
                form += piece
                arguments.append(expression)
                continue
            if arguments:
                self.scope[f"pack_{form}"] = binary.Struct(f">{form}").pack
                expressions.append(f"pack_{form}({', '.join(arguments)})")
                form, arguments = "", []
            if expression:
                expressions.append(expression)
        if not expressions:
            return "b''"
        if len(expressions) == 1:
            # A field given as a bytearray or memoryview must still come out as bytes.
            return expressions[0] if arguments_only(self.pieces) else f"bytes({expressions[0]})"
        return f"b''.join(({', '.join(expressions)}))"


def arguments_only(pieces: list[tuple[str, str]]) -> bool:
    """Tell whether all pieces are numbers, so that packing them gives bytes."""
    return all(form for form, _ in pieces)


def explain(value: Struct) -> EncodeError:
    """Find out which value does not fit in its field."""
    return _find(value, "") or EncodeError("", "cannot be encoded")


def _find(struct: Struct, path: str) -> EncodeError | None:
    for name, kind in type(struct).grammar():
        inside = f"{path}.{name}" if path else name
        error = _check(kind, getattr(struct, name), inside)
        if error is not None:
            return error
    return None


def _check(kind: Kind, value: Any, path: str) -> EncodeError | None:
    match kind:
        case Uint(size):
            return _check_number(size, value, path)
        case Point(registry):
            return _check_number(registry.size, value, path)
        case Fixed(size) if len(value) != size:
            return EncodeError(path, f"has {len(value)} bytes, must have {size}")
        case Opaque(minimum, maximum):
            return _check_length(value, minimum, maximum, path)
        case Vector(minimum, maximum, Kind() as item):
            for index, element in enumerate(value):
                error = _check(item, element, f"{path}[{index}]")
                if error is not None:
                    return error
            writer = _Writer()
            body = writer.vector(item, "value")
            scope = writer.scope | {"pack": binary.pack, "value": value, "Malformed": Malformed}
            exec("\n".join(writer.lines), scope)
            return _check_length(scope[body], minimum, maximum, path)
        case Nested():
            return _find(value, path)
        case Optional(inner) if value is not None:
            return _check(inner, value, path)
    return None


def _check_number(size: int, value: int, path: str) -> EncodeError | None:
    if 0 <= value < 1 << 8 * size:
        return None
    return EncodeError(path, f"{value} does not fit in {size} bytes")


def _check_length(value: Sized, minimum: int, maximum: int, path: str) -> EncodeError | None:
    if minimum <= len(value) <= maximum:
        return None
    return EncodeError(path, f"has {len(value)} bytes, must have {minimum} to {maximum}")
