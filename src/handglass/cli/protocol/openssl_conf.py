"""OpenSSL's configuration files: sections of names and values.

Strategy: the lines of a file and of those that it includes are taken in their order, because a value may use any that
stands before it, and what counts as a name depends on directives before it. Nothing is written anywhere and nothing is
run; files are read through `read`, so a test needs none.

Source: config(5), "SYNTAX".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from handglass.net.files import FileError, is_directory, read_file

MAX_FILE = 1 << 20
MAX_FILES = 100
MAX_DEPTH = 16
MAX_VALUE = 1 << 16
"""Bytes of a file, files in all, files in files, characters of a value (config(5): 64k)."""

DEFAULT = "default"
ENVIRONMENT = "ENV"
ESCAPES = {"n": "\n", "r": "\r", "b": "\b", "t": "\t"}
BRACKETS = {"{": "}", "(": ")"}
QUOTES = "\"'`"
NAME_MARKS = frozenset("!.%&*+,/;?@^_~|-")


class ConfigurationError(ValueError):
    """A configuration file cannot be used. The text says where and why."""


class Configuration:
    """What the files say: `section(name)` gives its names and values in order, each name with its last value."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._sections: dict[str, dict[str, str]] = {DEFAULT: {}}
        self._environment = environment

    def section(self, name: str) -> dict[str, str] | None:
        """The names and values of a section; None if there is none of that name."""
        found = self._sections.get(name)
        return None if found is None else dict(found)

    def value(self, section: str, name: str) -> str | None:
        """The value of a name, looked up in its section, then in the default one; None if neither has it."""
        found = self._sections.get(section, {}).get(name)
        if found is None and section == ENVIRONMENT:
            found = self._environment.get(name)
        return self._sections[DEFAULT].get(name) if found is None else found

    def begin(self, section: str) -> None:
        """Make a section, unless it is there already."""
        self._sections.setdefault(section, {})

    def put(self, section: str, name: str, value: str) -> None:
        """Set a value; what is set anew goes to the end of its section."""
        values = self._sections.setdefault(section, {})
        values.pop(name, None)
        values[name] = value


def read_configuration(
    path: str,
    environment: Mapping[str, str] = os.environ,
    read: Callable[[str, int], bytes] = read_file,
) -> Configuration:
    """Read a file and what it includes. Raises ConfigurationError."""
    reader = _Reader(environment, read)
    reader.take_file(path, [])
    return reader.found


