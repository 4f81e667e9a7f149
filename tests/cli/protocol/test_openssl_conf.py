"""OpenSSL's configuration grammar: by the manual, and side by side with libcrypto's own reader."""

from __future__ import annotations

import ctypes
import ctypes.util
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from handglass.cli.protocol.openssl_conf import (
    DEFAULT,
    MAX_DEPTH,
    MAX_VALUE,
    Configuration,
    ConfigurationError,
    read_configuration,
)
from handglass.net.files import FileError


def parse(text: str, files: Mapping[str, str], environment: Mapping[str, str] | None = None) -> Configuration:
    """Read a text, with further files that it can include by name."""
    contents = {**files, "main": text}

    def read(path: str, limit: int) -> bytes:
        if path not in contents:
            raise FileError(f"cannot open {path}: No such file or directory")
        assert len(contents[path]) <= limit
        return contents[path].encode()

    return read_configuration("main", environment or {}, read)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a = b", "b"),
        ("a=b", "b"),
        ("  a \t=  b c \t\r\n", "b c"),
        ("a =", ""),
        ("a = b = c", "b = c"),
        ("a = 1\na = 2", "2"),
        ("a = b # comment", "b"),
        ("a = b#c", "b"),
        (r"a = b\#c", "b#c"),
        ("a = 'b # c'", "b # c"),
        ('a = " b " c', " b  c"),
        ("a = `b'c\"d`", "b'c\"d"),
        (r'a = "b\"c"', 'b"c'),
        (r"a = \n\r\b\t\x\\", "\n\r\b\tx\\"),
        ("a = b \\\n  c", "b   c"),
        ("a = b\\\\\nc = d", "b\\"),
        ("b = 1\na = $b", "1"),
        ("b = 1\na = ${b}c$(b)d", "1c1d"),
        ("b.c = 1\nb = 2\na = $b.c", "2.c"),
        ("x::b = 3\na = $x::b ${x::b}", "3 3"),
        ("a = $ENV::HERE", "there"),
        ("ENV::HERE = nearer\na = $ENV::HERE", "nearer"),
        ("GONE = default\na = $ENV::GONE", "default"),
        ("a = '$b'", "$b"),
        (r"a = \$b", "$b"),
        (".pragma dollarid:on\na = b$c", "b$c"),
        (".pragma = dollarid : true\n$b = 1\na = ${$b}", "1"),
        (".pragma dollarid:on\n.pragma dollarid:off\nb = 1\na = $b", "1"),
        (".pragma of_others:x\na = b", "b"),
        (".include other\na = $b", "from other"),
        (".include = 'other'\na = $b", "from other"),
        ("n = other\n.include $n\na = $b", "from other"),
        ("\ufeffa = b", "b"),
        ("# only\n\n  # comments\na = b", "b"),
    ],
)
def test_values(text: str, value: str) -> None:
    found = parse(text, {"other": "b = from other\n"}, {"HERE": "there"})
    assert found.value(DEFAULT, "a") == value


def test_sections() -> None:
    """A name is looked up in its section, then in the default one; a section may be taken up again."""
    found = parse("a = 1\nb = 2\n[ one ]\na = 3\nc = $b\n[two]\n[one]\nd = $a\none::e = 4\ntwo::f = 5\n", {})
    assert found.section("one") == {"a": "3", "c": "2", "d": "3", "e": "4"}
    assert found.section("two") == {"f": "5"}
    assert found.section("three") is None
    assert found.value("two", "a") == "1"
    assert found.value("two", "z") is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a", "main, line 1: a setting needs an equal sign after its name"),
        ("a b = c", "main, line 1: a setting needs an equal sign after its name"),
        ("[one\n", "main, line 1: the closing bracket of the section's name is missing"),
        ("x = \\\n$b", "main, line 1: the variable b has no value"),
        ("a = ${b", "main, line 1: the closing } of a variable's name is missing"),
        ("a = $ENV::GONE", "main, line 1: the variable ENV::GONE has no value"),
        (".include none", "cannot open none: No such file or directory"),
        (".include bad", "bad, line 2: a setting needs an equal sign after its name"),
        (".pragma abspath:true\n.include other", "main, line 2: the path 'other' must be absolute"),
        (".pragma dollarid:perhaps", "main, line 1: the pragma dollarid is on or off, not 'perhaps'"),
        (".include main", "main: too many files include each other"),
        ("a = " + "x" * (MAX_VALUE + 1), "main, line 1: the value is longer than 64k"),
        (
            "a = " + "x" * 1000 + "\n" + "a = $a$a\n" * 8,
            "main, line 8: the value is longer than 64k",
        ),
    ],
)
def test_mistakes(text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, {"other": "b = 1", "bad": "\nx"})
    assert str(caught.value) == sentence


