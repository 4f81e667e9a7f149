"""Distinguished names: compared and printed as OpenSSL does it."""

from __future__ import annotations

import ctypes
import itertools
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handglass.crypto import der
from handglass.verify import Name, nameopt
from verify.support import build, openssl

needs_library = pytest.mark.skipif(openssl.library() is None, reason="no libcrypto 3.0 is installed")
needs_program = pytest.mark.skipif(
    not openssl.version().startswith("3.0."), reason="no openssl 3.0 is installed"
)

VALUES: list[tuple[str, str | bytes, int | None]] = [
    ("CN", "server.test", None),
    ("CN", " leading and trailing ", None),
    ("CN", "#hash", None),
    ("CN", 'a,b+c"d\\e<f>g;h=i/j', None),
    ("CN", "*()\\ stars", None),
    ("CN", "tab\tnewline\ndel\x7f", None),
    ("CN", "zero\0inside", None),
    ("CN", "", None),
    ("CN", " ", None),
    ("CN", "  ", None),
    ("CN", "#", None),
    ("CN", "Zürich", None),
    ("CN", "Zürich", build.T61),
    ("CN", "Zürich €", build.BMP),
    ("CN", "Zürich €𝄞", build.UNIVERSAL),
    ("CN", "Zürich €𝄞", None),
    ("C", "XX", None),
    ("O", "Lab  of   spaces", None),
    ("emailAddress", "me@example.test", None),
    ("DC", "example", None),
    ("2.5.4.5", "12345", build.PRINTABLE),
    ("1.3.6.1.4.1.311.60.2.1.3", "DE", build.PRINTABLE),
    ("1.2.3.4.5", "unknown type", None),
    ("0.9.2342.19200300.100.1.1", "uid", None),
    ("2.5.4.45", b"\x00\x01\x02", 0x03),
    ("CN", b"\x02\x01\x05", 0x30),
    ("CN", b"octets \xff", 0x04),
    ("CN", b"250101000000Z", 0x17),
    ("CN", b"12 34", build.NUMERIC),
    ("CN", b"general\xe9", 0x1B),
    ("CN", b"\0\0\0g\0\0\0e", 0x1B),
    ("CN", b"visible", 0x1A),
    ("CN", b"\x01", 0x01),
    ("CN", b"\x07", 0x02),
]


def names() -> Iterator[bytes]:
    for value in VALUES:
        yield build.seq(build.set_of(build.attribute(*value)))
    draw = random.Random(5)
    for _ in range(150):
        rdns = []
        for _ in range(draw.randint(0, 5)):
            rdns.append(
                build.set_of(
                    *(build.attribute(*draw.choice(VALUES)) for _ in range(draw.choice((1, 1, 1, 2, 3))))
                )
            )
        yield build.seq(*rdns)


def name(data: bytes) -> Name:
    return Name.read(der.parse(data))


class Library:
    """X509_NAME of the installed library."""

    def __init__(self) -> None:
        self.lib: Any = openssl.library()
        for function in ("d2i_X509_NAME", "BIO_new", "BIO_s_mem", "X509_NAME_oneline"):
            getattr(self.lib, function).restype = ctypes.c_void_p

    def read(self, data: bytes) -> ctypes.c_void_p:
        buffer = ctypes.c_char_p(data)
        found = self.lib.d2i_X509_NAME(None, ctypes.byref(buffer), ctypes.c_long(len(data)))
        if not found:
            raise ValueError("not a name")
        return ctypes.c_void_p(found)

    def print(self, handle: ctypes.c_void_p, flags: int, indent: int) -> bytes:
        bio = ctypes.c_void_p(self.lib.BIO_new(ctypes.c_void_p(self.lib.BIO_s_mem())))
        self.lib.X509_NAME_print_ex(bio, handle, indent, ctypes.c_ulong(flags))
        pointer = ctypes.c_void_p()
        size = self.lib.BIO_ctrl(bio, 3, 0, ctypes.byref(pointer))
        text = ctypes.string_at(pointer, size) if size > 0 else b""
        self.lib.BIO_free(bio)
        return text

    def free(self, handle: ctypes.c_void_p) -> None:
        self.lib.X509_NAME_free(handle)


def flag_sets() -> list[int]:
    draw = random.Random(7)
    strings = [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400]
    fields = [1 << 20, 1 << 21, 2 << 21, 3 << 21, 1 << 23, 1 << 24, 1 << 25]
    found = [nameopt.ONELINE, nameopt.RFC2253, nameopt.MULTILINE, nameopt.COMPAT]
    for _ in range(60):
        flags = draw.randint(1, 4) << 16
        for bit in (*strings, *fields):
            flags |= bit if draw.random() < 0.35 else 0
        found.append(flags)
    found += [1 << 16 | bit for bit in (*strings, *fields)]
    return found


