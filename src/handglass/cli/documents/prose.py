"""What the manual pages say beside the options."""

from __future__ import annotations

from .blocks import Example, Page, Section, Terms

LISTS = Section(
    "Lists",
    (
        Terms(
            (
                (
                    "Cipher strings (-cipher)",
                    "The language of openssl-ciphers(1): names of suites, OpenSSL's or IANA's, and words "
                    "such as `HIGH`, `ECDHE` or `AESGCM`, joined with `+` where all must apply, separated "
                    "by colons, commas or blanks. In front of a word `!` removes for good, `-` removes, "
                    "`+` moves to the end. `@STRENGTH` sorts by key length, `@SECLEVEL=n` sets the "
                    "security level. Words that name nothing are passed over; a string that leaves no "
                    "suite is an error.",
                ),
                (
                    "Suites of TLS 1.3 (-ciphersuites)",
                    "IANA's names, such as `TLS_AES_128_GCM_SHA256`, separated by colons.",
                ),
                (
                    "Groups (-groups)",
                    "Names such as `X25519`, `P-256`, `secp384r1`, `ffdhe2048` or `X25519MLKEM768`, "
                    "separated by colons. `*` in front of a name marks a group that gets a key share "
                    "(otherwise the first one does), `?` a name that may be unknown, `-` takes a group out "
                    "again; a slash separates groups of different rank.",
                ),
                (
                    "Signature algorithms (-sigalgs)",
                    "`RSA+SHA256`, `RSA-PSS+SHA512`, `ECDSA+SHA256`, `ed25519` or IANA's names, such as "
                    "`rsa_pss_rsae_sha256`, separated by colons.",
                ),
                ("Application protocols (-alpn)", "Names such as `h2` and `http/1.1`, separated by commas."),
            )
        ),
    ),
)

SECRETS = Section(
    "Pass phrases",
    (
        "Where an option takes the source of a pass phrase, it is one of:",
        Terms(
            (
                ("pass:phrase", "The phrase itself. Other users of the machine can see it."),
                ("env:variable", "The value of an environment variable."),
                ("file:path", "The first line of a file."),
                ("fd:number", "The first line read from a file descriptor."),
                ("stdin", "The first line of standard input."),
            )
        ),
    ),
)

VERSIONS = Section(
    "Versions",
    (
        "Without an option every supported version is offered. An option that names a version leaves only "
        "this one; the options that begin with `-no_` take versions out, and both kinds do not go "
        "together.",
        "A hello of TLS 1.2 and below names only its highest version, so there must be no hole among the "
        "versions below TLS 1.3. If the options leave one, the highest block without a hole is offered, "
        "beside TLS 1.3 if that is not taken out, and the program says what it offers.",
    ),
)

CONFIGURATION = Section(
    "Configuration",
    (
        "`-ssl_config name` reads OpenSSL's configuration file: the one that OPENSSL_CONF names, or openssl.cnf of the "
        "system. From `openssl_conf` of its first section the way goes over `ssl_conf` to the name. What stands there "
        "are the commands of SSL_CONF_cmd(3): versions, suites, groups, signature algorithms, certificates and "
        "keys, places of trust, `Options`, `VerifyMode` and the like. They count as if their options stood first on "
        "the command line. What is unknown or cannot be done ends the program.",
    ),
)

SUCCESS = ("0", "The connection ended in order, or help was printed.")
FAILURE = ("1", "Anything else: options that cannot be followed, no connection, a handshake that failed.")
STATUS = Section("Exit status", (Terms((SUCCESS, FAILURE)),))
CLIENT_STATUS = Section(
    "Exit status",
    (
        Terms(
            (
                SUCCESS,
                FAILURE,
                ("129, 130, 143", "SIGHUP, SIGINT (Ctrl-C), SIGTERM: close_notify was sent first."),
            )
        ),
    ),
)

