"""Where certificates come from besides -CAfile and -CApath: stores, and those for one purpose alone."""

from __future__ import annotations

from .table import Options, directory, flag, text
from .verify import TRUST

BUILD = "own certificate chain"


class Stores(Options, title="Verification options"):
    """The trusted certificates, and those that complete one's own chain."""

    ca_store = text(
        "CAstore", "uri", "File or directory of trusted certificates, as URI or path", where=TRUST
    )
    no_ca_file = flag("no-CAfile", "Without the system's file of trusted certificates", where=TRUST)
    no_ca_path = flag("no-CApath", "Without the system's directory of trusted certificates", where=TRUST)
    no_ca_store = flag("no-CAstore", "Without the system's store of trusted certificates", where=TRUST)
    verify_ca_file = text("verifyCAfile", "file", "Trusted certificates for the peer alone", where=TRUST)
    verify_ca_path = directory("verifyCApath", "Directory of them, named by subject hash", where=TRUST)
    verify_ca_store = text("verifyCAstore", "uri", "File or directory of them, as URI or path", where=TRUST)
    chain_ca_file = text("chainCAfile", "file", "Certificates that complete one's own chain", where=BUILD)
    chain_ca_path = directory("chainCApath", "Directory of them, named by subject hash", where=BUILD)
    chain_ca_store = text("chainCAstore", "uri", "File or directory of them, as URI or path", where=BUILD)
