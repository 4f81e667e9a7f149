"""Rows about certificates that are revoked: by lists of every kind, by stapled responses."""

from __future__ import annotations

from collections.abc import Iterator

from cli.s_client.setups.parts import (
    GOOD,
    RECENT,
    SOON,
    Chain,
    Crls,
    Setup,
    issued,
    listed,
    plain,
    responding,
    row,
    subject,
    together,
)
from verify.support import build
from verify.support.build import Built
from verify.support.scenes import put


def revocation() -> Iterator[Setup]:
    check, everything = "-crl_check", "-crl_check_all"
    good, of_root, revoking = listed("middle"), listed("root"), listed("middle", "leaf")
    expired = listed("middle", end=RECENT + 1)
    above = together(good, listed("root", "middle"))
    yield row("leaf revoked", 23, GOOD, check, crls=revoking)
    yield row("leaf revoked, not looked for", 0, GOOD, crls=revoking)
    yield row("not revoked", 0, GOOD, check, crls=good)
    yield row("no list", 3, GOOD, check)
    yield row("intermediate revoked, not looked for", 0, GOOD, check, crls=above)
    yield row("intermediate revoked", 23, GOOD, everything, crls=above)
    yield row("nothing revoked", 0, GOOD, everything, crls=together(good, of_root))
    yield row("no list of the root", 3, GOOD, everything, crls=good)
    yield row("expired list", 12, GOOD, check, crls=expired)
    yield row("expired list, times not checked", 0, GOOD, check, "-no_check_time", crls=expired)
    yield row("list not yet valid", 11, GOOD, check, crls=listed("middle", start=SOON - 1))
    yield row("list without a next update", 0, GOOD, check, crls=listed("middle", end=None))
    yield row("damaged list", 8, GOOD, check, crls=listed("middle", damage=True))
    yield row("list of a stranger", 3, GOOD, check, crls=listed("middle", signer=build.ec_key("stranger")))
    unable = plain(middle=put("ku", build.key_usage(build.CERT_SIGN)))
    yield row("issuer that may not sign lists", 35, unable, check, crls=good)
    critical = listed("middle", extensions=[build.extension("1.2.3.4", b"\5\0", True)])
    yield row("unknown critical extension of a list", 36, GOOD, check, crls=critical)
    only_authorities = listed("middle", extensions=[build.crl_number(1), build.issuing_point(ca=True)])
    yield row("list for authorities only", 3, GOOD, check, crls=only_authorities)
    some_reasons = listed("middle", extensions=[build.crl_number(1), build.issuing_point(reasons=[1, 2])])
    yield row("list for some reasons", 3, GOOD, check, crls=some_reasons)
    yield row("list for some reasons, extended", 3, GOOD, check, "-extended_crl", crls=some_reasons)


def delta_lists() -> Iterator[Setup]:
    point = build.uri("http://crl.test/delta.crl")
    chain = plain(leaf=put("fresh", build.freshest(build.distribution_point([point]))))

    def delta(*entries: bytes) -> Crls:
        extensions = [build.crl_number(2), build.delta_indicator(1)]
        return lambda chain: [build.crl(chain["middle"], entries, extensions, start=RECENT, end=SOON)]

    serial = chain()["leaf"].serial
    revoking = together(listed("middle"), delta(build.revoked(serial)))
    removing = together(listed("middle", "leaf"), delta(build.revoked(serial, build.reason(8))))
    options = ("-crl_check", "-extended_crl", "-use_deltas")
    yield row("revoked in a delta list", 23, chain, *options, crls=revoking)
    yield row("revoked in a delta list, not used", 0, chain, *options[:2], crls=revoking)
    yield row("removed in a delta list", 0, chain, *options, crls=removing)
    yield row("removed in a delta list, not used", 23, chain, *options[:2], crls=removing)
    yield row("nothing new in a delta list", 0, chain, *options, crls=together(listed("middle"), delta()))


def indirect_lists() -> Iterator[Setup]:
    """OpenSSL's program looks its lists up by the certificate's issuer, and so never finds one of another's."""
    sent, options = ["leaf", "middle", "signer"], ("-crl_check", "-extended_crl")
    yield row("indirect list", 3, indirect, *options, sent=sent, crls=listing(), ours=0)
    yield row("revoked in an indirect list", 3, indirect, *options, sent=sent, crls=listing("leaf"), ours=23)
    yield row("indirect list, its signer unknown", 3, indirect, *options, crls=listing())
    yield row("indirect list, not extended", 3, indirect, "-crl_check", sent=sent, crls=listing("leaf"))


def indirect(url: str = "http://crl.test/") -> dict[str, Built]:
    """Give a chain whose leaf names a list that is signed by another, the "signer"."""
    point = build.distribution_point([build.uri(url)], issuer=subject("signer"))
    chain = plain(leaf=put("cdp", build.distribution_points(point)))()
    key = build.ec_key("signer")
    ids = [build.subject_key_id(key.identifier), build.authority_key_id(chain["root"].key.identifier)]
    chain["signer"] = issued(chain, "root", "signer", key, [build.key_usage(build.CRL_SIGN), *ids], serial=50)
    return chain


def listing(*revoked: str, url: str = "http://crl.test/") -> Crls:
    """Give a maker of the signer's list, which names these certificates of "middle"."""

    def made(chain: Chain) -> list[bytes]:
        named = build.certificate_issuer(chain["middle"].subject)
        entries = [build.revoked(chain[each].serial, named) for each in revoked]
        extensions = [build.crl_number(1), build.issuing_point([build.uri(url)], indirect=True)]
        return [build.crl(chain["signer"], entries, extensions, start=RECENT, end=SOON)]

    return made


def stapled_responses() -> Iterator[Setup]:
    """OpenSSL's program prints a response and believes it unseen; ours judges it if that is asked for."""
    yield row(
        "good response", 0, GOOD, "-status", response=responding("GOOD"), our_options=["-ocsp_check_leaf"]
    )
    for status, code in (("REVOKED", 23), ("UNKNOWN", 75)):
        yield row(f"response {status}", 0, GOOD, "-status", response=responding(status))
        yield row(
            f"response {status}, checked",
            0,
            GOOD,
            "-status",
            response=responding(status),
            our_options=["-ocsp_check_leaf"],
            ours=code,
        )
    yield row("no response, checked", 0, GOOD, "-status", our_options=["-ocsp_check_leaf"], ours=73)
    yield row(
        "response of a stranger, checked",
        0,
        GOOD,
        "-status",
        response=responding("GOOD", signer="leaf"),
        our_options=["-ocsp_check_leaf"],
        ours=74,
    )