def test_files(tmp_path: Path) -> None:
    """Directories give their .cnf and .conf files in order, but no directories; relative paths have two bases."""
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "b.conf").write_text("order = ${order}b\n")
    (inner / "a.cnf").write_text(f"order = a\n.include {inner}\n")
    (inner / "c.txt").write_text("order = wrong\n")
    (inner / "d.cnf").mkdir()
    main = tmp_path / "main.cnf"
    main.write_text(f".include {inner}\n")
    assert read_configuration(str(main), {}).value(DEFAULT, "order") == "ab"
    main.write_text(".include inner\n")
    base = {"OPENSSL_CONF_INCLUDE": str(tmp_path)}
    assert read_configuration(str(main), base).value(DEFAULT, "order") == "ab"
    main.write_text(f".pragma includedir:{tmp_path}\n.include inner\n")
    assert read_configuration(str(main), {}).value(DEFAULT, "order") == "ab"
    main.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="not a file of text"):
        read_configuration(str(main), {})
    main.write_bytes(b"#" * (1 << 20 | 1))
    with pytest.raises(ConfigurationError, match="more than 1 MiB"):
        read_configuration(str(main), {})


def test_files_in_files() -> None:
    """As deep as is allowed, and no deeper."""
    files = {f"f{number}": f".include f{number + 1}" for number in range(40)}
    files[f"f{MAX_DEPTH - 2}"] = "a = deep"
    assert parse(".include f0", files).value(DEFAULT, "a") == "deep"
    files[f"f{MAX_DEPTH - 2}"] = ".include last"
    with pytest.raises(ConfigurationError, match="too many files"):
        parse(".include f0", {**files, "last": "a = deeper"})


# Side by side with libcrypto --------------------------------------------------------------------------------


class Value(ctypes.Structure):
    """CONF_VALUE."""

    _fields_ = (("section", ctypes.c_char_p), ("name", ctypes.c_char_p), ("value", ctypes.c_char_p))


@cache
def libcrypto() -> ctypes.CDLL | None:
    name = ctypes.util.find_library("crypto")
    if not name:
        return None
    library = ctypes.CDLL(name)
    functions: tuple[tuple[Any, ...], ...] = (
        ("NCONF_new", ctypes.c_void_p, ctypes.c_void_p),
        ("NCONF_free", None, ctypes.c_void_p),
        ("NCONF_load", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p),
        ("NCONF_get_section", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p),
        ("OPENSSL_sk_num", ctypes.c_int, ctypes.c_void_p),
        ("OPENSSL_sk_value", ctypes.POINTER(Value), ctypes.c_void_p, ctypes.c_int),
        ("ERR_clear_error", None),
    )
    for function, result, *arguments in functions:
        found = getattr(library, function)
        found.restype, found.argtypes = result, arguments
    return library


def theirs(path: Path, section: str) -> list[tuple[str, str]] | None:
    """What libcrypto reads; None for a mistake."""
    library = libcrypto()
    assert library
    conf = library.NCONF_new(None)
    try:
        if library.NCONF_load(conf, str(path).encode(), None) <= 0:
            library.ERR_clear_error()
            return None
        stack = library.NCONF_get_section(conf, section.encode())
        values = [library.OPENSSL_sk_value(stack, at)[0] for at in range(library.OPENSSL_sk_num(stack))]
        return [(value.name.decode(), value.value.decode()) for value in values]
    finally:
        library.NCONF_free(conf)


PIECES = [
    *(
        "a",
        "b",
        "c",
        "one",
        "=",
        "=",
        " = ",
        " ",
        "\t",
        "\n",
        "\n",
        "\n",
        "\\",
        "\\\n",
        "'",
        '"',
        "`",
        "#",
        "$",
    ),
    *(
        "$a",
        "${b}",
        "$(c)",
        "$one::a",
        "${one::b}",
        "[one]\n",
        "[ two ]\n",
        "one::",
        ".",
        "\\n",
        "\\'",
        "x y",
    ),
    *("a = ", "b = ", "c = ", "a = 1\n", "b = 'two words'\n", "c = $a\n", ",", ";", "-", "\r\n"),
]


@pytest.mark.skipif(libcrypto() is None, reason="needs libcrypto")
def test_the_same_as_libcrypto(tmp_path: Path) -> None:
    """1,500 made-up files: the same values, or a mistake for both."""
    chance = random.Random(20)
    path = tmp_path / "made.cnf"
    read = 0
    for _ in range(1500):
        text = "a = 0\nb = 1\nc = 2\n[one]\na = 3\nb = 4\n" + "".join(
            chance.choices(PIECES, k=chance.randint(1, 12))
        )
        path.write_text(text, newline="")
        expected = theirs(path, "one")
        try:
            found = read_configuration(str(path), {})
        except ConfigurationError:
            assert expected is None, text
            continue
        assert expected is not None, text
        assert list((found.section("one") or {}).items()) == expected, text
        read += 1
    assert read > 250