S_CLIENT = Page(
    description=(
        "Connects to a TLS server, shows everything about the connection in the layout of `openssl "
        "s_client`, and then passes what it reads from standard input to the server and what the server "
        "sends to standard output.",
        "The certificate of the server is always judged, and what is wrong with it is shown; the "
        "connection goes on nevertheless unless `-verify_return_error` is given. The name in the "
        "certificate is compared only if `-verify_hostname` says with what.",
        "If a handshake fails, the reason is told in words, with the alert and the section of the RFC it "
        "comes from.",
    ),
    sections=(
        VERSIONS,
        LISTS,
        SECRETS,
        Section(
            "Getting there",
            (
                "All addresses of a name are tried, a new one every quarter of a second until one stands. Behind a "
                "proxy, names are looked up by the proxy; the server name in the ClientHello is the target's.",
                "With `-starttls` the server's own words are shown if it refuses. Text that comes between its "
                "go-ahead and TLS is reported and thrown away. MongoDB and Redis need no `-starttls`: they "
                "speak TLS from the first byte.",
                "Every time limit ends with a sentence that names it, and with status 1. `-starttls_timeout` "
                "is that of each question to the server or to a proxy and its whole answer.",
            ),
        ),
        Section(
            "DANE",
            (
                "With `-dane_lookup` the TLSA records of the server are looked up before anything connects: at "
                "`_port._tcp.` and the name of `-dane_tlsa_domain`, else the server name. Only an answer that the "
                "resolver has validated (AD bit) counts; if there is none, the chain is judged without DANE, and if "
                "the DNS fails, nothing connects. Where the name is an alias and all of it is validated, the records "
                "of its target go first, which is then the server name asked for (RFC 7671 §7).",
                "Behind `-starttls smtp` the rules for mail servers hold: usage 0 and 1 do not count, usage 3 needs no "
                "name. Name the mail server, not the domain: MX records are not looked up.",
            ),
        ),
        Section(
            "Commands",
            (
                "While a connection stands, a line of the input that is nothing but one of these letters "
                "is a command, unless `-quiet`, `-ign_eof` or `-nocommands` was given:",
                Terms(
                    (
                        ("Q", "End the connection and the program."),
                        ("R", "Renegotiate (TLS 1.2)."),
                        ("k", "Send a key update (TLS 1.3)."),
                        ("K", "Send a key update and ask the server for one (TLS 1.3)."),
                        (
                            "B",
                            "Send a heartbeat request, if `-heartbeat` has agreed on them with the server.",
                        ),
                        ("C", "Close the connection, connect again and resume the session."),
                    )
                ),
                "With `-adv` commands are words in braces instead, anywhere in the input; `{{` sends a brace. A line "
                "with nothing but commands is not sent. Where a command is unknown or not complete, the rest of its "
                "line is not sent.",
                Terms(
                    (
                        ("{help}", "List the commands."),
                        ("{quit}", "End the connection and the program."),
                        ("{reconnect}", "Connect again and resume; the rest of the input goes there."),
                        ("{reneg}", "Renegotiate (TLS 1.2)."),
                        ("{keyup}, {keyup:req}", "Send a key update and ask the server for one (TLS 1.3)."),
                        ("{keyup:noreq}", "Send a key update (TLS 1.3)."),
                        ("{heartbeat}", "Send a heartbeat request."),
                        ("{fin}", "Nothing here: it finishes a stream of QUIC."),
                    )
                ),
            ),
        ),
        CONFIGURATION,
        CLIENT_STATUS,
        Section(
            "Examples",
            (
                Example("Everything about a server:", "handglass s_client example.com:443 </dev/null"),
                Example(
                    "Is the certificate all right, for a script:",
                    "handglass s_client -connect example.com:443 -brief \\\n"
                    "    -verify_return_error -verify_hostname example.com </dev/null",
                ),
                Example(
                    "A mail server, through a proxy:",
                    "handglass s_client -starttls smtp -proxy proxy.example:3128 \\\n"
                    "    -connect mail.example.com:25 </dev/null",
                ),
                Example(
                    "Save the chain that a server sends:",
                    "handglass s_client -showcerts example.com:443 </dev/null",
                ),
                Example(
                    "Does it resume sessions:",
                    "handglass s_client -sess_out session.pem example.com:443 </dev/null\n"
                    "handglass s_client -sess_in session.pem example.com:443 </dev/null",
                ),
            ),
        ),
        Section(
            "Differences from OpenSSL",
            (
                "Nothing that was not checked is called ok: after a handshake that failed the report ends "
                "where the facts end.",
                "A server that asks for a client certificate is always reported.",
                "Connecting and the handshake have time limits. `-help` goes to standard output. A "
                "connection reset ends the program with status 1.",
                "Every DNS name is sent as server name, one without a dot as well; an IP address never is.",
                "`-verify` limits the depth of the chain; errors at any depth are shown and the connection "
                "goes on.",
                "`-reconnect` and `-sess_out` wait a moment for the tickets of TLS 1.3, so that sessions "
                "resume there too.",
            ),
        ),
    ),
    see_also=("handglass(1)", "handglass-s_server(1)", "openssl-s_client(1)", "openssl-ciphers(1)"),
)

