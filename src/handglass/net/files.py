"""Files, read whole: with a limit, and with one clear sentence when it cannot be done."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

# Ample for every certificate, key and bundle; the largest public revocation lists have some 30 MB.
MAX_FILE = 64 << 20
MAX_REVOCATION_LIST = 256 << 20
UNSUPPORTED_SCHEMES = {"pkcs11", "org.openssl.winstore", "http", "https", "ldap"}


class FileError(OSError):
    """A file cannot be read. The text is one sentence without a full stop, and names the file."""


def exists(path: str) -> bool:
    """Return whether there is anything at a path."""
    return os.path.exists(path)  # noqa: PTH110 - pathlib is slow to load


def is_directory(path: str) -> bool:
    """Return whether there is a directory at a path."""
    return os.path.isdir(path)  # noqa: PTH112 - pathlib is slow to load


def read_file(path: str | os.PathLike[str], limit: int = MAX_FILE) -> bytes:
    """Return the bytes of a file, FIFO or /dev/fd/N. Raises `FileError`; also beyond `limit` bytes."""
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:  # noqa: PTH123 - pathlib is slow to load
            data = file.read(limit + 1)
    except (OSError, ValueError) as problem:
        raise FileError(f"cannot open {name}: {reason_of(problem)}") from None
    if len(data) > limit:
        raise FileError(f"cannot read {name}: it has more than {limit >> 20} MiB")
    return data


def require_directory(path: str | os.PathLike[str]) -> Path:
    """Return the path of an existing directory. Raises `FileError`."""
    name = os.fspath(path)
    try:
        mode = os.stat(name).st_mode  # noqa: PTH116 - pathlib is slow to load
    except (OSError, ValueError) as problem:
        raise FileError(f"cannot open {name}: {reason_of(problem)}") from None
    if not stat.S_ISDIR(mode):
        raise FileError(f"Not a directory: {name}")
    from pathlib import Path  # noqa: PLC0415 - slow to load, and rarely needed

    return Path(name)


def reason_of(problem: Exception) -> str:
    """Return the system's words for a failure ("No such file or directory"), without path and number."""
    return getattr(problem, "strerror", None) or str(problem)


def path_of(name: str) -> str:
    """Return the path that a file name or "file:" URI (RFC 8089) stands for; a file so named goes first.

    Raises `FileError` for a URI whose host is not this one, and for a scheme that is not supported.
    """
    scheme, colon, rest = name.partition(":")
    if not colon or len(scheme) < 2 or not scheme.isalnum() or "/" in scheme or exists(name):
        return name
    if scheme.lower() != "file":
        if scheme.lower() in UNSUPPORTED_SCHEMES:
            raise FileError(f"cannot open {name}: the scheme {scheme!r} is not supported here")
        return name
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in {"", "localhost"}:
            raise FileError(f"cannot open {name}: it names a file on another host")
        rest = slash + path
    elif not rest.startswith("/"):
        raise FileError(f"cannot open {name}: path must be absolute")
    from urllib.parse import unquote  # noqa: PLC0415 (lazy: rarely needed)

    return unquote(rest)
