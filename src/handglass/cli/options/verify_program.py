"""The options of `handglass verify`."""

from __future__ import annotations

from .chain import ChainChecks
from .misc import General
from .parser import UsageError
from .table import Options, directory, flag, target_words, text, texts
from .verify import CHAIN, TRUST, PeerName


class Files(Options, title="Certificate chain options"):
    """Where certificates come from, what is shown."""

    verbose = flag("verbose", "Say more about each problem", where="output")
    nameopt = texts("nameopt", "options", "How names are printed", where="output")
    trusted = texts("trusted", "file", "Trusted certificates, and no others", where=TRUST)
    ca_file = text("CAfile", "file", "Trusted certificates", where=TRUST)
    ca_path = directory("CApath", "Directory of trusted certificates named by subject hash", where=TRUST)
    ca_store = text("CAstore", "uri", "URI of trusted certificates", where=TRUST)
    no_ca_file = flag("no-CAfile", "Without the system's file of trusted certificates", where=TRUST)
    no_ca_path = flag("no-CApath", "Without the system's directory of trusted certificates", where=TRUST)
    no_ca_store = flag("no-CAstore", "Without the system's store of trusted certificates", where=TRUST)
    untrusted = texts("untrusted", "file", "Certificates that may stand in between", where=CHAIN)
    crl_file = texts("CRLfile", "file", "Revocation lists", where=CHAIN)
    crl_download = flag("crl_download", "Fetch revocation lists from where the certificates say", where=CHAIN)
    show_chain = flag("show_chain", "Print the chain that was built", where="output")
    certificates = target_words(
        "cert", "Files with a certificate each; standard input without any", where=CHAIN
    )


class VerifyOptions(
    General,
    Files,
    ChainChecks,
    PeerName,
    program="verify",
    usage="[options] [cert...]",
    summary="Verify certificates in files, and tell all that is wrong with each",
):
    """The parsed command line of `handglass verify`."""

    def check(self) -> None:
        """Look at options that exclude each other. Raises UsageError."""
        if self.trusted and (self.ca_file or self.ca_path or self.ca_store):
            raise UsageError("verify: Cannot use -trusted with -CAfile, -CApath or -CAstore")
