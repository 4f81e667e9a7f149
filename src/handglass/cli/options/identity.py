"""Identity options: one's own certificate and key."""

from __future__ import annotations

from .table import Options, flag, form, text, text_or

OWN = "own certificate"
FORMS = ("DER", "PEM", "P12")


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


class Identity(Options, title="Identity options"):
    """Formats, built chains and further sets, for whoever has a certificate."""

    certform = form("certform", "Format of -cert; found out if not given", where=OWN, words=FORMS)
    keyform = form("keyform", "Format of -key; found out if not given", where=OWN, words=FORMS)
    build_chain = flag("build_chain", "Complete the chain at the start, or end if it cannot be", where=OWN)
    xcert = text("xcert", "file", "One more certificate to choose from; begins a new set", where=OWN)
    xkey = text("xkey", "file", "Private key of the set", where=OWN)
    xchain = text("xchain", "file", "Intermediate certificates of the set", where=OWN)
    xchain_build = flag("xchain_build", "Complete the chain of the set", where=OWN)
    xcertform = form("xcertform", "Format of -xcert; found out if not given", where=OWN, words=FORMS)
    xkeyform = form("xkeyform", "Format of -xkey; found out if not given", where=OWN, words=FORMS)
