"""Compression for certificates (RFC 8879): zlib from the standard library, brotli and zstd where they are installed.

The modules are imported when an algorithm is first used. Nothing is unpacked beyond the length that was announced.
"""

from __future__ import annotations

from handglass.registry.code_points import CertificateCompressionAlgorithm

CHUNK = 16384


class CompressionError(Exception):
    """What was compressed cannot be unpacked, or unpacks to another length than announced."""


def available() -> tuple[CertificateCompressionAlgorithm, ...]:
    """The algorithms that can be used on this machine, best first."""
    found = []
    for algorithm, module in _MODULES.items():
        try:
            __import__(module)
        except ImportError:
            continue
        found.append(algorithm)
    return tuple(found)


def compress(algorithm: CertificateCompressionAlgorithm, data: bytes) -> bytes:
    """Compress. Raises CompressionError for an algorithm that is not available."""
    try:
        if algorithm == CertificateCompressionAlgorithm.ZLIB:
            import zlib  # noqa: PLC0415 - only where it is used

            return zlib.compress(data, 9)
        if algorithm == CertificateCompressionAlgorithm.BROTLI:
            import brotli  # noqa: PLC0415 - optional

            return bytes(brotli.compress(data))
        if algorithm == CertificateCompressionAlgorithm.ZSTD:
            import zstandard  # noqa: PLC0415 - optional

            return zstandard.ZstdCompressor(level=19).compress(data)
    except ImportError as error:
        raise CompressionError(f"{algorithm.name.lower()} is not installed") from error
    raise CompressionError(f"algorithm {algorithm.name} is not known")


def decompress(algorithm: CertificateCompressionAlgorithm, data: bytes, length: int) -> bytes:
    """Unpack exactly `length` bytes (RFC 8879 §4). Raises CompressionError."""
    try:
        plain = _decompress(algorithm, data, length)
    except ImportError as error:
        raise CompressionError(f"{algorithm.name.lower()} is not installed") from error
    if len(plain) != length:
        more = "more than " if len(plain) > length else ""
        raise CompressionError(
            f"it unpacks to {more}{min(len(plain), length)} bytes, {length} were announced"
        )
    return plain


def _decompress(algorithm: CertificateCompressionAlgorithm, data: bytes, length: int) -> bytes:
    if algorithm == CertificateCompressionAlgorithm.ZLIB:
        import zlib  # noqa: PLC0415 - only where it is used

        inflater = zlib.decompressobj()
        try:
            plain = inflater.decompress(data, length + 1)
        except zlib.error as error:
            raise CompressionError(f"zlib: {error}") from error
        if not inflater.eof and len(plain) <= length:
            raise CompressionError("zlib: the data ends too early")
        return plain
    if algorithm == CertificateCompressionAlgorithm.BROTLI:
        return _brotli(data, length)
    if algorithm == CertificateCompressionAlgorithm.ZSTD:
        import zstandard  # noqa: PLC0415 - optional

        reader = zstandard.ZstdDecompressor(max_window_size=1 << 23).stream_reader(data)
        try:
            return reader.read(length + 1)
        except zstandard.ZstdError as error:
            raise CompressionError(f"zstd: {error}") from error
    raise CompressionError(f"algorithm {algorithm.name} is not known")


def _brotli(data: bytes, length: int) -> bytes:
    """Unpack in bounded steps: a brotli bomb must not reach its full size."""
    import brotli  # noqa: PLC0415 - optional

    unpacker = brotli.Decompressor()
    plain = bytearray()
    try:
        plain += unpacker.process(data, output_buffer_limit=CHUNK)
        while not unpacker.is_finished() and len(plain) <= length:
            if unpacker.can_accept_more_data():
                raise CompressionError("brotli: the data ends too early")
            plain += unpacker.process(b"", output_buffer_limit=CHUNK)
    except brotli.error as error:
        raise CompressionError(f"brotli: {error}") from error
    return bytes(plain[: length + 1])


_MODULES = {
    CertificateCompressionAlgorithm.BROTLI: "brotli",
    CertificateCompressionAlgorithm.ZSTD: "zstandard",
    CertificateCompressionAlgorithm.ZLIB: "zlib",
}
