"""Cipher strings, against `openssl ciphers` over the suites that it has."""

from __future__ import annotations

import subprocess
from functools import cache

import pytest

from handglass.cli.lists.ciphers import CipherChoice, parse_ciphers, parse_ciphersuites
from handglass.cli.lists.errors import ListError
from handglass.registry.code_points import CipherSuite
from handglass.registry.suites import all_facts, by_openssl_name, facts_of
from support.peers import needs

EVERY_SUITE = tuple(facts.suite for facts in all_facts().values())
openssl_needed = needs("openssl")


def openssl(rule: str) -> list[str] | str:
    """Return the names that openssl makes of a rule, or the reason of its refusal."""
    done = subprocess.run(
        ["openssl", "ciphers", "-ciphersuites", "", "--", rule],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        return done.stderr.split(":")[-4] if ":" in done.stderr else done.stderr
    return done.stdout.strip().split(":")


@cache
def known_to_openssl() -> tuple[CipherSuite, ...]:
    names = openssl("ALL:COMPLEMENTOFALL")
    assert isinstance(names, list)
    found = [by_openssl_name(name) for name in names]
    assert None not in found
    return tuple(facts.suite for facts in found if facts is not None)


def names(choice: CipherChoice) -> list[str]:
    return [facts.openssl_name for suite in choice.suites if (facts := facts_of(suite)) is not None]


RULES = """
ALL
DEFAULT
HIGH
FIPS
ALL:COMPLEMENTOFALL
COMPLEMENTOFALL
COMPLEMENTOFDEFAULT
COMPLEMENTOFDEFAULT:eNULL
DEFAULT:eNULL
DEFAULT:!AES
DEFAULT:!ECDHE:!PSK
DEFAULT@SECLEVEL=1:!ECDHE
DEFAULTX
DEFAULTALL
DEFAULT+AES
AES128-SHA:DEFAULT
HIGH:!aNULL:!MD5
HIGH:MEDIUM:LOW:!eNULL
HIGH:+AES128
HIGH:+aRSA:-kRSA:kRSA
ALL:-AES:AES
ALL:-AES256:+ECDHE
ALL:-ECDHE:-AESGCM:ALL
ALL:!ALL:ALL
ALL:!AES128-SHA:AES128-SHA
ALL:@STRENGTH
ALL@STRENGTH
ALL:eNULL:@STRENGTH
AES128:AES256:@STRENGTH
AES128:AES256@STRENGTH@SECLEVEL=9
kRSA
kECDHE
kEECDH
kDHE
kEDH
kPSK
kRSAPSK
kDHEPSK
kECDHEPSK
kSRP
kGOST
SRP
PSK
RSA
DH
ECDH
DHE
EDH
ECDHE
EECDH
ADH
AECDH
aRSA
aDSS
DSS
aECDSA
ECDSA
aPSK
aSRP
aGOST
aNULL
eNULL
NULL
AES
AES128
AES256
AESGCM
AESCCM
AESCCM8
CAMELLIA
CAMELLIA128
CAMELLIA256
ARIA
ARIAGCM
ARIA128
ARIA256
CHACHA20
CBC
3DES
RC4
SEED
IDEA
LOW
MEDIUM
MD5
SHA
SHA1
SHA256
SHA384
SSLv3
TLSv1
TLSv1.0
TLSv1.1
TLSv1.2
TLSv1.3
TLSv1.2+kRSA
TLSv1.2+SSLv3
TLSv1+SSLv3
kRSA+AES
kRSA+AES+SHA256
kRSA+ECDHE
ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM
EECDH+ECDSA+AESGCM:EECDH+aRSA+AESGCM:EECDH+ECDSA+SHA384:EECDH:!aNULL
aRSA+ECDHE+AESGCM+SHA384
HIGH+FIPS
FIPS+AES
COMPLEMENTOFDEFAULT+aNULL
AES128-SHA
AES128-SHA,AES256-SHA
AES128-SHA AES256-SHA;AES128-GCM-SHA256
AES128-SHA+AES256-SHA
AES128-SHA+kRSA
AES128-SHA+TLSv1.2
AES128-SHA+kECDHE
AES128-SHA:BOGUS:AES256-SHA
AES128-SHA:-BOGUS
kRSA+BOGUS
kRSA+BOGUS:AES128-SHA
BOGUS+kRSA
ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256
ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384
ALL:+AES128-SHA
ALL:-AES128-SHA
!aNULL:ALL
-ALL:AES128-SHA
+AES128-SHA
!ALL
@STRENGTH
AES128-SHA@STRENGTH:@SECLEVEL=1
AES128-SHA:@SECLEVEL=0
AES128-SHA:@SECLEVEL=5
AES128-SHA:@SECLEVEL=6
AES128-SHA:@SECLEVEL=12
AES128-SHA:@SECLEVEL=
AES128-SHA:@FOO
AES128-SHA:@
AES128-SHA:%%
AES128-SHA:!
AES128-SHA:+
AES128-SHA:-
AES128-SHA:--
AES128-SHA%
kRSA+
kRSA++AES
++kRSA
:AES128-SHA::
::
BOGUS
aes128-sha
SUITEB128
SUITEB128ONLY
SUITEB128C2
SUITEB192
SUITEB192:AES128-SHA
SUITEB128FOO
AES128-SHA:SUITEB128
HIGH:!SUITEB128:AES128-SHA
ALL:!DHE:!EDH:!kRSA:!PSK:!SRP:+SHA1:@STRENGTH:-CAMELLIA:CAMELLIA
ALL:!LOW:!EXP:!MD5:!3DES:@STRENGTH
EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH
ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:RSA+AESGCM:RSA+AES:!aNULL:!MD5:!DSS
""".strip().splitlines()


@openssl_needed
@pytest.mark.parametrize("rule", ["", *RULES])
def test_as_openssl(rule: str) -> None:
    theirs = openssl(rule)
    try:
        ours: list[str] | str = names(parse_ciphers(rule, known_to_openssl()))
    except ListError as error:
        ours = error.reason
    assert ours == theirs


@openssl_needed
def test_every_suite_by_its_name() -> None:
    for suite in known_to_openssl():
        facts = facts_of(suite)
        assert facts is not None
        assert parse_ciphers(facts.openssl_name, known_to_openssl()).suites == (suite,)


@openssl_needed
def test_the_order_of_what_is_available_does_not_matter() -> None:
    forwards = parse_ciphers("ALL:eNULL", known_to_openssl())
    assert parse_ciphers("ALL:eNULL", known_to_openssl()[::-1]) == forwards


def test_levels_and_suite_b_are_reported() -> None:
    choice = parse_ciphers("ALL:@SECLEVEL=0:BOGUS:@SECLEVEL=3:NADA", EVERY_SUITE)
    assert choice.security_level == 3
    assert choice.unknown == ("BOGUS", "NADA")
    assert choice.suite_b is None
    assert parse_ciphers("SUITEB128ONLY", EVERY_SUITE).suite_b == "128_only"
    assert parse_ciphers("SUITEB128", EVERY_SUITE).suite_b == "128"
    assert parse_ciphers("SUITEB192", EVERY_SUITE).suite_b == "192"


def test_iana_names_and_older_spellings_are_taken_too() -> None:
    wanted = CipherSuite.TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA
    for name in ("TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", "DHE-RSA-DES-CBC3-SHA", "EDH-RSA-DES-CBC3-SHA"):
        assert parse_ciphers(name, EVERY_SUITE).suites == (wanted,)


def test_what_openssl_has_dropped() -> None:
    exported = parse_ciphers("EXPORT40", EVERY_SUITE).suites
    assert CipherSuite.TLS_RSA_EXPORT_WITH_RC4_40_MD5 in exported
    assert CipherSuite.TLS_RSA_WITH_RC4_128_MD5 not in exported
    for word in ("LOW", "MEDIUM", "DES", "RC4", "RC2", "IDEA", "SEED", "kDH", "kECDH", "KRB5", "EXPORT56"):
        assert parse_ciphers(word, EVERY_SUITE).suites
    default = parse_ciphers("DEFAULT", EVERY_SUITE).suites
    assert not set(default) & set(parse_ciphers("EXP:LOW:MEDIUM:eNULL:aNULL", EVERY_SUITE).suites)


def test_a_suite_that_is_not_available_is_no_unknown_word() -> None:
    with pytest.raises(ListError) as caught:
        parse_ciphers("AES256-SHA", [CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA])
    assert caught.value.detail == ""
    with pytest.raises(ListError, match="no cipher match: AES-WHAT names nothing"):
        parse_ciphers("AES-WHAT", EVERY_SUITE)


def test_ciphersuites() -> None:
    chosen = parse_ciphersuites("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", EVERY_SUITE)
    assert chosen.suites == (CipherSuite.TLS_CHACHA20_POLY1305_SHA256, CipherSuite.TLS_AES_128_GCM_SHA256)
    assert parse_ciphersuites("", EVERY_SUITE).suites == ()
    one = parse_ciphersuites(" TLS_AES_128_GCM_SHA256 : TLS_AES_128_GCM_SHA256:BOGUS", EVERY_SUITE)
    assert one == CipherChoice((CipherSuite.TLS_AES_128_GCM_SHA256,), unknown=("BOGUS",))
    for bad in ("BOGUS", ":", "AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", "tls_aes_256_gcm_sha384"):
        with pytest.raises(ListError, match="no cipher match"):
            parse_ciphersuites(bad, EVERY_SUITE)
