"""Algorithm options: suites, groups and signature schemes, best first."""

from __future__ import annotations

from .table import Options, flag, text


class Algorithms(Options, title="Algorithm options"):
    """What is offered or accepted."""

    cipher = text(
        "cipher",
        "list",
        "Suites for TLS 1.2 and below, as a cipher string; @SECLEVEL=n sets the level",
        where="suites",
    )
    ciphersuites = text("ciphersuites", "list", "Suites for TLS 1.3, separated by colons", where="suites")
    groups = text(
        ("groups", "curves"),
        "list",
        "Key exchange groups, separated by colons; a client sends a key share for the first",
        where="supported_groups, key_share",
    )
    sigalgs = text(
        "sigalgs",
        "list",
        "Signature algorithms accepted from the peer, separated by colons",
        where="signature_algorithms",
    )


class ClientAlgorithms(Options, title="Algorithm options"):
    """What only a client says."""

    client_sigalgs = text(
        "client_sigalgs",
        "list",
        "Signature algorithms for the own certificate; those of -sigalgs if none are given",
        where="CertificateVerify",
    )


class ServerAlgorithms(Options, title="Algorithm options"):
    """Whose order counts."""

    serverpref = flag(
        "serverpref",
        "The server's order of suites and groups decides, not the client's",
        where="suites, groups",
    )
    prioritize_chacha = flag(
        "prioritize_chacha",
        "With -serverpref: ChaCha20 goes first for clients that prefer it",
        where="suites",
    )
    named_curve = text(
        "named_curve",
        "curve",
        "The one group for the key exchange, in place of -groups; auto changes nothing",
        where="groups",
    )
    dhparam = text(
        "dhparam",
        "file",
        "Diffie-Hellman parameters for DHE in TLS 1.2 and below",
        where="ServerKeyExchange: dh_p, dh_g",
    )
    no_dhe = flag("no_dhe", "Without DHE in TLS 1.2 and below", where="suites")
    client_sigalgs = text(
        "client_sigalgs",
        "list",
        "Signature algorithms for certificates of clients; those of -sigalgs if none are given",
        where="CertificateRequest: signature_algorithms",
    )
