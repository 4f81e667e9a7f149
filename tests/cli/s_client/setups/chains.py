"""Rows about the chain itself: validity, issuers, names, purposes, what an authority may, how strong it all is."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import ec

from cli.s_client.setups.parts import (
    EXPIRED,
    FUTURE,
    GOOD,
    LONG_AGO,
    NOT_YET,
    PAST,
    SHA1,
    Chain,
    Setup,
    issued,
    longer,
    plain,
    row,
    self_signed,
    subject,
)
from verify.support import build
from verify.support.build import DAY
from verify.support.scenes import FAULTS, all_of, drop, option, put

WITHOUT_SECONDS = option(validity=build.seq(build.encode(0x17, b"2001010000Z"), build.time(FUTURE)))


def validity() -> Iterator[Setup]:
    yield row("all in order", 0)
    yield row("expired leaf", 10, plain(leaf=EXPIRED))
    yield row("expired intermediate", 10, plain(middle=EXPIRED))
    yield row("expired root", 10, plain(root=EXPIRED))
    yield row("leaf not yet valid", 9, plain(leaf=NOT_YET))
    yield row("intermediate not yet valid", 9, plain(middle=NOT_YET))
    yield row("unreadable date", 13, plain(leaf=WITHOUT_SECONDS))
    yield row("expired, times not checked", 0, plain(leaf=EXPIRED), "-no_check_time")
    yield row("expired, at a time when it was valid", 0, plain(leaf=EXPIRED), "-attime", str(PAST + 1))
    yield row("at a time before", 9, GOOD, "-attime", str(PAST - DAY))
    yield row("at a time after", 10, GOOD, "-attime", "4000000000")
    yield row("at a time after, times not checked", 10, GOOD, "-attime", "4000000000", "-no_check_time")


def issuers() -> Iterator[Setup]:
    alone = {"leaf": self_signed("leaf", [build.alternative_names(build.dns("server.test"))])}
    yield row("self-signed leaf", 18, lambda: alone, sent=["leaf"], trusted=[])
    yield row("self-signed leaf, trusted", 0, lambda: alone, sent=["leaf"], trusted=["leaf"])
    yield row("root sent, not trusted", 19, sent=["leaf", "middle", "root"], trusted=[])
    yield row("root sent and trusted", 0, sent=["leaf", "middle", "root"])
    yield row("unknown authority", 20, trusted=[])
    yield row("missing intermediate", 21, sent=["leaf"])
    yield row("missing intermediate that is trusted", 0, sent=["leaf"], trusted=["middle", "root"])
    yield row("the wrong order", 0, longer(), sent=["leaf", "upper", "middle"])
    yield row("strangers between", 0, longer(), sent=["leaf", "root", "upper", "leaf", "middle"])
    yield row("the upper one of two missing", 20, longer(), sent=["leaf", "middle"])
    yield row("only the intermediate trusted", 2, trusted=["middle"], sent=["leaf"])
    yield row("partial chain", 0, GOOD, "-partial_chain", trusted=["middle"], sent=["leaf"])
    yield row("partial chain to the leaf", 0, GOOD, "-partial_chain", trusted=["leaf"], sent=["leaf"])
    yield row("damaged leaf", 7, plain(leaf=option(damage=True)))
    yield row("damaged intermediate", 7, plain(middle=option(damage=True)))
    yield row("damaged root", 0, plain(root=option(damage=True)))
    yield row("damaged root, looked at", 7, plain(root=option(damage=True)), "-check_ss_sig")
    yield row("unknown signature algorithm", 21, plain(leaf=FAULTS["algorithm unknown"]))
    yield row("another issuer of that name", 21, impostor, trusted=["impostor"], sent=["leaf"])
    yield row("cross-signed", 0, crossed, sent=["leaf", "middle", "cross"], trusted=["old"])
    yield row(
        "cross-signed, both trusted", 0, crossed, sent=["leaf", "middle", "cross"], trusted=["old", "root"]
    )
    yield row("expired cross-signature beside the root", 0, crossed, sent=["leaf", "middle", "expired cross"])
    yield row(
        "expired cross-signature alone",
        10,
        crossed,
        sent=["leaf", "middle", "expired cross"],
        trusted=["old"],
    )
    yield row(
        "cross-signed, no alternatives",
        0,
        crossed,
        "-trusted_first",
        "-no_alt_chains",
        sent=["leaf", "middle", "expired cross", "cross"],
        trusted=["old", "root"],
    )


def impostor() -> Chain:
    key = build.ec_key("impostor")
    return {**GOOD(), "impostor": build.certificate(subject("middle"), key, None, build.ca_extensions(key))}


def crossed() -> Chain:
    chain = GOOD()
    chain["old"] = self_signed("old", build.ca_extensions(build.ec_key("old")))
    extensions = build.ca_extensions(chain["root"].key, chain["old"].key)
    chain["cross"] = issued(chain, "old", "root", chain["root"].key, extensions, serial=8)
    chain["expired cross"] = issued(
        chain, "old", "root", chain["root"].key, extensions, serial=9, end=LONG_AGO
    )
    return chain


def depths() -> Iterator[Setup]:
    yield row("depth 0", 20, GOOD, "-verify_depth", "0")
    yield row("depth 1", 0, GOOD, "-verify_depth", "1")
    yield row(
        "depth 1, two intermediates", 20, longer(), "-verify_depth", "1", sent=["leaf", "middle", "upper"]
    )
    yield row("-verify 5", 0, GOOD, "-verify", "5")
    yield row(
        "-verify 1, two intermediates", 0, longer(), "-verify", "1", sent=["leaf", "middle", "upper"], ours=20
    )


def names() -> Iterator[Setup]:
    several = plain(
        leaf=put(
            "san",
            build.alternative_names(
                build.dns("server.test"),
                build.dns("*.wild.test"),
                build.email("me@mail.test"),
                build.ip(bytes(4)),
            ),
        )
    )
    common = plain(leaf=drop("san"))
    yield row("host", 0, GOOD, "-verify_hostname", "server.test")
    yield row("host in capitals", 0, GOOD, "-verify_hostname", "SERVER.test")
    yield row("wrong host", 62, GOOD, "-verify_hostname", "other.test")
    yield row("wildcard", 0, several, "-verify_hostname", "a.wild.test")
    yield row("wildcard for two labels", 62, several, "-verify_hostname", "a.b.wild.test")
    yield row("common name", 0, common, "-verify_hostname", "leaf")
    yield row("common name beside other names", 62, GOOD, "-verify_hostname", "leaf")
    yield row("mailbox", 0, several, "-verify_email", "me@MAIL.test")
    yield row("wrong mailbox", 63, several, "-verify_email", "you@mail.test")
    yield row("address", 0, several, "-verify_ip", "0.0.0.0")
    yield row("wrong address", 64, several, "-verify_ip", "127.0.0.1")
    yield row("address of the other family", 64, several, "-verify_ip", "::1")
    yield row("wrong host, and expired", 10, plain(leaf=EXPIRED), "-verify_hostname", "other.test")


def purposes() -> Iterator[Setup]:
    client_only = plain(leaf=FAULTS["usage client"])
    mail = plain(leaf=FAULTS["usage mail"])
    encipherer = plain(leaf=all_of(FAULTS["usage encipherment"], drop("eku")))
    yield row("client's certificate", 26, client_only)
    yield row("client's certificate, wanted", 0, client_only, "-purpose", "sslclient")
    yield row("client's certificate, for anything", 0, client_only, "-purpose", "any")
    yield row("server's certificate for clients", 26, GOOD, "-purpose", "sslclient")
    yield row("server's certificate for mail", 26, GOOD, "-purpose", "smimesign")
    yield row("server's certificate for old servers", 0, encipherer, "-purpose", "nssslserver")
    yield row("certificate for signed mail", 0, mail, "-purpose", "smimesign")
    yield row("certificate for enciphered mail", 26, mail, "-purpose", "smimeencrypt")
    yield row("certificate for lists", 26, GOOD, "-purpose", "crlsign")
    yield row("certificate for timestamps", 26, GOOD, "-purpose", "timestampsign")
    yield row("certificate for a responder", 0, GOOD, "-purpose", "ocsphelper")
    yield row("parameters of ssl_client", 26, GOOD, "-verify_name", "ssl_client")
    yield row("parameters of ssl_server", 0, GOOD, "-verify_name", "ssl_server")
    yield row("parameters of smime_sign", 26, GOOD, "-verify_name", "smime_sign")
    yield row("intermediate for clients only", 26, plain(middle=FAULTS["usage client"]))


def authorities() -> Iterator[Setup]:
    yield row("intermediate that is no authority", 26, plain(middle=FAULTS["not a ca"]))
    yield row("intermediate without basic constraints", 79, plain(middle=FAULTS["no basic constraints"]))
    yield row("intermediate of version 1", 26, plain(middle=FAULTS["version 1, no extensions"]))
    yield row(
        "intermediate that may not sign certificates", 32, plain(middle=FAULTS["usage without signing"])
    )
    yield row(
        "path length exceeded", 25, longer(upper=FAULTS["path length 0"]), sent=["leaf", "middle", "upper"]
    )
    yield row("path length kept", 0, longer(upper=FAULTS["path length 1"]), sent=["leaf", "middle", "upper"])
    yield row("root of version 1", 0, plain(root=FAULTS["version 1, no extensions"]))
    yield row("root that may not sign certificates", 32, plain(root=FAULTS["usage without signing"]))
    yield row("unknown critical extension", 34, plain(leaf=FAULTS["unknown critical"]))
    yield row("unknown critical extension above", 34, plain(middle=FAULTS["unknown critical"]))
    yield row(
        "unknown critical extension, ignored", 0, plain(leaf=FAULTS["unknown critical"]), "-ignore_critical"
    )
    yield row("malformed extension", 21, plain(leaf=FAULTS["malformed usage"]))
    yield row("an extension twice", 21, plain(leaf=FAULTS["extension twice"]))


def strictness() -> Iterator[Setup]:
    """What only -x509_strict minds, without and with it."""
    yield row("strictly in order", 0, GOOD, "-x509_strict")
    for title, code, chain in (
        ("constraints of a root not critical", 89, plain(root=FAULTS["constraints not critical"])),
        ("root without key usage", 92, plain(root=FAULTS["no key usage"])),
        ("root without key id", 86, plain(root=FAULTS["no key id"])),
        ("path length of a leaf", 81, plain(leaf=FAULTS["path length of no ca"])),
        ("leaf without authority id", 85, plain(leaf=FAULTS["no authority id"])),
        ("empty alternative names", 87, plain(leaf=FAULTS["empty alternative names"])),
        ("extensions in version 1", 93, plain(leaf=FAULTS["version 1"])),
    ):
        yield row(title, 0, chain)
        yield row(f"{title}, strictly", code, chain, "-x509_strict")


def strength() -> Iterator[Setup]:
    """Keys and hashes at each -auth_level, the lowest one first."""
    p384, p521 = (
        {name: build.ec_key(f"{name} {curve.name}", curve) for name in ("root", "middle", "leaf")}
        for curve in (ec.SECP384R1, ec.SECP521R1)
    )
    for title, chain, outcomes in (
        ("RSA-1024 below P-256", plain({"leaf": build.rsa_key(1024)}), (0, 0, 66, 66, 67, 67)),
        ("RSA-2048 below P-256", plain({"leaf": build.rsa_key(2048)}), (0, 0, 0, 66, 67, 67)),
        ("RSA-3072 below P-256", plain({"leaf": build.rsa_key(3072)}), (0, 0, 0, 0, 67, 67)),
        ("P-256 below RSA-1024", plain({"middle": build.rsa_key(1024)}), (0, 0, 67, 67, 67, 67)),
        ("P-256 with SHA-256", GOOD, (0, 0, 0, 0, 67, 67)),
        ("P-384 with SHA-384", plain(p384), (0, 0, 0, 0, 0, 67)),
        ("P-521 with SHA-256", plain(p521), (0, 0, 0, 0, 68, 68)),
        ("intermediate signed with SHA-1", plain(middle=SHA1), (0, 68, 68, 68, 67, 67)),
    ):
        for level, code in enumerate(outcomes):
            yield row(f"{title}, level {level}", code, chain, "-auth_level", str(level))
    md5 = option(outer=build.algorithm(build.MD5_RSA, null=True))
    below_rsa = plain({"middle": build.rsa_key(2048)}, leaf=md5)
    yield row("leaf signed with SHA-1", 68, plain(leaf=SHA1))
    yield row("root signed with SHA-1", 0, plain(root=SHA1))
    yield row("leaf signed with MD5", 68, below_rsa)
    yield row("leaf signed with MD5, level 0", 0, below_rsa, "-auth_level", "0")


def suite_b() -> Iterator[Setup]:
    p384 = {name: build.ec_key(f"{name} p384", ec.SECP384R1) for name in ("root", "middle", "leaf")}
    mixed = {"root": p384["root"], "middle": p384["middle"]}
    yield row("P-256 for 128 bits", 0, GOOD, "-suiteB_128")
    yield row("P-256 for 128 bits only", 0, GOOD, "-suiteB_128_only")
    yield row("P-256 for 192 bits", 60, GOOD, "-suiteB_192")
    yield row("P-384 for 128 bits", 0, plain(p384), "-suiteB_128")
    yield row("P-384 for 128 bits only", 60, plain(p384), "-suiteB_128_only")
    yield row("P-384 for 192 bits", 0, plain(p384), "-suiteB_192")
    yield row("P-256 below P-384", 0, plain(mixed), "-suiteB_128")
    yield row("P-384 below P-256", 61, plain({"leaf": p384["leaf"]}), "-suiteB_128")
    yield row("RSA", 57, plain({"leaf": build.rsa_key(2048)}), "-suiteB_128")
    yield row("SHA-1 in suite B", 59, plain(leaf=SHA1), "-suiteB_128", "-auth_level", "0")
    yield row("version 1 in suite B", 56, plain(leaf=FAULTS["version 1, no extensions"]), "-suiteB_128")
