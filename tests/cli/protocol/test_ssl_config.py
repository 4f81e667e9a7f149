"""-ssl_config: what each command of a section stands for, and that it is done, by both programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from handglass.cli.options.s_client import SClientOptions
from handglass.cli.options.s_server import SServerOptions
from handglass.cli.protocol.negotiation import SettingError
from handglass.cli.protocol.ssl_config import OPTION_FLAGS, configured
from handglass.crypto.containers import load_certificates
from handglass.handshake.config import ClientConfig
from handglass.net import blocking
from handglass.registry.code_points import SignatureScheme
from support.peers import ADDRESS, OpenSSLServer, needs
from support.pki import Pki
from support.processes import Process
from support.s_client import ENVIRONMENT, OURS, ours

HEAD = "openssl_conf = init\n[init]\nssl_conf = list\n[list]\nmine = section\nnowhere = gone\n[section]\n"


def write(directory: Path, commands: str) -> dict[str, str]:
    """Write a file with this section under the name "mine"; the environment that leads there."""
    path = directory / "openssl.cnf"
    path.write_text(HEAD + commands)
    return {"OPENSSL_CONF": str(path)}


def given(directory: Path, commands: str, *words: str, server: bool = False) -> list[tuple[str, object]]:
    """The options of a command line with this section before it."""
    program = SServerOptions if server else SClientOptions
    options = configured(program.parse(list(words)), "mine", write(directory, commands))
    return [(row.names[0], value) for row, value in options.given]


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("MinProtocol = TLSv1.2", [("min_protocol", "TLSv1.2")]),
        ("MaxProtocol = tlsv1.2", [("max_protocol", "TLSv1.2")]),
        ("MinProtocol = None", [("min_protocol", "None")]),
        ("MinProtocol = DTLSv1.2", []),
        ("Protocol = -TLSv1.3", [("no_tls1_3", True)]),
        ("Protocol = -ALL, TLSv1.2", [(f"no_{v}", True) for v in ("ssl3", "tls1", "tls1_1", "tls1_3")]),
        ("Protocol = ALL,-TLSv1,-DTLSv1,+SSLv2", [("no_tls1", True)]),
        ("Protocol = -TLSv1.2,+TLSv1.2", []),
        ("CipherString = DEFAULT:@SECLEVEL=2", [("cipher", "DEFAULT:@SECLEVEL=2")]),
        ("cipherstring = AES", [("cipher", "AES")]),
        ("Ciphersuites = TLS_AES_128_GCM_SHA256", [("ciphersuites", "TLS_AES_128_GCM_SHA256")]),
        ("Groups = X448:P-256", [("groups", "X448:P-256")]),
        ("Curves = X448", [("groups", "X448")]),
        ("1.Groups = P-256\n2.Groups = X448", [("groups", "P-256"), ("groups", "X448")]),
        ("SignatureAlgorithms = RSA+SHA256", [("sigalgs", "RSA+SHA256")]),
        ("ClientSignatureAlgorithms = ed25519", [("client_sigalgs", "ed25519")]),
        ("Certificate = c.pem", [("cert", "c.pem"), ("cert_chain", "c.pem")]),
        (
            "PrivateKey = k.pem\nCertificate = c.pem",
            [("cert", "c.pem"), ("cert_chain", "c.pem"), ("key", "k.pem")],
        ),
        (
            "A.Certificate = a\nB.PrivateKey = kb\nB.Certificate = b",
            [("cert", "a"), ("cert_chain", "a"), ("xcert", "b"), ("xchain", "b"), ("xkey", "kb")],
        ),
        ("ChainCAFile = f", [("chainCAfile", "f")]),
        ("VerifyCAFile = f", [("verifyCAfile", "f")]),
        ("VerifyCAStore = f", [("verifyCAstore", "f")]),
        ("RequestCAFile = f", [("requestCAfile", "f")]),
        ("RecordPadding = 512", [("record_padding", 512)]),
        ("VerifyMode = Peer", [("verify_return_error", True)]),
        ("Options = -SessionTicket,Bugs", [("no_ticket", True), ("bugs", True)]),
        ("Options = EncryptThenMac,-EncryptThenMac", [("no_etm", True)]),
        ("Options = UnsafeLegacyServerConnect", [("legacy_server_connect", True)]),
        ("Options = -UnsafeLegacyServerConnect", [("no_legacy_server_connect", True)]),
        (
            "Options = -MiddleboxCompat, AllowNoDHEKEX, NoRenegotiation,-Compression",
            [
                ("no_middlebox", True),
                ("allow_no_dhe_kex", True),
                ("no_renegotiation", True),
                ("no_comp", True),
            ],
        ),
        (
            "Options = UnsafeLegacyRenegotiation,StrictCertCheck,IgnoreUnexpectedEOF",
            [("legacy_renegotiation", True), ("strict", True), ("ignore_unexpected_eof", True)],
        ),
        ("Options = EmptyFragments,DHSingle,-ECDHSingle,SessionTicket,-KTLS,-Bugs", []),
    ],
)
def test_commands_of_a_client(tmp_path: Path, command: str, options: list[tuple[str, object]]) -> None:
    assert given(tmp_path, command) == options


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("NumTickets = 5", [("num_tickets", 5)]),
        ("DHParameters = f", [("dhparam", "f")]),
        ("ECDHParameters = Automatic", []),
        ("ECDHParameters = P-384", [("named_curve", "P-384")]),
        ("VerifyMode = Request", [("verify", 100)]),
        ("VerifyMode = Require", [("Verify", 100)]),
        (
            "Options = ServerPreference,PrioritizeChaCha,NoResumptionOnRenegotiation,ClientRenegotiation",
            [
                ("serverpref", True),
                ("prioritize_chacha", True),
                ("no_resumption_on_reneg", True),
                ("client_renegotiation", True),
            ],
        ),
        ("Options = -AntiReplay,-CANames", [("no_anti_replay", True), ("no_ca_names", True)]),
        ("Options = AntiReplay,CANames", [("anti_replay", True)]),
    ],
)
def test_commands_of_a_server(tmp_path: Path, command: str, options: list[tuple[str, object]]) -> None:
    assert given(tmp_path, command, server=True) == options


@pytest.mark.parametrize(
    ("command", "server", "sentence"),
    [
        ("Nonsense = 1", False, "s_client: Nonsense is no command of SSL_CONF_cmd(3) that is known here"),
        ("min_protocol = TLSv1.2", False, "min_protocol is no command"),
        ("MinProtocol = TLSv9", False, "MinProtocol = TLSv9: "),
        ("Protocol = TLSv9", False, "Protocol = TLSv9: tlsv9 is no protocol"),
        ("Options = Nonsense", False, "Options = Nonsense: there is no flag nonsense"),
        ("Options = KTLS", False, "Options = KTLS: ktls cannot be set here"),
        ("Options = Compression", False, "s_client has no -comp, which this section asks for"),
        ("Options = ServerPreference", False, "s_client has no -serverpref"),
        ("NumTickets = 1", False, "s_client has no -num_tickets"),
        ("NumTickets = many", True, "-num_tickets, which this section asks for: Can't parse"),
        ("VerifyMode = Require", False, "s_client has no mode require; there is peer"),
        ("VerifyMode = Peer", True, "s_server has no mode peer; there is request and require"),
        ("VerifyCAPath = none/such", False, "-verifyCApath, which this section asks for: Not a directory"),
        ("a", False, "openssl.cnf, line 8: a setting needs an equal sign after its name"),
    ],
)
def test_mistakes(tmp_path: Path, command: str, sentence: str, *, server: bool) -> None:
    with pytest.raises(SettingError) as caught:
        given(tmp_path, command, server=server)
    first, second = str(caught.value).split("\n")
    assert first == 'Error using configuration "mine"'
    assert sentence in second


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the value openssl_conf is missing"),
        ("openssl_conf = gone", "there is no section [gone]"),
        ("openssl_conf = init\n[init]", "the section [init] names no ssl_conf"),
        ("openssl_conf = init\n[init]\nssl_conf = gone", "there is no section [gone]"),
        (HEAD.replace("mine", "other"), "the section [list] names no mine"),
        (HEAD.replace("[section]", ""), "there is no section [section]"),
    ],
)
def test_ways_that_lead_nowhere(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "openssl.cnf").write_text(text)
    with pytest.raises(SettingError) as caught:
        configured(SClientOptions.parse([]), "mine", {"OPENSSL_CONF": str(tmp_path / "openssl.cnf")})
    assert sentence in str(caught.value)


def test_the_command_line_comes_last(tmp_path: Path) -> None:
    commands = "Groups = X448\nMaxProtocol = TLSv1.2\nCertificate = c\nPrivateKey = k\nB.Certificate = b\n"
    options = configured(
        SClientOptions.parse(["-groups", "P-256", "-cert", "mine.pem"]), "mine", write(tmp_path, commands)
    )
    assert (options.groups, options.max_protocol, options.cert) == ("P-256", "TLSv1.2", "mine.pem")
    assert (options.key, options.cert_chain, options.xcert) == (None, None, None)


def test_every_flag_is_written_small() -> None:
    assert all(flag == flag.lower() for flag in OPTION_FLAGS)


# With both programs ------------------------------------------------------------------------------------------


@needs("openssl")
def test_a_client(pki: Pki, tmp_path: Path) -> None:
    """Version and suite of the section are negotiated, unless the command line says otherwise."""
    commands = "MaxProtocol = TLSv1.2\nCipherString = ECDHE-RSA-AES128-GCM-SHA256\n"
    environment = write(tmp_path, commands)
    with OpenSSLServer(pki.server("rsa")) as server:
        found = ours(server.port, "-ssl_config", "mine", env=environment)
        assert b"New, TLSv1.2, Cipher is ECDHE-RSA-AES128-GCM-SHA256" in found.stdout
        found = ours(server.port, "-ssl_config", "mine", "-tls1_3", env=environment)
        assert b"New, TLSv1.3" in found.stdout
        found = ours(server.port, "-ssl_config", "x", env=environment)
        assert (found.returncode, found.stdout) == (1, b"")
        assert found.stderr.startswith(b'Error using configuration "x"\n')
        assert server.text.count("-----BEGIN SSL SESSION PARAMETERS-----") == 2


@needs("openssl")
def test_a_clients_certificate(pki: Pki, tmp_path: Path) -> None:
    """A certificate with its chain from one file, and the schemes to sign with."""
    client = pki.client("rsa")
    commands = (
        f"Certificate = {client.chain}\nPrivateKey = {client.key}\n"
        "ClientSignatureAlgorithms = RSA-PSS+SHA512:RSA+SHA512\nVerifyMode = Peer\n"
        f"VerifyCAFile = {pki.roots}\n"
    )
    environment = write(tmp_path, commands)
    with OpenSSLServer(
        pki.server("rsa"), "-Verify", "3", "-verify_return_error", trust=client.root
    ) as server:
        for version in ("-tls1_2", "-tls1_3"):
            found = ours(server.port, "-ssl_config", "mine", version, env=environment)
            assert found.returncode == 0, found.text
            assert b"\nShared Requested Signature Algorithms: RSA-PSS+SHA512:RSA+SHA512\n" in found.stdout
            assert b"Verify return code: 0 (ok)" in found.stdout
        assert server.text.count("Peer signing digest: SHA512") == 2


def test_a_server(pki: Pki, tmp_path: Path) -> None:
    """Two certificates, a version left out, and no tickets."""
    rsa, ec = pki.server("rsa"), pki.server("p256")
    commands = (
        f"RSA.Certificate = {rsa.chain}\nRSA.PrivateKey = {rsa.key}\n"
        f"EC.Certificate = {ec.chain}\nEC.PrivateKey = {ec.key}\n"
        "Protocol = -TLSv1.2\nNumTickets = 0\n"
    )
    command = [*OURS[:-1], "s_server", "-accept", f"{ADDRESS}:0", "-ssl_config", "mine"]
    with Process(command, env={**ENVIRONMENT, **write(tmp_path, commands)}) as server:
        port = int(server.wait_for(r"^ACCEPT \S*:(\d+)$")[1])
        for scheme, identity in (
            (SignatureScheme.RSA_PSS_RSAE_SHA256, rsa),
            (SignatureScheme.ECDSA_SECP256R1_SHA256, ec),
        ):
            config = ClientConfig(signature_schemes=(scheme, SignatureScheme.RSA_PKCS1_SHA256))
            with blocking.connect(ADDRESS, port, config=config, verify=False) as stream:
                assert stream.version.name == "TLS1_3"
                chain = stream.negotiated.peer_certificates
                assert len(chain) == 2
                assert chain[0] == load_certificates(identity.certificate.read_bytes())[0]
                assert stream.sessions == []
        server.send(b"Q\n")
        assert server.wait() == 0


def test_a_server_that_cannot(tmp_path: Path) -> None:
    command = [*OURS[:-1], "s_server", "-accept", f"{ADDRESS}:0", "-ssl_config", "mine"]
    with Process(command, env={**ENVIRONMENT, **write(tmp_path, "Nonsense = 1\n")}) as server:
        assert server.wait() == 1
        assert server.text.count('Error using configuration "mine"\ns_server: Nonsense is no command') == 1
