"""The arguments of options: from a word of the command line to a value, with OpenSSL's complaints.

Each converter takes (name of the option, the word) and raises BadValueError with the lines to print.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class BadValueError(ValueError):
    """An argument that its option does not take: the complaint's lines, without the program's name."""

    def __init__(self, *lines: str) -> None:
        super().__init__(lines[-1])
        self.lines = lines


def anything(_name: str, word: str) -> str:
    """Take any text."""
    return word


def directory(_name: str, word: str) -> str:
    """Take the path of a directory that exists."""
    import os.path  # noqa: PLC0415 - already loaded by Python's start

    if not os.path.isdir(word):  # noqa: PTH112 - pathlib would cost the start more than all of the parsing
        raise BadValueError(f"Not a directory: {word}")
    return word


def one_of(words: tuple[str, ...], also_taken: tuple[str, ...] = ()) -> Callable[[str, str], str]:
    """Take one of these words; the complaint does not name those of `also_taken`."""

    def convert(_name: str, word: str) -> str:
        if word not in words and word not in also_taken:
            raise BadValueError("\n\t".join(("Value must be one of:", *words)))
        return word

    return convert


def file_form(words: tuple[str, ...]) -> Callable[[str, str], str]:
    """Take the name of a file format, in capitals or not, or its first letter."""
    spellings = {
        spelling: word
        for word in reversed(words)
        for spelling in (word[0], word[0].lower(), word, word.lower())
    }

    def convert(name: str, word: str) -> str:
        found = spellings.get(word)
        if found is None:
            allowed = " or ".join(word.lower() for word in reversed(words))
            raise BadValueError(
                f'Bad format "{word}"; must be {allowed}', f'Invalid format "{word}" for option -{name}'
            )
        return found

    return convert


def whole_number(minimum: int | None, bits: int) -> Callable[[str, str], int]:
    """Take a number as C's strtol does with base 0: decimal, 0x hexadecimal, 0 octal, of so many bits."""

    def convert(name: str, word: str) -> int:
        value = _strtol(word)
        if not -(1 << 63) <= value < 1 << 63:
            raise BadValueError(f'Can\'t parse "{word}" as a number')
        if not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise BadValueError(f'Value "{word}" outside integer range')
        if minimum is not None and value < minimum:
            kind = "Negative" if minimum == 0 else "Non-positive"
            raise BadValueError(f'{kind} number "{word}" for option -{name}')
        return value

    return convert


def _strtol(word: str) -> int:
    digits = word.lstrip(" \t\n\v\f\r")
    sign = -1 if digits.startswith("-") else 1
    digits = digits[digits[:1] in {"+", "-"} :]
    if digits[:2] in {"0x", "0X"}:
        base, kind, digits = 16, "a hexadecimal", digits[2:]
    elif digits.startswith("0"):
        base, kind = 8, "an octal"
    else:
        base, kind = 10, "a"
    # int() would take underscores, spaces, a second sign and other scripts' digits as well.
    if not digits or not (digits.isascii() and digits.isalnum()):
        raise BadValueError(f'Can\'t parse "{word}" as {kind} number')
    try:
        return sign * int(digits[:64], base)
    except ValueError:
        raise BadValueError(f'Can\'t parse "{word}" as {kind} number') from None


def seconds(name: str, word: str) -> float:
    """Take a number of seconds, with decimals; 0 is no limit."""
    try:
        value = float(word) if word.isascii() and "_" not in word else -1.0
    except ValueError:
        raise BadValueError(f'Can\'t parse "{word}" as a number') from None
    if not 0 <= value <= 1e9:
        raise BadValueError(f'Invalid time limit "{word}" for option -{name}')
    return value
