"""Writes the decode function of a class: strict, and as fast as straight-line Python can be.

Strategy: all structs and vectors of a declaration are unrolled into one function. Neighbouring fields of
fixed size are read with one `unpack_from`. Ends are hardly checked on the way: a slice beyond the end comes
out short, an unpack beyond it fails, and the position only grows, so one comparison at the end of each
vector and of the whole finds every fault. Where the fault is, is the business of the walk, which is asked
only when there is one.

What comes out for `struct { uint16 a; opaque b<1..255>; }`:

    def decode(data):
        if type(data) is not bytes:
            data = bytes(data)
        end = len(data)
        p = 0
        try:
            a, n1 = unpack_HB(data, p)
            p += 3
            if n1 < 1: raise Malformed
            b = data[p:p + n1]
            p += n1
            if p != end: raise Malformed
        except failures:
            raise explain(cls, data) from None
        self = new(Example)
        set_Example_a(self, a)
        set_Example_b(self, b)
        return self
"""

from __future__ import annotations

import struct as binary
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handglass.wire.errors import DecodeError
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
from handglass.wire.node import Walk
from handglass.wire.walker import walk

if TYPE_CHECKING:
    from handglass.wire.struct import Struct

FORMATS = {1: "B", 2: "H", 4: "I", 8: "Q"}
"""The sizes that `struct` knows; the others (3, 6) go through `int.from_bytes`."""


class Malformed(Exception):  # noqa: N818 - never leaves the package
    """Something is wrong somewhere."""


def decoder_of(cls: type[Struct]) -> Callable[[bytes], Struct]:
    """Write and compile the decode function of `cls`."""
    writer = _Writer()
    writer.open("try:")
    build = writer.fields(cls, "self")
    writer.line("if p != end: raise Malformed")
    writer.close("except failures:")
    writer.open()
    writer.line("raise explain(cls, data) from None")
    writer.close()
    for line in build:
        writer.line(line)
    head = [
        "def decode(data):",
        " if type(data) is not bytes:",
        "  data = bytes(data)",
        " end = len(data)",
        " p = 0",
    ]
    source = "\n".join([*head, *writer.lines, " return self"])
    scope = writer.scope
    scope |= {
        "cls": cls,
        "new": object.__new__,
        "unpack": binary.unpack,
        "Malformed": Malformed,
        "failures": (Malformed, DecodeError, binary.error, IndexError),
        "explain": explain,
    }
    exec(compile(source, f"<decode {cls.__name__}>", "exec"), scope)
    decode: Callable[[bytes], Struct] = scope["decode"]
    return decode


def explain(cls: type[Struct], data: bytes) -> DecodeError:
    """Find out what is wrong with bytes that could not be decoded."""
    for node in walk(cls, Walk(data, deep=False), None):
        if node.problem is not None:
            return DecodeError(node.path, node.offset, node.problem)
    return DecodeError("", 0, "does not have the declared form")


