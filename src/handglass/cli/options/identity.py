"""Identity options: one's own certificate and key."""

from __future__ import annotations

from .table import Options, directory, flag, form, text, text_or

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
    dcert = text("dcert", "file", "Second certificate, with a key of another type", where=OWN)
    dkey = text("dkey", "file", "Its private key; the file of -dcert if none is given", where=OWN)
    dcert_chain = text("dcert_chain", "file", "Intermediate certificates to send with it", where=OWN)
    dpass = text("dpass", "source", "Pass phrase of its key", where=OWN)
    dcertform = form("dcertform", "Format of -dcert; found out if not given", where=OWN, words=FORMS)
    dkeyform = form("dkeyform", "Format of -dkey; found out if not given", where=OWN, words=FORMS)
    nocert = flag("nocert", "No certificate at all: only suites that need none can be used", where=OWN)
    throwaway_cert = flag(
        "throwaway_cert", "Serve a certificate made in memory for this run", where=OWN, ours=True
    )
    cert_dir = directory(
        "cert_dir",
        "Directory of certificates with their keys, chosen by the name a client asks for",
        where=OWN,
        ours=True,
    )


class IdentityForms(Options, title="Identity options"):
    """On both sides: the formats of the files, and the chain."""

    certform = form("certform", "Format of -cert; found out if not given", where=OWN, words=FORMS)
    keyform = form("keyform", "Format of -key; found out if not given", where=OWN, words=FORMS)
    build_chain = flag(
        "build_chain", "Build the chain before anything else, and end if it does not verify", where=OWN
    )


class ExtraIdentities(Options, title="Identity options"):
    """On both sides: more certificates to choose from."""

    xcert = text("xcert", "file", "One more certificate to choose from; begins a new set", where=OWN)
    xkey = text("xkey", "file", "Private key of the set; the file of -xcert if none is given", where=OWN)
    xchain = text("xchain", "file", "Intermediate certificates of the set", where=OWN)
    xchain_build = flag("xchain_build", "Build the chain of the set as -build_chain does", where=OWN)
    xcertform = form("xcertform", "Format of -xcert; found out if not given", where=OWN, words=FORMS)
    xkeyform = form("xkeyform", "Format of -xkey; found out if not given", where=OWN, words=FORMS)