S_SERVER = Page(
    description=(
        "Waits for TLS clients and shows everything about each connection in the layout of `openssl "
        "s_server`. It serves any number of clients at the same time: one that is idle or stalled does not "
        "delay the others.",
        "What a client sends is printed on standard output, and lines of standard input go to the client, "
        "unless an option names another answer: a status page, files, or the client's own lines reversed.",
        "A server needs a certificate: `-cert` names its file, and `-throwaway_cert` makes one in memory.",
    ),
    sections=(
        VERSIONS,
        LISTS,
        SECRETS,
        Section(
            "Commands",
            (
                "Unless `-quiet` or one of the answer options was given, a line of the input that is "
                "nothing but one of these letters is a command:",
                Terms(
                    (
                        ("q", "End this connection and go on accepting."),
                        ("Q", "End this connection and the server."),
                        ("r", "Ask the client to renegotiate (TLS 1.2)."),
                        ("R", "Ask the client to renegotiate and for its certificate (TLS 1.2)."),
                        ("k", "Send a key update (TLS 1.3)."),
                        ("K", "Send a key update and ask the client for one (TLS 1.3)."),
                        ("c", "Ask the client for its certificate (TLS 1.3)."),
                        ("P", "Write plain text on the connection, below TLS."),
                        ("S", "Print the statistics of the session cache."),
                        (
                            "B",
                            "Send a heartbeat request, if `-heartbeat` has agreed on them with the client.",
                        ),
                    )
                ),
                "What is typed goes to one client, the one that has been there longest; when it leaves, to the "
                "next. A line on standard error says which, as soon as there are several. The end of the input "
                "ends the server if it is a terminal's; `-ign_eof` and `-no_ign_eof` decide otherwise, and under "
                "`-quiet` it means nothing.",
            ),
        ),
        Section(
            "Output",
            (
                "If nobody reads the output, clients are served all the same. Reports are left out then, and a "
                "line says how many once somebody reads again; data of clients is never left out: who "
                "sends much waits.",
            ),
        ),
        Section(
            "The status page",
            (
                "`-www` answers every path with a page about the connection, as JSON if the request accepts "
                "`application/json` and not HTML. For `/reneg` it asks the client for another handshake first, "
                "for `/renegcert` for one with a certificate (TLS 1.2), or in TLS 1.3 for the certificate alone, "
                "if the client has offered post-handshake authentication.",
            ),
        ),
        CONFIGURATION,
        STATUS,
        Section(
            "Examples",
            (
                Example("A server to try a client on:", "handglass s_server -throwaway_cert -www"),
                Example(
                    "Ask for client certificates and insist on them:",
                    "handglass s_server -accept 8443 -cert server.pem -CAfile clients.pem \\\n"
                    "    -Verify 5 -verify_return_error",
                ),
                Example(
                    "Serve the current directory:",
                    "handglass s_server -accept 127.0.0.1:8443 -cert server.pem -WWW",
                ),
            ),
        ),
        Section(
            "Differences from OpenSSL",
            (
                "Connections are ended with a close_notify alert.",
                "End of input on something that is not a terminal does not end the server.",
                "If it cannot listen, the exit status is 1 and nothing on the disk is touched.",
            ),
        ),
    ),
    see_also=("handglass(1)", "handglass-s_client(1)", "openssl-s_server(1)", "openssl-ciphers(1)"),
)

