"""Real servers from Debian's packages, each configured for one test.

Own directory, free port, ended by its pid.

Each of the functions below starts one server on 127.0.0.1 and gives the port; `tls` decides whether it offers
STARTTLS. A server that insists on a user of its own gets one if we are root; otherwise it runs as we do.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from handglass.records import dataclass
from support.peers import program
from support.pki import Identity
from support.processes import Process, free_port, run

ROOT = os.geteuid() == 0


@dataclass(frozen=True)
class Workshop:
    """A directory that every user may enter, with a certificate in it."""

    directory: Path

    @property
    def chain(self) -> Path:
        return self.directory / "chain.pem"

    @property
    def key(self) -> Path:
        return self.directory / "key.pem"

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def folder(self, name: str, owner: str | None = None, mode: int = 0o755) -> Path:
        path = self.directory / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        if ROOT and owner is not None:
            shutil.chown(path, owner)
        return path


@contextmanager
def workshop(identity: Identity) -> Iterator[Workshop]:
    """Give a workshop and remove it. Not below pytest's directory, which only its owner may enter."""
    directory = Path(tempfile.mkdtemp(prefix="handglass-"))
    try:
        directory.chmod(0o755)
        shop = Workshop(directory)
        shutil.copyfile(identity.chain, shop.chain)
        shutil.copyfile(identity.key, shop.key)
        yield shop
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def listening(
    shop: Workshop,
    argv: Sequence[str | Path],
    port: int,
    env: dict[str, str] | None = None,
    *,
    ready: str = "",
) -> Iterator[int]:
    """Run a server. `ready` is what it prints when it answers, if it listens before it does."""
    with Process(argv, env=env, cwd=shop.directory) as process:
        process.wait_until_listening(port)
        if ready:
            process.wait_for(ready)
        yield port


def user(name: str) -> str:
    """Return the user that a server runs as: `name`, or ourselves if we are not root."""
    return name if ROOT else pwd.getpwuid(os.geteuid()).pw_name


def group(name: str) -> str:
    """Return the group that a server runs as."""
    return name if ROOT else grp.getgrgid(os.getegid()).gr_name


def as_user(name: str) -> list[str]:
    """Return what stands in front of a command that is to run as `name`, if we are root."""
    if not ROOT:
        return []
    return [program("setpriv"), f"--reuid={name}", f"--regid={name}", "--clear-groups", "--"]


@contextmanager
def postfix(shop: Workshop, *, tls: bool) -> Iterator[int]:
    """An SMTP server. Its master must be root."""
    port = free_port()
    configuration = shop.folder("postfix")
    shop.folder("data", "postfix")
    for name in ("", "pid", "private", "public"):
        shop.folder(f"queue/{name}", "postfix" if name.startswith("p") else None)
    shop.write(
        "postfix/main.cf",
        f"""
        compatibility_level = 3.6
        queue_directory = {shop.directory}/queue
        data_directory = {shop.directory}/data
        myhostname = server.test
        inet_interfaces = 127.0.0.1
        inet_protocols = ipv4
        maillog_file = {shop.directory}/log
        maillog_file_prefixes = {shop.directory}
        alias_maps =
        alias_database =
        mydestination =
        local_recipient_maps =
        smtpd_tls_security_level = {"may" if tls else "none"}
        smtpd_tls_chain_files = {shop.key}, {shop.chain}
        """.replace("\n        ", "\n"),
    )
    shop.write(
        "postfix/master.cf",
        f"127.0.0.1:{port} inet n - n - - smtpd\n"
        "cleanup unix n - n - 0 cleanup\n"
        "rewrite unix - - n - - trivial-rewrite\n"
        "anvil unix - - n - 1 anvil\n"
        "tlsmgr unix - - n 1000? 1 tlsmgr\n"
        "postlog unix-dgram n - n - 1 postlogd\n",
    )
    master = Path(
        run([program("postconf"), "-h", "daemon_directory"]).check().stdout.decode().strip(), "master"
    )
    with listening(shop, [master, "-c", configuration, "-d"], port):
        yield port


