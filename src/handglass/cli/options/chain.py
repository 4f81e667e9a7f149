"""How a certificate chain is judged: OpenSSL's X509_VERIFY_PARAM options, the same in every program.

Order matters here: `-verify_name` sets what its set says over what stands before it, so whoever reads these
options goes through `given`.
"""

from __future__ import annotations

from . import values
from .table import Option, Options, flag, number, text, texts

PARAMETERS = "certificate verification"
PURPOSES = (
    "sslclient",
    "sslserver",
    "nssslserver",
    "smimesign",
    "smimeencrypt",
    "crlsign",
    "any",
    "ocsphelper",
    "timestampsign",
)
SETS = ("default", "pkcs7", "smime_sign", "ssl_client", "ssl_server")


def _named(name: str, metavar: str, words: tuple[str, ...], help: str) -> Option[str | None]:
    """Make a row whose argument is one of `words`; a wrong one is told in OpenSSL's words by who reads it."""
    return Option(name, metavar, help, convert=values.anything, default=None, where=PARAMETERS, words=words)


class ChainChecks(Options, title="Validation options"):
    """What a chain is checked for."""

    policy = texts("policy", "oid", "Certificate policy to accept (dotted or by name)", where=PARAMETERS)
    purpose = _named("purpose", "purpose", PURPOSES, "What the chain must be good for")
    verify_name = _named("verify_name", "name", SETS, "Take a named set of parameters")
    verify_depth = number(
        "verify_depth", "n", "How many intermediate certificates to allow", where=PARAMETERS
    )
    auth_level = number(
        "auth_level", "n", "Security level that keys and signatures must have", where=PARAMETERS
    )
    attime = number(
        "attime", "epoch", "Check validity at this time (seconds since 1970)", where=PARAMETERS, bits=64
    )
    verify_email = text(
        "verify_email", "address", "Mail address that the certificate must carry", where=PARAMETERS
    )
    verify_ip = text("verify_ip", "address", "IP address that the certificate must carry", where=PARAMETERS)
    ignore_critical = flag(
        "ignore_critical", "Accept critical extensions that are not understood", where=PARAMETERS
    )
    issuer_checks = flag("issuer_checks", "Nothing; kept for old scripts", where=PARAMETERS)
    crl_check = flag("crl_check", "Check whether the leaf is revoked", where=PARAMETERS)
    crl_check_all = flag(
        "crl_check_all", "Check whether any certificate of the chain is revoked", where=PARAMETERS
    )
    policy_check = flag("policy_check", "Process certificate policies", where=PARAMETERS)
    explicit_policy = flag("explicit_policy", "Demand an acceptable policy", where=PARAMETERS)
    inhibit_any = flag("inhibit_any", "anyPolicy does not stand for other policies", where=PARAMETERS)
    inhibit_map = flag("inhibit_map", "Policies may not be mapped", where=PARAMETERS)
    x509_strict = flag("x509_strict", "Demand what RFC 5280 demands, without workarounds", where=PARAMETERS)
    extended_crl = flag("extended_crl", "Allow indirect CRLs and those for some reasons", where=PARAMETERS)
    use_deltas = flag("use_deltas", "Use delta CRLs", where=PARAMETERS)
    policy_print = flag("policy_print", "Print the outcome of policy processing", where=PARAMETERS)
    check_ss_sig = flag("check_ss_sig", "Check the root's own signature too", where=PARAMETERS)
    trusted_first = flag("trusted_first", "Nothing: trusted certificates always come first", where=PARAMETERS)
    suite_b_128_only = flag("suiteB_128_only", "Suite B at the 128-bit level only", where=PARAMETERS)
    suite_b_128 = flag("suiteB_128", "Suite B at the 128-bit level, P-384 allowed", where=PARAMETERS)
    suite_b_192 = flag("suiteB_192", "Suite B at the 192-bit level", where=PARAMETERS)
    partial_chain = flag("partial_chain", "A trusted intermediate certificate is enough", where=PARAMETERS)
    no_alt_chains = flag("no_alt_chains", "Nothing: trusted certificates always come first", where=PARAMETERS)
    no_check_time = flag("no_check_time", "Do not check validity periods", where=PARAMETERS)
    allow_proxy_certs = flag("allow_proxy_certs", "Allow proxy certificates (RFC 3820)", where=PARAMETERS)
