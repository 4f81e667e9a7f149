"""The type of a file by the end of its name.

Our own table: the system's would make the answer depend on the machine. What OpenSSL calls text/html is
text/html here; everything that the table does not know is text/plain, as with OpenSSL, so that a browser
shows it.
"""

from __future__ import annotations

DEFAULT = "text/plain"
TYPES = {
    "html": "text/html",
    "htm": "text/html",
    "php": "text/html",
    "xhtml": "application/xhtml+xml",
    "css": "text/css",
    "csv": "text/csv",
    "js": "text/javascript",
    "mjs": "text/javascript",
    "json": "application/json",
    "xml": "application/xml",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "ico": "image/vnd.microsoft.icon",
    "pdf": "application/pdf",
    "wasm": "application/wasm",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "zip": "application/zip",
    "gz": "application/gzip",
    "tgz": "application/gzip",
    "xz": "application/x-xz",
    "tar": "application/x-tar",
    "bin": "application/octet-stream",
    "iso": "application/octet-stream",
    "der": "application/pkix-cert",
    "cer": "application/pkix-cert",
    "crl": "application/pkix-crl",
    "p7c": "application/pkcs7-mime",
    "ocsp": "application/ocsp-response",
    "pem": "application/x-pem-file",
}


def content_type(name: str) -> str:
    """Return the media type of a file name (RFC 5280 §4.2.2.1 and RFC 2585 for certificates and CRLs)."""
    _, dot, ending = name.rpartition(".")
    return TYPES.get(ending.lower(), DEFAULT) if dot else DEFAULT