@contextmanager
def dovecot(shop: Workshop, *, tls: bool) -> Iterator[dict[str, int]]:
    """One server for IMAP, POP3, LMTP and ManageSieve; gives the port of each, by its word for -starttls."""
    ports = {word: free_port() for word in ("imap", "pop3", "lmtp", "sieve")}
    services = {"imap": "imap-login", "pop3": "pop3-login", "lmtp": "lmtp", "sieve": "managesieve-login"}
    listeners = "".join(
        f"service {services[word]} {{\n inet_listener {word} {{\n  address = 127.0.0.1\n  port = {port}\n }}\n}}\n"
        for word, port in ports.items()
    )
    no_tls_ports = "".join(
        f"service {word}-login {{\n inet_listener {word}s {{\n  port = 0\n }}\n}}\n"
        for word in ("imap", "pop3")
    )
    jails = ("anvil", "stats", "imap-login", "pop3-login", "managesieve-login")  # only root may lock them up
    unlocked = "" if ROOT else "".join(f"service {service} {{\n chroot =\n}}\n" for service in jails)
    base = shop.folder("dovecot")
    configuration = shop.write(
        "dovecot.conf",
        f"""
protocols = imap pop3 lmtp sieve
base_dir = {base}/run
state_dir = {base}/state
log_path = /dev/stderr
default_internal_user = {user("dovecot")}
default_internal_group = {group("dovecot")}
default_login_user = {user("dovenull")}
listen = 127.0.0.1
ssl = {"yes" if tls else "no"}
ssl_cert = <{shop.chain}
ssl_key = <{shop.key}
mail_location = maildir:{base}/mail
passdb {{
  driver = static
  args = nopassword
}}
userdb {{
  driver = static
  args = uid={user("nobody")} gid=nogroup home={base}/home
}}
{listeners}{no_tls_ports}{unlocked}""",
    )
    with Process([program("dovecot"), "-F", "-c", configuration], cwd=shop.directory) as process:
        for port in ports.values():
            process.wait_until_listening(port)
        yield ports


@contextmanager
def vsftpd(shop: Workshop, *, tls: bool) -> Iterator[int]:
    port = free_port()
    configuration = shop.write(
        "vsftpd.conf",
        f"""listen=YES
background=NO
listen_address=127.0.0.1
listen_port={port}
anonymous_enable=YES
anon_root={shop.folder("ftp", mode=0o555)}
secure_chroot_dir={shop.folder("empty")}
run_as_launching_user={"NO" if ROOT else "YES"}
seccomp_sandbox=NO
ssl_enable={"YES" if tls else "NO"}
allow_anon_ssl=YES
force_local_logins_ssl=NO
force_local_data_ssl=NO
rsa_cert_file={shop.chain}
rsa_private_key_file={shop.key}
""",
    )
    configuration.chmod(0o600)
    with listening(shop, [program("vsftpd"), configuration], port):
        yield port


@contextmanager
def prosody(shop: Workshop, role: str, *, tls: bool) -> Iterator[int]:
    """XMPP: the port for clients (`c2s`) or for servers (`s2s`)."""
    port = free_port()
    data = shop.folder("data")
    modules = '"c2s", "s2s", "saslauth"' + (', "tls"' if tls else "")
    configuration = shop.write(
        "prosody.cfg.lua",
        f"""
        run_as_root = true
        pidfile = "{shop.directory}/prosody.pid"
        data_path = "{data}"
        daemonize = false
        log = {{ info = "*console" }}
        interfaces = {{ "127.0.0.1" }}
        c2s_ports = {{ {port if role == "c2s" else ""} }}
        s2s_ports = {{ {port if role == "s2s" else ""} }}
        c2s_direct_tls_ports = {{ }}
        s2s_direct_tls_ports = {{ }}
        http_ports = {{ }}
        https_ports = {{ }}
        modules_enabled = {{ {modules} }}
        modules_disabled = {{ {"" if tls else '"tls"'} }}
        c2s_require_encryption = false
        s2s_require_encryption = false
        authentication = "internal_hashed"
        VirtualHost "server.test"
            ssl = {{ key = "{shop.key}", certificate = "{shop.chain}" }}
        """,
    )
    with listening(shop, [program("prosody"), "--config", configuration, "-F"], port):
        yield port