S_TIME = Page(
    description=(
        "Makes as many connections to a TLS server as it can in a given time, first with new sessions and then "
        "with reused ones, and tells how many they were and how long their steps took.",
        "Standard output has what `openssl s_time` prints there: a character for each connection (`r` if it "
        'was resumed, `*` if not) and two lines. "User" seconds are the CPU time of this program in user '
        "mode. A table with everything else goes to standard error. If both are a terminal, a line with the "
        "state of things stands in place of the characters.",
        "With `-www` each connection also fetches a page.",
    ),
    sections=(
        Section(
            "What is measured",
            (
                "A first connection is made to find out whether the server answers, and by which of its "
                "addresses; so are connections that only fetch sessions to reuse. They are not counted.",
                Terms(
                    (
                        ("TCP connect", "From the making of the socket until the connection stands."),
                        ("STARTTLS", "From then until TLS may begin, with `-starttls`."),
                        (
                            "TLS handshake",
                            "From then until the server's last message of the handshake has been checked. In TLS 1.3 "
                            "the server has not yet seen the client's last message then, nor judged its certificate.",
                        ),
                        ("first byte", "With `-www`, from then until the first byte of the answer."),
                        ("total", "All of it, with `-www` until the server has closed the connection."),
                    )
                ),
                "The rows come separately for full handshakes and for resumed ones. What this client "
                "computes is part of the times, as it is for any client. Connections that failed are counted "
                "by their reason, and are in none of the times.",
                "`-parallel` connections are under way at once, in one process on one CPU, and each that ends "
                "makes room for the next. So a server that stalls for a second gets fewer connections in that "
                "second, and each of them counts once, however many clients would have come meanwhile: the "
                "percentiles are those of the connections that were made, not those of clients that come at "
                "times of their own. With more connections than one, the times also hold the wait for this "
                "client's CPU; the table says how much of it was used. Those under way at the end are "
                "waited for and counted, as the slowest may be among them.",
                "Times below 2 ms are exact to the microsecond, longer ones to one part in 1000; maximum and "
                "mean are exact.",
                "In TLS 1.3 a ticket is used once. A connection that is to bring a new one waits for it, at "
                "most a second, after its times have been taken. A session of TLS 1.2 is used again and again.",
                "Each connection ends with close_notify. The server is let to close first, so that it can finish what "
                "it has to do and no port of this machine is used up; meanwhile the next connection begins. A server "
                "that does not close within half a second is reset.",
            ),
        ),
        VERSIONS,
        LISTS,
        SECRETS,
        Section(
            "Environment",
            (Terms((("SSL_CIPHER", "The cipher string, where `-cipher` is not given."),)),),
        ),
        Section(
            "Exit status",
            (
                Terms(
                    (
                        ("0", "Every connection was completed, or help was printed."),
                        ("1", "A connection failed, or there was none."),
                        ("130", "It was interrupted; the table is that of what was done until then."),
                    )
                ),
            ),
        ),
        Section(
            "Examples",
            (
                Example(
                    "New and reused sessions, ten seconds each:",
                    "handglass s_time -connect example.com:443 -time 10",
                ),
                Example(
                    "A page, over fifty connections at once:",
                    "handglass s_time -connect example.com:443 -www / -new -parallel 50",
                ),
                Example(
                    "What does a post-quantum key exchange cost this server:",
                    "handglass s_time -connect example.com:443 -new -time 5 -groups X25519MLKEM768\n"
                    "handglass s_time -connect example.com:443 -new -time 5 -groups X25519",
                ),
            ),
        ),
        Section(
            "Differences from OpenSSL",
            (
                "The time is kept: `-time 1` takes one second, not up to two.",
                "With `-reuse` sessions of TLS 1.3 are resumed also without `-www`.",
                "A connection that fails is counted and the others go on, unless the first one fails or many "
                "in a row.",
                "The server name is sent, and the request has a Host header.",
                "Connections have time limits, and end with close_notify.",
                "`-verify` judges the chain and counts the outcomes.",
            ),
        ),
    ),
    see_also=("handglass(1)", "handglass-s_client(1)", "handglass-s_server(1)", "openssl-s_time(1)"),
)

PAGES = {"s_client": S_CLIENT, "s_server": S_SERVER, "s_time": S_TIME}