class _Writer:
    """Lines of code under construction. `p` is the position in `data` at run time."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 1
        self.names = 0
        self.scope: dict[str, Any] = {}
        self.pending: list[tuple[str, int, str, str]] = []
        """Fields of fixed size that are not read yet: format, size, variable, conversion."""

    def line(self, text: str) -> None:
        self.lines.append(" " * self.depth + text)

    def open(self, text: str = "") -> None:
        if text:
            self.line(text)
        self.depth += 1

    def close(self, text: str = "") -> None:
        self.depth -= 1
        if text:
            self.line(text)

    def name(self, stem: str) -> str:
        self.names += 1
        return f"{stem}{self.names}"

    def known(self, stem: str, value: object) -> str:
        """Give the code a name for an object."""
        self.scope[stem] = value
        return stem

    def fields(self, cls: type[Struct], target: str) -> list[str]:
        """Write the reading of all fields; return the lines that then make the object `target`."""
        build = [f"{target} = new({self.known(cls.__name__, cls)})"]
        variables: dict[str, str] = {}
        for name, kind in cls.grammar():
            variable = self.name("v")
            variables[name] = variable
            self.read(kind, variable, variables)
            setter = self.known(f"set_{cls.__name__}_{name}", vars(_owner(cls, name))[name].__set__)
            build.append(f"{setter}({target}, {variable})")
        self.flush()
        return build

    def read(self, kind: Kind, target: str, variables: dict[str, str]) -> None:
        """Write the reading of one field into the variable `target`."""
        match kind:
            case Uint(size):
                self.number(size, target)
            case Point(registry):
                points = self.known(f"{registry.__name__}_points", registry.points)
                self.number(registry.size, target, f"{points}[{target}]")
            case Fixed(size):
                self.pending.append((f"{size}s", size, target, ""))
            case Opaque(minimum, maximum):
                length = self.length(minimum, maximum)
                self.line(f"{target} = data[p:p + {length}]")
                self.line(f"p += {length}")
            case Vector(minimum, maximum, Kind() as item):
                self.vector(item, target, self.length(minimum, maximum))
            case Nested(struct):
                for line in self.fields(struct, target):
                    self.line(line)
            case Optional(inner):
                self.flush()
                self.line(f"{target} = None")
                self.open("if p < end:")
                self.read(inner, target, variables)
                self.flush()
                self.close()
            case Rest():
                self.flush()
                self.line("if p > end: raise Malformed")
                self.line(f"{target} = data[p:]")
                self.line("p = end")
            case Select(on, cases):
                self.flush()
                self.line("if p > end: raise Malformed")
                case_name = self.name("case")
                self.line(f"{case_name} = {self.known(self.name('cases'), cases)}.get({variables[on]})")
                self.line(f"{target} = data[p:] if {case_name} is None else {case_name}.decode(data[p:])")
                self.line("p = end")
            case _:
                raise TypeError(f"{kind!r} cannot be decoded")

    def number(self, size: int, target: str, conversion: str = "") -> None:
        if size in FORMATS:
            self.pending.append((FORMATS[size], size, target, conversion))
        else:
            self.pending.append((f"{size}s", size, target, f"int.from_bytes({target}, 'big')"))
            if conversion:
                self.flush()
                self.line(f"{target} = {conversion}")

    def length(self, minimum: int, maximum: int) -> str:
        """Write the reading of a length and the check of its bounds."""
        variable = self.name("n")
        size = prefix_size(maximum)
        self.number(size, variable)
        self.flush()
        bounds = []
        if minimum:
            bounds.append(f"{variable} < {minimum}")
        if maximum < (1 << 8 * size) - 1:
            bounds.append(f"{variable} > {maximum}")
        if bounds:
            self.line(f"if {' or '.join(bounds)}: raise Malformed")
        return variable

    def vector(self, item: Kind, target: str, length: str) -> None:
        stop = self.name("e")
        self.line(f"{stop} = p + {length}")
        size = item.size if isinstance(item, Uint) else item.registry.size if isinstance(item, Point) else 0
        if size in FORMATS:
            if size == 1:
                numbers = f"data[p:{stop}]"
            else:
                shift = size.bit_length() - 1
                numbers = f"unpack('>%d{FORMATS[size]}' % ({length} >> {shift}), data[p:{stop}])"
            if isinstance(item, Point):
                getter = self.known(f"{item.registry.__name__}_point", item.registry.points.__getitem__)
                numbers = f"map({getter}, {numbers})"
            self.line(f"{target} = tuple({numbers})")
            self.line(f"p = {stop}")
            return
        items = self.name("items")
        self.line(f"if {stop} > end: raise Malformed")
        self.line(f"{items} = []")
        self.open(f"while p < {stop}:")
        variable = self.name("x")
        self.read(item, variable, {})
        self.flush()
        self.line(f"{items}.append({variable})")
        self.close()
        self.line(f"if p != {stop}: raise Malformed")
        self.line(f"{target} = tuple({items})")

    def flush(self) -> None:
        """Write the reading of the fields that wait for it."""
        pending, self.pending = self.pending, []
        if not pending:
            return
        total = sum(size for _, size, _, _ in pending)
        form, size, target, _ = pending[0]
        if len(pending) > 1:
            form = "".join(form for form, _, _, _ in pending)
            unpack = self.known(f"unpack_{form}", binary.Struct(f">{form}").unpack_from)
            self.line(f"{', '.join(target for _, _, target, _ in pending)} = {unpack}(data, p)")
        elif form == "B":
            self.line(f"{target} = data[p]")
        elif form == "H":
            self.line(f"{target} = data[p] << 8 | data[p + 1]")
        elif form.endswith("s"):
            self.line(f"{target} = data[p:p + {size}]")
        else:
            unpack = self.known(f"unpack_{form}", binary.Struct(f">{form}").unpack_from)
            self.line(f"({target},) = {unpack}(data, p)")
        self.line(f"p += {total}")
        for _, _, target, conversion in pending:
            if conversion:
                self.line(f"{target} = {conversion}")


def _owner(cls: type[Struct], name: str) -> type:
    """Return the class in the ancestry that holds the slot."""
    return next(base for base in cls.__mro__ if name in vars(base).get("__slots__", ()))