@contextmanager
def inspircd(shop: Workshop, *, tls: bool) -> Iterator[int]:
    port = free_port()
    modules = '<module name="ssl_gnutls"><module name="starttls">' if tls else ""
    profile = (
        f'<sslprofile name="Clients" provider="gnutls" certfile="{shop.chain}" keyfile="{shop.key}">'
        if tls
        else ""
    )
    configuration = shop.write(
        "inspircd.conf",
        f"""
        <server name="server.test" description="test" network="Test" id="00A">
        <admin name="x" nick="x" email="x@server.test">
        {modules}
        {profile}
        <bind address="127.0.0.1" port="{port}" type="clients">
        <connect allow="*" starttlsprofile="Clients" timeout="60" resolvehostnames="no">
        <starttls sslprofile="Clients">
        <path configdir="{shop.directory}" datadir="{shop.directory}" logdir="{shop.directory}"
              runtimedir="{shop.directory}">
        <pid file="{shop.directory}/pid">
        <log method="file" type="*" level="default" target="{shop.directory}/log">
        """,
    )
    argv: list[str | Path] = [program("inspircd"), "--config", configuration, "--nofork", "--nopid"]
    argv += ["--runasroot"] if ROOT else []
    with listening(shop, argv, port):
        yield port


@contextmanager
def ngircd(shop: Workshop) -> Iterator[int]:
    """An IRC server that knows no STARTTLS."""
    port = free_port()
    configuration = shop.write(
        "ngircd.conf",
        f"""
        [Global]
        Name = server.test
        Info = test
        Listen = 127.0.0.1
        Ports = {port}
        PidFile =
        ServerUID = {user("nobody")}
        [Options]
        DNS = no
        Ident = no
        PAM = no
        """,
    )
    with listening(shop, [program("ngircd"), "--nodaemon", "--config", configuration], port):
        yield port


@contextmanager
def postgres(shop: Workshop, *, tls: bool) -> Iterator[int]:
    """PostgreSQL; it refuses to be root."""
    port = free_port()
    data = shop.folder("data", "postgres", mode=0o700)
    if ROOT:
        shutil.chown(shop.key, "postgres")
    shop.key.chmod(0o600)
    run(
        [*as_user("postgres"), program("initdb"), "--no-sync", "--auth=trust", "-D", data], cwd=shop.directory
    ).check()
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "ssl": "on" if tls else "off",
        "ssl_cert_file": shop.chain,
        "ssl_key_file": shop.key,
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    argv: list[str | Path] = [*as_user("postgres"), program("postgres"), "-D", data, *options]
    # The port is open while the postmaster still turns clients away: "the database system is starting up".
    with listening(shop, argv, port, ready="database system is ready to accept connections"):
        yield port


@contextmanager
def mariadb(shop: Workshop, *, tls: bool) -> Iterator[int]:
    port = free_port()
    data = shop.folder("data")
    options = [
        "--no-defaults",
        f"--user={user('root')}",
        f"--datadir={data}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={shop.directory}/socket",
        f"--pid-file={shop.directory}/pid",
        "--skip-grant-tables",
        "--skip-networking=0",
        "--innodb-fast-shutdown=2",
        "--innodb-flush-log-at-trx-commit=0",
    ]
    options += [f"--ssl-cert={shop.chain}", f"--ssl-key={shop.key}"] if tls else ["--skip-ssl"]
    with listening(shop, [program("mariadbd"), *options], port, ready="ready for connections"):
        yield port


