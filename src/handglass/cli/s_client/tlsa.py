"""-dane_lookup: the server's TLSA records are looked up before anything connects, and shown.

What is used and what is not follows RFC 7671 and RFC 6698 §4.1, and for -starttls smtp RFC 7672:

- Records that DNSSEC validated authenticate the server. The name that they stand at is the server name to ask for, and
  with the name that was looked up the one that the certificate must bear.
- If there are none, or none that can be used, or no validation, the chain is judged without DANE.
- If the DNS cannot answer, nothing connects: a lookup that was made to fail must not switch DANE off.
- Mail servers (-starttls smtp): records of usage 0 and 1 do not count (RFC 7672 §3.1.3), and usage 3 needs no name
  (§3.1.1). MX records are not looked up: it is the mail server that is named, not the domain.
"""

from __future__ import annotations

from handglass.cli.s_client.settings import Settings, StartError
from handglass.cli.screen import Screen
from handglass.net.dane_lookup import TlsaAnswer, find_tlsa
from handglass.net.dial import Target
from handglass.net.errors import NetError
from handglass.records import replace
from handglass.verify.dane import DANE_TA, DaneRecords, TlsaRecord

MAIL = "smtp"


def with_tlsa(settings: Settings, screen: Screen) -> Settings:
    """Return the settings with the records that count, which are told. Raises StartError if there is no answer."""
    options, target = settings.options, settings.way.target
    name = settings.config.server_name
    host = name if options.dane_tlsa_domain is None else options.dane_tlsa_domain
    if host is None or not isinstance(target, Target):
        raise StartError("s_client: -dane_lookup needs a name: give -servername or -dane_tlsa_domain")
    try:
        answer = find_tlsa(host, target.number, resolver=options.dns_server)
    except NetError as error:
        raise StartError(f"s_client: {error.sentence}") from error
    mail = options.starttls == MAIL
    records = [each for each in answer.records if not mail or each.usage >= DANE_TA]
    for line in _told(answer, records):
        screen.error(f"s_client: {line}")
    if not records:
        return settings
    keys = settings.dane.records if settings.dane is not None else ()  # of -expected-rpks
    params = settings.params
    if options.verify_hostname is None:
        params = replace(params, hosts=tuple(dict.fromkeys((answer.base, host.removesuffix(".")))))
    if options.dane_tlsa_domain is None or options.servername is None:
        name = answer.base  # RFC 7671 §7; who names another server besides means it
    return replace(
        settings,
        config=replace(settings.config, server_name=name),
        params=params,
        dane=DaneRecords([*records, *keys], no_ee_name_checks=options.dane_ee_no_namechecks or mail),
    )


def _told(answer: TlsaAnswer, used: list[TlsaRecord]) -> list[str]:
    """Say what the DNS has and what becomes of it."""
    far = "" if answer.nearby else ", which is believed over the network"
    if not answer.validated:
        lines = [f"TLSA {answer.name}: not secure (no AD bit from the resolver {answer.resolver}{far})"]
        lines += [f"  {record} (not validated, not used)" for record in answer.unproven]
        return [*lines, "the chain is judged without DANE"]
    lines = [f"TLSA {answer.name}: secure (validated by the resolver {answer.resolver}{far})"]
    lines += [
        f"  {record}" + ("" if record in used else " (not for mail servers)") for record in answer.records
    ]
    lines += [f"  {sentence}" for sentence in answer.unusable]
    if not used:
        there = "no record can be used" if answer.records or answer.unusable else "there are no records"
        lines.append(f"{there}: the chain is judged without DANE")
    return lines
