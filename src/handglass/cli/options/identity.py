"""Identity options: one's own certificate and key."""

from __future__ import annotations

from .table import Options, directory, flag, text, text_or

OWN = "own certificate"


class ClientIdentity(Options, title="Identity options"):
    """The client's certificate, sent if the server asks for one."""

    cert = text("cert", "file", "Certificate to send if the server asks for one", where=OWN)
    key = text("key", "file", "Private key; the file of -cert if none is given", where=OWN)
    cert_chain = text("cert_chain", "file", "Intermediate certificates to send with it", where=OWN)
    passphrase = text("pass", "source", "Pass phrase of the key: pass:, env:, file:, fd: or stdin", where=OWN)


class ServerIdentity(Options, title="Identity options"):
    """The server's certificates."""

    cert = text(
        "cert", "file", "Certificate to serve; server.pem if none is given and that file exists", where=OWN
    )
    key = text("key", "file", "Private key; the file of -cert if none is given", where=OWN)
    cert_chain = text("cert_chain", "file", "Intermediate certificates to send with it", where=OWN)
    passphrase = text(
        "pass", "source", "Pass phrase of the keys: pass:, env:, file:, fd: or stdin", where=OWN
    )
    cert2 = text_or(
        "server2.pem", "cert2", "file", "Certificate for the name that -servername gives", where=OWN
    )
    key2 = text("key2", "file", "Its private key; the file of -cert2 if none is given", where=OWN)
    throwaway_cert = flag(
        "throwaway_cert", "Serve a certificate made in memory for this run", where=OWN, ours=True
    )
    cert_dir = directory(
        "cert_dir",
        "Directory of certificates with their keys, chosen by the name a client asks for",
        where=OWN,
        ours=True,
    )