@contextmanager
def nnrpd(shop: Workshop, *, tls: bool) -> Iterator[int]:
    """INN's server for readers, by itself."""
    port = free_port()
    for name in ("etc", "db", "run", "spool", "log", "tmp"):
        shop.folder(name, "news")
    shop.write(
        "etc/readers.conf",
        'auth "x" { hosts: "*" default: "<x>" }\naccess "x" { users: "*" newsgroups: "*" }\n',
    )
    shop.write("etc/storage.conf", "method tradspool {\n newsgroups: *\n class: 0\n}\n")
    if ROOT:
        shutil.chown(shop.key, "news", "news")
    shop.key.chmod(0o600)
    certificates = f"tlscertfile: {shop.chain}\ntlskeyfile: {shop.key}\n" if tls else ""
    configuration = shop.write(
        "etc/inn.conf",
        f"""
mta: "/bin/true"
pathhost: server.test
fromhost: server.test
domain: server.test
hismethod: hisv6
ovmethod: tradindexed
pathoverview: {shop.directory}/db
runasuser: {user("news")}
runasgroup: {group("news")}
pathnews: /usr/lib/news
pathetc: {shop.directory}/etc
pathdb: {shop.directory}/db
pathrun: {shop.directory}/run
pathspool: {shop.directory}/spool
pathlog: {shop.directory}/log
pathtmp: {shop.directory}/tmp
{certificates}""",
    )
    for name in ("active", "newsgroups", "active.times"):
        shop.write(f"db/{name}", "")
    environment = {"INNCONF": str(configuration)}
    run([*as_user("news"), program("tdx-util"), "-c", "-n", "test.group"], env=environment).check()
    argv = [program("nnrpd"), "-D", "-f", "-b", "127.0.0.1", "-p", str(port)]
    with listening(shop, argv, port, env=environment):
        yield port


@contextmanager
def slapd(shop: Workshop, *, tls: bool) -> Iterator[int]:
    port = free_port()
    certificates = f"TLSCertificateFile {shop.chain}\nTLSCertificateKeyFile {shop.key}\n" if tls else ""
    configuration = shop.write("slapd.conf", f"pidfile {shop.directory}/pid\n{certificates}")
    with listening(
        shop, [program("slapd"), "-h", f"ldap://127.0.0.1:{port}", "-f", configuration, "-d", "0"], port
    ):
        yield port


@contextmanager
def nats(shop: Workshop, *, tls: bool) -> Iterator[int]:
    port = free_port()
    # By itself it gives a client two seconds for its handshake, which on a busy machine are not enough.
    certificates = (
        f'tls {{ cert_file: "{shop.chain}", key_file: "{shop.key}", timeout: 60 }}\n' if tls else ""
    )
    configuration = shop.write("nats.conf", f"listen: 127.0.0.1:{port}\n{certificates}")
    with listening(shop, [program("nats-server"), "-c", configuration], port):
        yield port


@contextmanager
def tinyproxy(shop: Workshop, *, user_and_password: tuple[str, str] | None = None) -> Iterator[int]:
    """An HTTP proxy that lets CONNECT through to every port but 9."""
    port = free_port()
    authentication = f"BasicAuth {' '.join(user_and_password)}\n" if user_and_password else ""
    denied = shop.write("filter", "^denied\\.test$\n")
    configuration = shop.write(
        "tinyproxy.conf",
        f"Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nLogLevel Info\n"
        f'Filter "{denied}"\nFilterType ere\n{authentication}',
    )
    with listening(shop, [program("tinyproxy"), "-d", "-c", configuration], port):
        yield port


@contextmanager
def danted(shop: Workshop) -> Iterator[int]:
    """A SOCKS proxy, versions 4 and 5, that lets nobody to 127.0.0.9."""
    port = free_port()
    configuration = shop.write(
        "danted.conf",
        f"""
logoutput: stderr
internal: 127.0.0.1 port = {port}
external: lo
socksmethod: none
clientmethod: none
user.privileged: {user("root")}
user.unprivileged: {user("nobody")}
client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
socks block {{ from: 0.0.0.0/0 to: 127.0.0.9/32 }}
socks pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
""",
    )
    with listening(shop, [program("danted"), "-f", configuration], port):
        yield port


@contextmanager
def microsocks(shop: Workshop, *, user_and_password: tuple[str, str] | None = None) -> Iterator[int]:
    """A SOCKS 5 proxy with a user of its own."""
    port = free_port()
    credentials = ["-u", user_and_password[0], "-P", user_and_password[1]] if user_and_password else []
    with listening(shop, [program("microsocks"), "-i", "127.0.0.1", "-p", str(port), *credentials], port):
        yield port
