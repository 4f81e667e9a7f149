"""What each peer can do, and why the rest is left out; found out with the versions of Debian 12.

OpenSSL 3.0.19, GnuTLS 3.7.9, NSS 3.87, curl 7.88.1 (with OpenSSL).

Left out, and why:

- X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024, ML-DSA certificates: none of these versions has them.
- brainpool groups in TLS 1.3 (RFC 8734): OpenSSL 3.0 has them in TLS 1.2 only, the others not at all.
- ffdhe6144 and ffdhe8192: there everywhere, but one handshake takes as long as fifty others.
- the integrity-only suites (RFC 9150): in no peer.
- NSS has no CCM, no X448, no Ed25519 or Ed448 certificates. tstclnt cannot resume; strsclnt can, but cannot
  be told its groups, so that NSS as a client resumes with X25519 only. Neither can be kept from tickets.
- curl is a client alone, and names no group: the group is what our server says.
"""

from __future__ import annotations

from handglass.records import replace
from interop.combinations import Abilities
from interop.vocabulary import TLS12_SUITES, TLS13_SUITES

SUITES = (*TLS13_SUITES, *TLS12_SUITES)
KEYS = ("rsa", "rsa_pss", "p256", "p384", "p521", "ed25519", "ed448")
FFDHE = ("ffdhe2048", "ffdhe3072", "ffdhe4096")
CURVES = ("X25519", "X448", "P-256", "P-384", "P-521")
BRAINPOOL = ("brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1")

OPENSSL = Abilities(
    suites=SUITES,
    groups=(*CURVES, *FFDHE),
    groups12=(*CURVES, *BRAINPOOL),
    certificates=KEYS,
    clients=KEYS,
    resumptions12=("ticket", "session id"),
    retry=True,
)
GNUTLS = Abilities(
    suites=SUITES,
    groups=(*CURVES, *FFDHE),
    groups12=CURVES,
    certificates=KEYS,
    clients=KEYS,
    resumptions12=("ticket", "session id"),
    retry=True,
)
NSS_KEYS = ("rsa", "rsa_pss", "p256", "p384", "p521")
NSS = Abilities(
    suites=tuple(suite for suite in SUITES if "CCM" not in suite.name),
    groups=("X25519", "P-256", "P-384", "P-521", *FFDHE),
    groups12=("X25519", "P-256", "P-384", "P-521"),
    certificates=NSS_KEYS,
    clients=NSS_KEYS,
    retry=True,
)
# Through our command-line programs: fewer, since each connection starts Python anew.
FEW = Abilities(
    suites=tuple(
        suite
        for suite in SUITES
        if suite.name in ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
        or suite.name.endswith(("ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-SHA"))
    ),
    groups=("X25519", "P-256", "ffdhe2048"),
    groups12=("X25519", "P-384"),
    certificates=("rsa", "p256"),
    clients=("rsa", "p384"),
    retry=True,
)
FEW_WITH_IDS = replace(FEW, resumptions12=("ticket", "session id"))
FEW_NSS_CLIENT = replace(FEW, resumes_with="X25519")
FEW_CURL = replace(FEW, clients=("rsa",))
NSS_CLIENT = replace(NSS, resumes_with="X25519")
CURL = Abilities(
    suites=SUITES,
    groups=(*CURVES, *FFDHE),
    groups12=CURVES,
    certificates=KEYS,
    clients=("rsa", "p256", "ed25519"),
    retry=True,
)