@needs_library
def test_printed_as_the_library_prints() -> None:
    library = Library()
    compared = 0
    for data in names():
        try:
            handle = library.read(data)
        except ValueError:
            continue
        ours = name(data)
        for flags, indent in itertools.product(flag_sets(), (0, 4)):
            theirs = library.print(handle, flags, indent)
            text = nameopt.format_name(ours, flags, indent)
            assert text == theirs.decode("utf-8", "backslashreplace"), (hex(flags), indent, data.hex())
            compared += 1
        library.free(handle)
    assert compared > 10000


@needs_library
def test_compared_as_the_library_compares() -> None:
    library = Library()
    library.lib.X509_NAME_cmp.restype = ctypes.c_int
    found = []
    for data in (*names(), *spellings()):
        try:
            found.append((name(data), library.read(data)))
        except ValueError:
            continue
    for (one, handle), (two, other) in itertools.combinations(found, 2):
        assert (one == two) == (library.lib.X509_NAME_cmp(handle, other) == 0), (one, two)


def spellings() -> Iterator[bytes]:
    for text in ("Some One", "some  one", " SOME ONE ", "some\tone", "someone", "söme one", "SÖME ONE"):
        for tag in (build.UTF8, build.T61, build.BMP, build.UNIVERSAL):
            yield build.seq(build.set_of(build.attribute("CN", text, tag)))
    yield build.seq(build.set_of(build.attribute("CN", "some one", build.PRINTABLE)))
    yield build.seq(build.set_of(build.attribute("CN", "12 34", build.NUMERIC)))
    yield build.seq(build.set_of(build.attribute("CN", "12 34", build.PRINTABLE)))
    yield build.seq(build.set_of(build.attribute("CN", "a"), build.attribute("O", "b")))
    yield build.seq(build.set_of(build.attribute("O", "B"), build.attribute("CN", "A")))
    yield build.seq(build.set_of(build.attribute("CN", "a")), build.set_of(build.attribute("O", "b")))


OPTIONS = [
    "oneline",
    "RFC2253",
    "rfc2253",
    "compat",
    "multiline",
    "ca_default",
    "oneline,-space_eq",
    "oneline,utf8,-esc_msb",
    "lname",
    "sname,sep_semi_plus_space",
    "oid,dn_rev",
    "nofname,sep_comma_plus",
    "sep_multiline,align,lname,space_eq",
    "dump_all,dump_der",
    "dump_all",
    "show_type",
    "ignore_type,esc_2254",
    "use_quote,esc_2253,+esc_ctrl",
    "dump_unknown,dump_nostr",
    "multiline,-align,-esc_msb,utf8",
]


@needs_program
@pytest.mark.parametrize("options", OPTIONS)
def test_nameopt_of_the_program(options: str, tmp_path: Path) -> None:
    subject = build.name("C=XX", "O=Lab, Ltd", "CN=Zürich", "1.2.3.4=odd")
    certificate = tmp_path / "x.pem"
    certificate.write_text(build.pem(build.certificate(subject, build.ec_key("x")).der))
    run = subprocess.run(
        ["openssl", "x509", "-in", str(certificate), "-noout", "-subject", "-nameopt", options],
        capture_output=True,
        check=True,
    )
    flags = nameopt.apply_options(0, options)
    assert flags is not None
    assert nameopt.heading("subject=", name(subject), flags) + "\n" == run.stdout.decode(
        "utf-8", "backslashreplace"
    )


def test_unknown_options_are_refused() -> None:
    assert nameopt.apply_options(0, "bogus") is None
    assert nameopt.apply_options(0, "oneline,bogus") is None


def test_options_add_up() -> None:
    first = nameopt.apply_options(0, "oneline")
    assert first is not None
    assert nameopt.apply_options(first, "-space_eq") == nameopt.apply_options(0, "oneline,-space_eq")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x05\x31\x03\x30\x01\x00",
        b"\x04\x00",
        build.seq(build.set_of(build.seq(build.oid("2.5.4.3")))),
    ],
)
def test_damaged_names_are_shown(data: bytes) -> None:
    try:
        element = der.parse(data)
    except der.DerError:
        return
    damaged = Name.read(element)
    assert damaged.problems
    assert isinstance(str(damaged), str)


def test_bytes_that_are_no_text_are_escaped() -> None:
    flags = nameopt.apply_options(0, "show_type")
    assert flags is not None
    shown = nameopt.format_name(name(build.name("CN=Bücher")), flags)
    assert shown == "CN=UTF8STRING:B\\xfccher"