class _Reader:
    """Where we are in the files, and what the directives have set."""

    def __init__(self, environment: Mapping[str, str], read: Callable[[str, int], bytes]) -> None:
        self.found = Configuration(environment)
        self._environment = environment
        self._read = read
        self._files = 0
        self._section = DEFAULT
        self._dollar_is_a_letter = False
        self._absolute_only = False
        self._include_directory = ""

    def take_file(self, path: str, inside: list[str], *, from_directory: bool = False) -> None:
        """Take every line of a file. `inside`: the files that have led here."""
        self._files += 1
        if len(inside) >= MAX_DEPTH or self._files > MAX_FILES:
            raise ConfigurationError(f"{path}: too many files include each other")
        try:
            text = self._read(path, MAX_FILE).decode("utf-8")
        except FileError as error:
            raise ConfigurationError(str(error)) from error
        except UnicodeDecodeError:
            raise ConfigurationError(f"{path}: this is not a file of text") from None
        for number, line in _lines(text):
            try:
                included = self._take_line(line)
                if included is not None:
                    self._include(included, [*inside, path], from_directory=from_directory)
            except _LineError as error:
                raise ConfigurationError(f"{path}, line {number}: {error}") from None

    def _take_line(self, line: str) -> str | None:
        """Do what a line says; for an inclusion, the path of what is to be included."""
        line = _without_comment(line).strip()
        if not line:
            return None
        if line.startswith("["):
            name, closing, _ = line[1:].partition("]")
            if not closing:
                raise _LineError("the closing bracket of the section's name is missing")
            self._section = self._expand(name.strip())
            self.found.begin(self._section)
            return None
        if line.startswith((".include", ".pragma")):
            word, rest = line[1 : 8 if line[1] == "i" else 7], line[8 if line[1] == "i" else 7 :]
            if rest[:1].isspace() or rest[:1] == "=":
                rest = rest.strip().removeprefix("=").strip()
                if word == "include":
                    return self._expand(rest)
                self._take_pragma(rest)
                return None
        self._take_setting(line)
        return None

    def _take_setting(self, line: str) -> None:
        """Take `name = value` or `section::name = value`."""
        end = self._setting_end(line, 0)
        section, name = self._section, line[:end]
        if line[end : end + 2] == "::":
            section, start = name, end + 2
            end = self._setting_end(line, start)
            name = line[start:end]
        rest = line[end:].lstrip()
        if not rest.startswith("="):
            raise _LineError("a setting needs an equal sign after its name")
        self.found.put(section, name, self._expand(rest[1:].strip()))

    def _setting_end(self, text: str, at: int) -> int:
        """Where the name of a setting ends; anything may stand behind a backslash in it."""
        while at < len(text):
            mark = text[at]
            if mark == "\\":
                at += 1
            elif not (mark.isalnum() or mark in NAME_MARKS or (mark == "$" and self._dollar_is_a_letter)):
                break
            at += 1
        return min(at, len(text))

    def _take_pragma(self, text: str) -> None:
        name, colon, value = (part.strip() for part in text.partition(":"))
        if name == "includedir" and colon:
            self._include_directory = value
            return
        if name not in {"dollarid", "abspath"}:
            return  # for other readers
        if value.lower() not in {"on", "true", "off", "false"}:
            raise _LineError(f"the pragma {name} is on or off, not {value!r}")
        is_on = value.lower() in {"on", "true"}
        if name == "dollarid":
            self._dollar_is_a_letter = is_on
        else:
            self._absolute_only = is_on

    def _include(self, path: str, inside: list[str], *, from_directory: bool) -> None:
        """Take a file, or the .cnf and .conf files of a directory; a directory in a directory is passed over."""
        if not os.path.isabs(path):  # noqa: PTH117 - a string is wanted
            if self._absolute_only:
                raise _LineError(f"the path {path!r} must be absolute")
            directory = self._environment.get("OPENSSL_CONF_INCLUDE") or self._include_directory
            path = os.path.join(directory, path)  # noqa: PTH118 - a string is wanted
        if not is_directory(path):
            self.take_file(path, inside, from_directory=from_directory)
            return
        if from_directory:
            return
        try:
            names = sorted(os.listdir(path))  # noqa: PTH208 - strings are wanted
        except OSError as error:
            raise ConfigurationError(f"cannot open {path}: {error.strerror}") from None
        for name in names:
            inner = os.path.join(path, name)  # noqa: PTH118 - a string is wanted
            if name.lower().endswith((".cnf", ".conf")) and not is_directory(inner):
                self.take_file(inner, inside, from_directory=True)

    # Values ----------------------------------------------------------------------------------------------

    def _expand(self, text: str) -> str:
        """Resolve quotes, escapes and variables."""
        found: list[str] = []
        size = at = 0
        while at < len(text):
            mark = text[at]
            if mark in QUOTES:
                piece, at = _quoted(text, at)
            elif mark == "\\":
                piece = ESCAPES.get(text[at + 1 : at + 2], text[at + 1 : at + 2])
                at += 2
            elif mark == "$" and not (self._dollar_is_a_letter and text[at + 1 : at + 2] not in BRACKETS):
                piece, at = self._variable(text, at + 1)
            else:
                piece, at = mark, at + 1
            size += len(piece)
            if size > MAX_VALUE:
                raise _LineError("the value is longer than 64k")
            found.append(piece)
        return "".join(found)

    def _variable(self, text: str, at: int) -> tuple[str, int]:
        """The value of `name`, `section::name`, `{…}` or `(…)` behind a dollar sign, and where it ends."""
        closing = BRACKETS.get(text[at : at + 1], "")
        start = at + len(closing)
        end = self._name_end(text, start)
        section, name = self._section, text[start:end]
        if text[end : end + 2] == "::":
            section, start = name, end + 2
            end = self._name_end(text, start)
            name = text[start:end]
        if closing and text[end : end + 1] != closing:
            raise _LineError(f"the closing {closing} of a variable's name is missing")
        value = self.found.value(section, name)
        if value is None:
            raise _LineError(f"the variable {text[at : end + len(closing)]} has no value")
        return value, end + len(closing)

    def _name_end(self, text: str, at: int) -> int:
        while at < len(text) and (
            text[at].isalnum() or text[at] == "_" or (text[at] == "$" and self._dollar_is_a_letter)
        ):
            at += 1
        return at


class _LineError(ValueError):
    """Something is wrong with a line."""


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line with its number, those that end in a backslash together with the next one."""
    held, first = "", 0
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        first = first or number
        line = line.removesuffix("\r")  # noqa: PLW2901 - the line as it counts
        if line.endswith("\\") and not line.endswith("\\\\"):
            held += line[:-1]
            continue
        yield first, held + line
        held, first = "", 0
    if held:
        yield first, held


def _without_comment(line: str) -> str:
    """The line up to a # that is neither quoted nor escaped."""
    at, quote = 0, ""
    while at < len(line):
        mark = line[at]
        if mark == "\\":
            at += 1
        elif quote:
            quote = "" if mark == quote else quote
        elif mark in QUOTES:
            quote = mark
        elif mark == "#":
            return line[:at]
        at += 1
    return line


def _quoted(text: str, at: int) -> tuple[str, int]:
    """What stands between two equal quotation marks, or to the end if there is no second one; and where it ends."""
    quote, found = text[at], []
    at += 1
    while at < len(text) and text[at] != quote:
        if text[at] == "\\":
            at += 1
        found.append(text[at : at + 1])
        at += 1
    return "".join(found), at + 1
