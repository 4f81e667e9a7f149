"""-help lists what OpenSSL's program has, group by group."""

from __future__ import annotations

import re

import pytest

from handglass.cli.options.help import help_text
from handglass.cli.options.s_server import SServerOptions

OPTIONS = {
    "Network": "port accept unix unlink 4 6 stateless naccept",
    "Input": "crlf ign_eof no_ign_eof ignore_unexpected_eof nbio nbio_test",
    "Answer": "www WWW HTTP rev http_server_binmode sendfile",
    "General": "help rand writerand debug_broken_protocol ssl_config",
    "Output": "quiet brief keymatexport keymatexportlen msg msgfile state keylogfile",
    "Verification": "nameopt verify_quiet",
    "Session": "context id_prefix no_cache ext_cache no_ticket num_tickets no_resume_ephemeral no_resumption_on_reneg",
    "Protocol": "allow_no_dhe_kex",
    "Extension": "servername servername_fatal alpn no_ca_names",
    "Identity": "nocert",
}


@pytest.mark.parametrize("title", OPTIONS)
def test_every_option_is_listed_in_its_group(title: str) -> None:
    text = help_text(SServerOptions)
    group = text[text.index(f"\n{title} options:\n") + 1 :].partition("\n\n")[0]
    listed = re.findall(r"^ -(\S+)", group, re.MULTILINE)
    assert set(OPTIONS[title].split()) <= set(listed)
