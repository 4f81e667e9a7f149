"""-rand and -writerand: files mixed into the system's randomness, and a file of random bytes made of it.

All our random bytes are the kernel's. What is written to its device is mixed into its pool (random(4)) and can
only add to it.
"""

from __future__ import annotations

import os

from handglass.net.files import FileError, read_file

DEVICE = "/dev/urandom"
SEED_SIZE = 1024
"""Bytes of a file of -writerand, as many as OpenSSL's."""


class RandomnessError(ValueError):
    """A file cannot be read or written. The text is for standard error."""


def mix(lists: tuple[str, ...]) -> None:
    """Mix in files; each entry names several, separated by colons. Raises RandomnessError."""
    for name in (name for names in lists for name in names.split(os.pathsep)):
        try:
            data = read_file(name)
        except FileError as error:
            raise RandomnessError(f"Can't load {name} into RNG\n{error}") from None
        try:
            with open(DEVICE, "wb") as device:  # noqa: PTH123 - pathlib is slow to load
                device.write(data)
        except OSError as error:
            raise RandomnessError(f"Can't load {name} into RNG\n{DEVICE}: {error.strerror}") from None


def write(path: str) -> None:
    """Write random bytes to a file that only its owner may read. Raises RandomnessError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(os.urandom(SEED_SIZE))
    except OSError as error:
        raise RandomnessError(f"Cannot write random bytes: {path}: {error.strerror}") from None
